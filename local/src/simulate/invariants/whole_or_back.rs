//! `whole_or_back`: a release ends on all targets, or all are back, or it stops in a named state with
//! the pipeline frozen; and what somebody else brings in meanwhile is left alone. No service moves before
//! the one-off tasks ended well, and nothing is live whose checks are red.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::answers::Answers;
use super::freezes::Freezes;
use super::one_mover::targets;
use super::{Invariant, Moment, UNSEEN, Wrongs};
use crate::call::{Call, Caller, Noted};
use crate::simulate::moves::{self, Move};
use crate::simulate::raw::{Written, is_moving, is_stuck, list, moment, phase, text};

#[derive(Debug, Default)]
pub(super) struct WholeOrBack {
    /// When somebody else last brought something into a target.
    others: BTreeMap<String, Timestamp>,
    /// What URLs and alarms said.
    answers: Answers,
    /// What may not start.
    freezes: Freezes,
}

impl Invariant for WholeOrBack {
    fn name(&self) -> &'static str {
        "whole_or_back"
    }

    /// Somebody else's revision is never replaced, unless an operator says so.
    fn sent(&mut self, now: &Moment<'_>, call: &Call, wrongs: &mut Wrongs) {
        let Some(Move { target, .. }) = Move::by_deploy(now.cloud, call) else { return };
        let Some(slot) = now.table.slot(&target) else { return };
        after_the_tasks(now, slot, wrongs);
        let Some(stand) = moves::stand(now.cloud, &target) else { return };
        let since = self.others.get(&target).map_or(stand.since, |at| stand.since.max(*at));
        let visible = now.at.duration_since(since) > UNSEEN;
        if visible && whose(slot, &stand.revision) == Whose::Foreign && !over_drift(slot) {
            wrongs.push(format!("{target} was taken from {}, somebody else's", stand.revision));
        }
    }

    fn landed(&mut self, now: &Moment<'_>, call: &Noted, written: &[Written], wrongs: &mut Wrongs) {
        let Noted { call, refusal, .. } = call;
        if let (Caller::Operator, None, Some(by_another)) =
            (&call.caller, refusal, Move::of(now.cloud, call))
        {
            self.others.insert(by_another.target, now.at);
        }
        self.answers.landed(now, written, wrongs);
        self.freezes.landed(now, written, wrongs);
        for (before, after) in written.iter().filter_map(Written::release) {
            let (from, to) = (phase(before), phase(after));
            if from == to {
                continue;
            }
            let id = text(&after["id"]);
            let frozen = id.split('/').next().and_then(|name| now.table.head(name));
            let frozen = frozen.is_some_and(|head| !head["freeze"].is_null());
            if (is_stuck(to) || to == "abandoned") && !frozen {
                wrongs.push(format!("{id} is {to}, and its pipeline is not frozen"));
            }
            let adopted = text(&after["cause"]["kind"]) == "adopted";
            let accepted = after["phase"]["accepted"] == true;
            if to == "rolled_back" || (to == "live" && !adopted && !accepted) {
                self.targets_of(now, after, wrongs);
            }
        }
    }

    /// Long after, it is still so: nothing landed late and stayed.
    fn ended(&mut self, now: &Moment<'_>, wrongs: &mut Wrongs) {
        for slot in now.table.slots() {
            let Some(release) = now.table.release(text(&slot["release"])) else { continue };
            let state = phase(release);
            let decided = is_stuck(state) || state == "abandoned";
            let accepted = release["phase"]["accepted"] == true;
            if !decided && !accepted && !is_moving(state) {
                self.target(now, release, slot, wrongs);
            }
        }
    }
}

impl WholeOrBack {
    fn targets_of(&self, now: &Moment<'_>, release: &Value, wrongs: &mut Wrongs) {
        for target in targets(release) {
            let slot = now.table.slot(target);
            if let Some(slot) = slot.filter(|slot| slot["release"] == release["id"]) {
                self.target(now, release, slot, wrongs);
            }
        }
    }

    /// What a target of an ended release runs.
    fn target(&self, now: &Moment<'_>, release: &Value, slot: &Value, wrongs: &mut Wrongs) {
        let (id, state) = (text(&release["id"]), phase(release));
        let (target, at) = (text(&slot["target"]), phase(slot));
        if moves::is_task(target) {
            let well = now.runs.ended_well(id, target);
            if (at == "healthy" && !well) || (state == "live" && !well && at != "unaffected") {
                wrongs.push(format!("{id} is {state}, and {target} is {at}: it did not end well"));
            }
            if at == "untouched" && now.runs.times(id, target) > 0 {
                wrongs.push(format!("{id} is {state}, and {target}, untouched, ran for it"));
            }
            return;
        }
        // A container service has no revision of its own: its bytes alone say whose they are.
        let stand = moves::stand(now.cloud, target);
        if stand.is_none() && !moves::is_container_service(target) {
            return;
        }
        let found = stand.as_ref().map(|stand| whose(slot, &stand.revision));
        let (wanted, whole) = match (state, at) {
            (_, "untouched") => {
                if found == Some(Whose::Ours) {
                    wrongs
                        .push(format!("{id} is {state}, and untouched {target} runs its revision"));
                }
                return;
            }
            (_, "unaffected" | "left" | "drifted") => return,
            ("live", "healthy") => (&slot["wanted"], Whose::Ours),
            ("rolled_back", "returned") => (&slot["baseline"]["images"], Whose::Baseline),
            ("live" | "rolled_back", other) => {
                wrongs.push(format!("{id} is {state}, and {target} is {other}"));
                return;
            }
            _ => return,
        };
        // Judged before somebody else came, or in the seconds in which nobody could see it.
        let judged = moment(&slot["phase"]["at"]).unwrap_or(now.at);
        let other = self.others.get(target).is_some_and(|at| *at + UNSEEN > judged);
        let foreign = found == Some(Whose::Foreign);
        if other || foreign && runs_only(now, target, wanted).is_ok() {
            return;
        }
        if let Some(stand) = stand.filter(|_| found != Some(whole)) {
            let runs = &stand.revision;
            wrongs.push(format!("{id} is {state}, and {target} runs {runs}, not {whole:?}"));
        } else if let Err(wrong) = runs_only(now, target, wanted) {
            wrongs.push(format!("{id} is {state}, and {target} {wrong}"));
        }
    }
}

/// No target moves forth before every one-off task of the release ended with code 0.
fn after_the_tasks(now: &Moment<'_>, slot: &Value, wrongs: &mut Wrongs) {
    let (id, moved) = (text(&slot["release"]), text(&slot["target"]));
    let Some(release) = now.table.release(id) else { return };
    if text(&slot["asked"]["action"]) != "apply" || moves::is_task(moved) {
        return;
    }
    for task in targets(release).filter(|target| moves::is_task(target)) {
        let unaffected = now.table.slot(task).is_some_and(|slot| phase(slot) == "unaffected");
        if !unaffected && !now.runs.ended_well(id, task) {
            wrongs.push(format!("{moved} was moved for {id} before {task} had ended well"));
        }
    }
}

/// Whose a revision is, seen from a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Baseline,
    Foreign,
}

fn whose(slot: &Value, definition: &str) -> Whose {
    let (baseline, done) = (&slot["baseline"], &slot["done"]);
    let is = |revision: &Value| text(revision) == definition;
    if is(&done["revision"]) {
        Whose::Ours
    } else if is(&baseline["running"]) || is(&baseline["revision"]) || is(&done["copy"]) {
        Whose::Baseline
    } else {
        Whose::Foreign
    }
}

fn over_drift(slot: &Value) -> bool {
    slot["asked"]["over_drift"] == true
}

/// Every running container that these images are for runs one of their digests.
fn runs_only(now: &Moment<'_>, target: &str, images: &Value) -> Result<(), String> {
    for (container, digest) in moves::runs(now.cloud, target) {
        let own: Vec<_> = list(images).filter(|it| text(&it["container"]) == container).collect();
        let fits = |image: &&Value| {
            text(&image["digest"]) == digest || list(&image["accepts"]).any(|it| *it == *digest)
        };
        // A digest of a platform stands for the index that lists it, and the other way round.
        let same = |image: &&Value| now.cloud.ecr.lists(&digest, text(&image["digest"]));
        if !own.is_empty() && !own.iter().any(|image| fits(image) || same(image)) {
            let wanted: Vec<_> = own.iter().map(|image| text(&image["digest"])).collect();
            return Err(format!("runs {digest} in {container}, not {wanted:?}"));
        }
    }
    Ok(())
}
