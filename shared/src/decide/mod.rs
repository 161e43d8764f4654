//! What should happen next, and why nothing more does.
//!
//! [`decide`] is a function of what the table holds, what was seen of the world, and the time.
//! First every slot is judged by itself; only when no slot has anything new does the release as
//! a whole take its step. Deciding again on the outcome changes nothing until the world moves.

mod approval;
mod blame;
pub mod checks;
mod finding;
mod finish;
mod judge;
mod look;
mod retag;
mod roll;
mod rollback;
mod run;
mod start;
mod step;
mod survey;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use approval::due as approval_due;
pub use blame::note_task;
pub use finding::Finding;
pub use finish::{abandon, accept, reject};
pub use look::{all_told, bake_is_over, due, ends_at, note_told, open, waits_for};
pub use retag::{retag_again, retagged};
pub use rollback::by_operator as roll_back;
pub use run::note_run;
pub use start::{blocked, live_already, rejected};
pub use step::{pipeline_entry, release_entry};
pub use survey::{conclude, reason_to_hold};

use crate::messages;
use crate::model::{Change, Phase, Plan, Scene, TargetId, WaitingOn};
use crate::sighting::{Sighting, TaskSighting};

/// What was seen of each target; a target nobody looked at is absent.
pub type Sightings = BTreeMap<TargetId, Seen>;

/// One look at one target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Seen {
    /// The service answered.
    Service(Box<Sighting>),
    /// The one-off task answered.
    Task {
        /// The token of the call that it came of ([`crate::marks::token`]).
        token: String,
        /// What it looked like.
        task: Box<TaskSighting>,
    },
    /// ECS does not know it.
    Missing,
}

/// What should happen next in one pipeline.
pub fn decide(scene: &Scene, sightings: &Sightings, now: Timestamp) -> Plan {
    let judged = judge::slots(scene, sightings, now);
    if !judged.changes.is_empty() {
        return judged;
    }
    let Some(release) = &scene.moving else {
        return start::next(scene, now);
    };
    let mut plan = match &release.phase {
        Phase::Surveying { since, held } => {
            survey::pending(scene, release, *since, held.as_ref(), now)
        }
        Phase::Rolling { wave, .. } => roll::wave(scene, release, *wave, sightings, now),
        Phase::Baking { until } => roll::bake(scene, release, *until, &judged, now),
        Phase::RollingBack { since } => rollback::progress(scene, release, *since, now),
        Phase::Frozen { .. } | Phase::RollbackFailed { .. } | Phase::Drifted { .. }
            if finish::asked(scene).next().is_some() =>
        {
            finish::withdraw(scene)
        }
        stuck @ (Phase::Frozen { .. } | Phase::RollbackFailed { .. } | Phase::Drifted { .. }) => {
            let (id, name, ways) = (&release.id, stuck.name(), messages::ways_on(release));
            waits(format!("{id} is {name}: a person decides, {ways}"), None)
        }
        Phase::Abandoned { .. } => finish::leave(scene),
        // Any other ended release is let go in the write that ends it: the head does not name it.
        Phase::Waiting { .. }
        | Phase::Live { .. }
        | Phase::RolledBack { .. }
        | Phase::Superseded { .. }
        | Phase::Expired { .. }
        | Phase::Rejected { .. }
        | Phase::Refused { .. } => Plan::default(),
    };
    plan.waiting_on.extend(judged.waiting_on);
    plan
}

/// One thing to do.
fn does(change: Change) -> Plan {
    Plan { changes: vec![change], waiting_on: Vec::new() }
}

/// Nothing to do but wait for this.
fn waits(what: impl Into<String>, until: Option<Timestamp>) -> Plan {
    let on = WaitingOn { target: None, what: what.into(), until };
    Plan { changes: Vec::new(), waiting_on: vec![on] }
}

#[cfg(test)]
mod tests;
