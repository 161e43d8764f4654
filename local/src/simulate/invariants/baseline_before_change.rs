//! `baseline_before_change`: nothing is changed before every affected target's baseline, and so the
//! way back, is in the table.

use super::one_mover::targets;
use super::{Invariant, Moment, Wrongs, changed_service};
use crate::call::{Call, Noted};
use crate::simulate::raw::{Written, list, phase, text};

pub(super) struct BaselineBeforeChange;

impl Invariant for BaselineBeforeChange {
    fn name(&self) -> &'static str {
        "baseline_before_change"
    }

    fn sent(&mut self, now: &Moment<'_>, call: &Call, wrongs: &mut Wrongs) {
        let Some(name) = changed_service(call) else { return };
        let service = &name.service;
        let Some(slot) = now.table.slot_of(&name) else {
            wrongs.push(format!("{service} was changed without a baseline"));
            return;
        };
        let id = text(&slot["release"]);
        let Some(release) = now.table.release(id) else {
            wrongs.push(format!("{service} was changed for {id}, which does not exist"));
            return;
        };
        for target in targets(release) {
            let slot = now.table.slot(target).filter(|slot| text(&slot["release"]) == id);
            let Some(slot) = slot.filter(|slot| !text(&slot["baseline"]["revision"]).is_empty())
            else {
                wrongs
                    .push(format!("{service} was changed before {target} had a baseline in {id}"));
                continue;
            };
            let way_back =
                list(&slot["baseline"]["images"]).all(|image| !text(&image["digest"]).is_empty());
            let allowed = release["without_way_back"] == true || phase(slot) == "unaffected";
            if !way_back && !allowed {
                wrongs.push(format!("{service} was changed for {id}: {target} has no way back"));
            }
        }
    }

    fn landed(&mut self, _: &Moment<'_>, _: &Noted, _: &[Written], _: &mut Wrongs) {}
}
