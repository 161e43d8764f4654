//! `one_mover`: one release moves in a pipeline and owns a target; one invocation calls for it, and
//! only what was written down for what is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::{Invariant, Moment, Wrongs};
use crate::call::{Call, Caller, Noted};
use crate::simulate::moves::{Move, is_task};
use crate::simulate::raw::{Written, is_moving, is_stuck, list, moment, number, phase, text};

/// What a stopped release still asked for is withdrawn by whoever comes next: where the one that stopped
/// it died, a tick or two later.
const SETTLING: Duration = Duration::from_mins(3);

#[derive(Debug, Default)]
pub(super) struct OneMover {
    /// The releases that move or are stuck, by pipeline.
    movers: BTreeMap<String, BTreeSet<u64>>,
    /// Who took each target's lease last.
    holders: BTreeMap<String, Caller>,
}

impl Invariant for OneMover {
    fn name(&self) -> &'static str {
        "one_mover"
    }

    fn sent(&mut self, now: &Moment<'_>, call: &Call, wrongs: &mut Wrongs) {
        let Some(own) = Move::by_deploy(now.cloud, call) else { return };
        let Some(slot) = called_for(now, call, &own) else {
            wrongs.push(format!("{} was sent, and no slot knows of it", call.name()));
            return;
        };
        let target = text(&slot["target"]);
        let (lease, done) = (&slot["lease"], &slot["done"]);
        if self.holders.get(target) != Some(&call.caller) || lease.is_null() {
            let owner = text(&lease["owner"]);
            wrongs.push(format!("a call was sent for {target} without its lease ({owner})"));
        }
        if moment(&lease["until"]).is_some_and(|until| until < now.at) {
            wrongs.push(format!("a call was sent for {target} after its lease had run out"));
        }
        if number(&done["generation"]) > number(&slot["asked"]["generation"]) {
            wrongs.push(format!("a call was sent for {target} that nobody asked for"));
        }
        if is_task(target) {
            may_run(now, slot, wrongs);
        }
    }

    fn landed(&mut self, now: &Moment<'_>, call: &Noted, written: &[Written], wrongs: &mut Wrongs) {
        if let Some(own) = Move::by_deploy(now.cloud, &call.call) {
            let release = now.table.slot(&own.target).map(|slot| text(&slot["release"]));
            let times = now.runs.times(release.unwrap_or_default(), &own.target);
            if times > 1 {
                wrongs.push(format!("{} ran {times} times for one release", own.target));
            }
        }
        for one in written {
            if let Some((before, after)) = one.slot() {
                self.slot(now, &call.call, before, after, wrongs);
            }
            if let (Some((_, after)), Some(pipeline)) = (one.release(), one.pipeline()) {
                let id = number_of(text(&after["id"]));
                let movers = self.movers.entry(pipeline.to_owned()).or_default();
                if is_moving(phase(after)) || is_stuck(phase(after)) {
                    movers.insert(id);
                } else {
                    movers.remove(&id);
                }
            }
        }
        // All of a transaction is true at once: the head is asked after the last of its writes.
        for pipeline in written.iter().filter_map(Written::pipeline) {
            let Some(movers) = self.movers.get(pipeline).filter(|it| !it.is_empty()) else {
                continue;
            };
            let named = now.table.head(pipeline).map_or(0, |head| number(&head["moving"]));
            if movers.len() > 1 || !movers.contains(&named) {
                wrongs.push(format!("{pipeline}: {movers:?} move, and the head names {named}"));
            }
        }
    }
}

impl OneMover {
    fn slot(
        &mut self,
        now: &Moment<'_>,
        call: &Call,
        before: &Value,
        after: &Value,
        wrongs: &mut Wrongs,
    ) {
        let target = text(&after["target"]);
        if before["lease"] != after["lease"] && !after["lease"].is_null() {
            self.holders.insert(target.to_owned(), call.caller.clone());
        }
        let (held, taken) = (&before["lease"], &after["lease"]);
        let by_another = !taken.is_null() && text(&held["owner"]) != text(&taken["owner"]);
        if by_another && moment(&held["until"]).is_some_and(|until| until > now.at) {
            let (owner, until) = (text(&held["owner"]), text(&held["until"]));
            wrongs.push(format!("{target}: {owner} lost its lease, which lasts until {until}"));
        }
        let intent = &after["done"]["intent"];
        if !intent.is_null() && *intent != before["done"]["intent"] {
            let (asked, claimed) = (&after["asked"]["generation"], &after["done"]["generation"]);
            if asked != claimed {
                wrongs.push(format!(
                    "{target}: a call of generation {claimed} was begun, and {asked} was asked"
                ));
            }
        }
        if !intent.is_null() && *intent != before["done"]["intent"] {
            let id = text(&after["release"]);
            let release = now.table.release(id).unwrap_or(&Value::Null);
            let stopped = moment(&release["phase"]["at"]).unwrap_or(now.at);
            let state = phase(release);
            let moves = is_moving(state) || (is_stuck(state) && now.at <= stopped + SETTLING);
            if !moves || (is_task(target) && state == "rolling_back") {
                wrongs.push(format!("{target}: a call was begun for {id}, which is {state}"));
            }
        }
        let owner = text(&before["release"]);
        if !owner.is_empty() && owner != text(&after["release"]) {
            let state = now.table.release(owner).map(phase).unwrap_or_default();
            if is_moving(state) || is_stuck(state) {
                let taker = text(&after["release"]);
                wrongs.push(format!("{taker} took {target} from {owner}, which is {state}"));
            }
        }
    }
}

fn number_of(id: &str) -> u64 {
    id.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// A one-off task runs for a release that goes forth, or to undo an earlier one; never in a rollback.
fn may_run(now: &Moment<'_>, slot: &Value, wrongs: &mut Wrongs) {
    let (id, target) = (text(&slot["release"]), text(&slot["target"]));
    let release = now.table.release(id).unwrap_or(&Value::Null);
    let (cause, action) = (text(&release["cause"]["kind"]), text(&slot["asked"]["action"]));
    let wanted = if cause == "undo" { "undo" } else { "apply" };
    // It was begun before that was asked, which its intent showed; and now it is on its way, or sent again.
    let older = number(&slot["done"]["generation"]) < number(&slot["asked"]["generation"]);
    let before = older && phase(slot) != "untouched";
    if (action != wanted && !before) || ["rollback", "adopted"].contains(&cause) {
        wrongs.push(format!("{target} was run for {id}, a {cause}, where {action} was asked"));
    }
}

/// The slot that says so of a call: its intent names the call, the target and where it goes.
fn called_for<'a>(now: &Moment<'a>, call: &Call, own: &Move) -> Option<&'a Value> {
    let slot = now.table.slot(&own.target)?;
    let mut said = text(&slot["done"]["intent"]["call"]).split(' ');
    let name = own.target.rsplit('/').next();
    let named = match call.action.as_str() {
        "StopServiceDeployment" => Some(text(&call.input["serviceDeploymentArn"])),
        _ => name,
    };
    let says = said.next() == Some(call.name().as_str()) && said.next() == named;
    // A container service's revision is named by all its images, and only in the intent.
    let brings = own.revision.is_empty() || said.next() == Some(&own.revision);
    (says && brings).then_some(slot)
}

/// All targets of a release.
pub(super) fn targets(release: &Value) -> impl Iterator<Item = &str> {
    list(&release["waves"]).flat_map(list).map(text)
}
