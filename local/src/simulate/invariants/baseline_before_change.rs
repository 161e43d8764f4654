//! `baseline_before_change`: nothing is changed before every affected target's baseline, and so the
//! way back, is in the table; nor before a person's word, where one is asked for.

use super::approvals::Approvals;
use super::one_mover::targets;
use super::{Invariant, Moment, Wrongs};
use crate::call::{Call, Noted};
use crate::simulate::moves::Move;
use crate::simulate::raw::{Written, list, phase, text};

#[derive(Debug, Default)]
pub(super) struct BaselineBeforeChange {
    approvals: Approvals,
}

impl Invariant for BaselineBeforeChange {
    fn name(&self) -> &'static str {
        "baseline_before_change"
    }

    fn sent(&mut self, now: &Moment<'_>, call: &Call, wrongs: &mut Wrongs) {
        let Some(Move { target: moved, .. }) = Move::by_deploy(now.cloud, call) else { return };
        let Some(slot) = now.table.slot(&moved) else {
            wrongs.push(format!("{moved} was changed without a baseline"));
            return;
        };
        let id = text(&slot["release"]);
        let Some(release) = now.table.release(id) else {
            wrongs.push(format!("{moved} was changed for {id}, which does not exist"));
            return;
        };
        for target in targets(release) {
            let slot = now.table.slot(target).filter(|slot| text(&slot["release"]) == id);
            let Some(slot) = slot.filter(|slot| !text(&slot["baseline"]["revision"]).is_empty())
            else {
                wrongs.push(format!("{moved} was changed before {target} had a baseline in {id}"));
                continue;
            };
            let way_back =
                list(&slot["baseline"]["images"]).all(|image| !text(&image["digest"]).is_empty());
            let allowed = release["without_way_back"] == true || phase(slot) == "unaffected";
            if !way_back && !allowed {
                wrongs.push(format!("{moved} was changed for {id}: {target} has no way back"));
            }
        }
    }

    fn landed(&mut self, now: &Moment<'_>, call: &Noted, written: &[Written], wrongs: &mut Wrongs) {
        self.approvals.landed(now, call, written, wrongs);
    }
}
