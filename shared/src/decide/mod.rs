//! What should happen next, and why nothing more does.
//!
//! [`decide`] is a function of what the table holds, what was seen of the world, and the time.
//! First every slot is judged by itself; only when no slot has anything new does the release as
//! a whole take its step. Deciding again on the outcome changes nothing until the world moves.

mod blame;
mod finish;
mod judge;
mod roll;
mod rollback;
mod start;
mod step;
mod survey;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use blame::note_task;
pub use finish::{abandon, accept};
pub use rollback::{by_operator as roll_back_moving, retry as roll_back_again};
pub use step::{pipeline_entry, release_entry};
pub use survey::{Finding, conclude};

use crate::model::{Phase, Plan, Scene, TargetId, WaitingOn};
use crate::sighting::Sighting;

/// What was seen of each target; a target nobody looked at is absent.
pub type Sightings = BTreeMap<TargetId, Seen>;

/// One look at one target.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// The service answered.
    Service(Box<Sighting>),
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
        Phase::Surveying { since, held } => survey::pending(scene, release, *since, held.as_ref(), now),
        Phase::Rolling { wave, .. } => roll::wave(scene, release, *wave, sightings, now),
        Phase::Baking { until } => roll::bake(scene, release, *until, now),
        Phase::RollingBack { .. } => rollback::progress(scene, release, now),
        stuck @ (Phase::Frozen { .. } | Phase::RollbackFailed { .. } | Phase::Drifted { .. }) => {
            waits(format!(
                "{} is {}: a person decides, `tidegate rollback {pipeline}` or `tidegate accept {pipeline}`",
                release.id,
                stuck.name(),
                pipeline = release.id.pipeline,
            ))
        }
        // An ended release is let go in the write that ends it: the head does not name it.
        Phase::Waiting { .. }
        | Phase::Live { .. }
        | Phase::RolledBack { .. }
        | Phase::Abandoned { .. }
        | Phase::Superseded { .. }
        | Phase::Refused { .. } => Plan::default(),
    };
    plan.waiting_on.extend(judged.waiting_on);
    plan
}

/// Nothing to do but wait for this.
fn waits(what: String) -> Plan {
    Plan { changes: Vec::new(), waiting_on: vec![WaitingOn { target: None, what, until: None }] }
}
