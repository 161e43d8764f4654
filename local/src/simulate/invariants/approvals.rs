//! Part of `baseline_before_change`: where a person's word is asked for, nothing moves without it, and it
//! is given for what was shown.

use std::collections::BTreeMap;

use serde_json::Value;

use super::one_mover::targets;
use super::{Moment, Wrongs};
use crate::call::{Caller, Noted};
use crate::simulate::raw::{Written, list, phase, text};

/// What each release asked, and who approved what.
#[derive(Debug, Default)]
pub(super) struct Approvals {
    /// The plan that people were shown last, by release, and the lines that it was shown as.
    shown: BTreeMap<String, (String, Vec<String>)>,
    /// The plan that was approved last, and whose program wrote that.
    given: BTreeMap<String, (String, Caller)>,
}

impl Approvals {
    pub(super) fn landed(
        &mut self,
        now: &Moment<'_>,
        call: &Noted,
        written: &[Written],
        wrongs: &mut Wrongs,
    ) {
        for (before, after) in written.iter().filter_map(Written::release) {
            let id = text(&after["id"]);
            let held = &after["phase"]["held"];
            if text(&held["kind"]) == "approval" {
                let lines = list(&held["changes"]).map(|line| text(line).to_owned());
                let shown = (text(&held["plan"]).to_owned(), lines.collect());
                self.shown.insert(id.to_owned(), shown);
            }
            let approved = &after["approved"];
            if !approved.is_null() && before["approved"] != *approved {
                let given = (text(&approved["plan"]).to_owned(), call.call.caller.clone());
                self.given.insert(id.to_owned(), given);
            }
            if phase(after) == "rolling" && phase(before) != "rolling" {
                self.moves(now, after, wrongs);
            }
        }
    }

    fn moves(&self, now: &Moment<'_>, release: &Value, wrongs: &mut Wrongs) {
        let id = text(&release["id"]);
        let asked = now.pipeline(id).and_then(|pipeline| pipeline.extras.approval);
        let goes_back = ["rollback", "undo"].contains(&text(&release["cause"]["kind"]));
        let Some(asked) = asked.filter(|_| !goes_back) else { return };
        let Some((plan, caller)) = self.given.get(id) else {
            wrongs.push(format!("{id} moves, and nobody approved it"));
            return;
        };
        let person = *caller == Caller::Operator;
        let tag = asked.by_tag
            && matches!(caller, Caller::Function(instance) if instance.program == "promote");
        if !person && !tag {
            wrongs.push(format!("{id} moves, approved by {caller}, who is nobody to say so"));
        }
        let (shown, lines) = self.shown.get(id).cloned().unwrap_or_default();
        if shown != *plan {
            wrongs.push(format!("{id} moves by plan {shown}, and {plan} was approved"));
        }
        for target in targets(release) {
            let slot = now.table.slot(target).filter(|slot| phase(slot) != "unaffected");
            let running = slot.map(|slot| text(&slot["baseline"]["running"]));
            let of = running.and_then(|arn| arn.rsplit('/').next()).unwrap_or_default();
            if !of.is_empty() && !lines.iter().any(|line| line.contains(of)) {
                wrongs.push(format!("{id} moves {target} from {of}, which nobody was shown"));
            }
        }
    }
}
