//! `whole_or_back`: a release ends on all targets, or all are back, or it stops in a named state with
//! the pipeline frozen; and what somebody else brings in meanwhile is left alone.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::one_mover::targets;
use super::{Invariant, Moment, Wrongs, changed_service};
use crate::call::{Call, Caller, Noted};
use crate::ecs::ServiceName;
use crate::simulate::raw::{Written, is_moving, is_stuck, list, moment, phase, service_of, text};

/// Looking and then calling are two things: a look is up to 15 s old, `DescribeServices` lags up to 5
/// s behind, and a call may take 10 s to be sent again.
const UNSEEN: SignedDuration = SignedDuration::from_secs(45);

#[derive(Debug, Default)]
pub(super) struct WholeOrBack {
    /// When somebody else last brought something into a service.
    others: BTreeMap<ServiceName, Timestamp>,
}

impl Invariant for WholeOrBack {
    fn name(&self) -> &'static str {
        "whole_or_back"
    }

    /// Somebody else's revision is never replaced, unless an operator says so.
    fn sent(&mut self, now: &Moment<'_>, call: &Call, wrongs: &mut Wrongs) {
        let Some(name) = changed_service(call) else { return };
        let service = &name.service;
        let (Some(slot), Some(primary)) = (now.table.slot_of(&name), now.cloud.ecs.primary(&name))
        else {
            return;
        };
        let visible = now.at.duration_since(primary.created_at) > UNSEEN;
        if visible && whose(slot, &primary.definition) == Whose::Foreign && !over_drift(slot) {
            wrongs
                .push(format!("{service} was taken from {}, somebody else's", primary.definition));
        }
    }

    fn landed(&mut self, now: &Moment<'_>, call: &Noted, written: &[Written], wrongs: &mut Wrongs) {
        let Noted { call, refusal, .. } = call;
        if call.caller == Caller::Operator && call.action == "UpdateService" && refusal.is_none() {
            let [cluster, service] = ["cluster", "service"].map(|it| text(&call.input[it]));
            self.others.insert(ServiceName::new(cluster, service), now.at);
        }
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
            // Only an operator's rollback starts where nothing else may.
            let back = text(&after["cause"]["kind"]) == "rollback";
            let starts = to == "surveying" && (from.is_empty() || from == "waiting");
            if starts && frozen && !back {
                wrongs.push(format!("{id} starts in a frozen pipeline"));
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
        let name = service_of(slot);
        let Some(primary) = now.cloud.ecs.primary(&name) else { return };
        let (id, state) = (text(&release["id"]), phase(release));
        let (wanted, whole) = match (state, phase(slot)) {
            (_, "untouched") => {
                if whose(slot, &primary.definition) == Whose::Ours {
                    wrongs.push(format!("{id} is {state}, and untouched {name} runs its revision"));
                }
                return;
            }
            (_, "unaffected" | "left" | "drifted") => return,
            ("live", "healthy") => (&slot["wanted"], Whose::Ours),
            ("rolled_back", "returned") => (&slot["baseline"]["images"], Whose::Baseline),
            ("live" | "rolled_back", other) => {
                wrongs.push(format!("{id} is {state}, and {name} is {other}"));
                return;
            }
            _ => return,
        };
        // Judged before somebody else came, or in the seconds in which nobody could see it.
        let judged = moment(&slot["phase"]["at"]).unwrap_or(now.at);
        let other = self.others.get(&name).is_some_and(|at| *at + UNSEEN > judged);
        let found = whose(slot, &primary.definition);
        if other || found == Whose::Foreign && runs_only(now, &name, wanted).is_ok() {
            return;
        }
        if found != whole {
            let runs = &primary.definition;
            wrongs.push(format!("{id} is {state}, and {name} runs {runs}, not {whole:?}"));
        } else if let Err(wrong) = runs_only(now, &name, wanted) {
            wrongs.push(format!("{id} is {state}, and {name} {wrong}"));
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
fn runs_only(now: &Moment<'_>, name: &ServiceName, images: &Value) -> Result<(), String> {
    for (container, digest) in now.cloud.ecs.running_images(name) {
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
