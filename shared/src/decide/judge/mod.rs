//! Each slot by itself: what deploy answered, what ECS shows, what the time says.
//!
//! Judged by what runs, not by "stable": a service that is steady again on its old revision
//! after ECS rolled it back is a failure.

mod back;
mod forth;
mod ours;
mod task;

use std::time::Duration;

use jiff::Timestamp;

use super::step::{BLIND, slot_entry};
use super::{Seen, Sightings};
pub(super) use task::withdrawn;

use crate::guard::{Guard, stands};
use crate::marks::token;
use crate::model::{Blame, Change, Failure, Pin, Plan, Scene, Slot, SlotPhase, WaitingOn};
use crate::sighting::{Deployment, LAG, LANDING, Sighting};

/// Deploy answers within its 90 s timeout or not at all; then it is asked again.
const ANSWER: Duration = Duration::from_secs(90);

/// Judges every slot of the moving release; each change is its own transaction.
pub(super) fn slots(scene: &Scene, sightings: &Sightings, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    if !scene.moving.as_ref().is_some_and(|release| release.phase.is_moving()) {
        return plan;
    }
    for slot in scene.owned() {
        let (next, journal) = match judge(scene, slot, sightings.get(&slot.target), now) {
            Verdict::Rest => continue,
            Verdict::Wait(on) => {
                plan.waiting_on.push(on);
                continue;
            }
            Verdict::Quietly(next) => (next, Vec::new()),
            Verdict::Next(next, reason) => {
                let entry = slot_entry(slot, &next, reason, evidence(&next), now);
                (next, vec![entry])
            }
        };
        let slots = vec![(Some(slot.clone()), *next)];
        plan.changes.push(Change { slots, journal, ..Change::default() });
    }
    plan
}

fn evidence(slot: &Slot) -> Vec<String> {
    match &slot.phase {
        SlotPhase::Failed { failure } | SlotPhase::ReturnFailed { failure } => {
            failure.evidence.clone()
        }
        _ => slot.ours().map(|revision| format!("revision {revision}")).into_iter().collect(),
    }
}

fn judge(scene: &Scene, slot: &Slot, seen: Option<&Seen>, now: Timestamp) -> Verdict {
    let seen = seen.filter(|seen| tells_of(slot, seen));
    if slot.target.is_task() {
        return task::judge(scene, slot, seen, now);
    }
    match &slot.phase {
        SlotPhase::Queued => forth::queued(slot, seen, now),
        SlotPhase::Applying { .. } => forth::applying(scene, slot, now),
        SlotPhase::Settling { since, deadline } => {
            forth::settling(scene, slot, seen, *since, *deadline, now)
        }
        SlotPhase::Healthy { at, .. } => forth::healthy(scene, slot, seen, *at, now),
        SlotPhase::Returning { deadline, .. } => back::returning(slot, seen, *deadline, now),
        SlotPhase::Unaffected
        | SlotPhase::Sought { .. }
        | SlotPhase::Failed { .. }
        | SlotPhase::Returned { .. }
        | SlotPhase::ReturnFailed { .. }
        | SlotPhase::Drifted { .. }
        | SlotPhase::Untouched
        | SlotPhase::Left => Verdict::Rest,
    }
}

/// Whether a look tells of the slot as it is. Who was held up between look and verdict may have looked
/// before the target went to its next release: that shows what the one before did there, and how the task
/// of the one before ended.
fn tells_of(slot: &Slot, seen: &Seen) -> bool {
    match seen {
        Seen::Service(sighting) => sighting.at >= slot.seen_at,
        Seen::Task { token: of, .. } => *of == token(slot),
        Seen::Missing => true,
    }
}

/// What one look says about one slot.
enum Verdict {
    /// Nothing yet.
    Wait(WaitingOn),
    /// The slot's next version, and why.
    Next(Box<Slot>, String),
    /// A write that is not a change of state.
    Quietly(Box<Slot>),
    /// Nothing to say: the slot is at rest.
    Rest,
}

impl Verdict {
    /// Nothing yet, but the time is up: then `fail` says what that means.
    fn or_when(self, over: bool, fail: impl FnOnce(String) -> Self) -> Self {
        match self {
            Self::Wait(on) if over => fail(on.what),
            Self::Quietly(_) if over => fail("an answer, though it was asked again".to_owned()),
            verdict => verdict,
        }
    }
}

/// Silence becomes a verdict: the deadline has passed, and a look was taken (or none succeeds).
fn is_over<T>(deadline: Timestamp, seen: Option<&T>, now: Timestamp) -> bool {
    now >= if seen.is_some() { deadline } else { deadline + BLIND }
}

fn wait(slot: &Slot, what: impl Into<String>, until: Option<Timestamp>) -> Verdict {
    Verdict::Wait(WaitingOn { target: Some(slot.target.clone()), what: what.into(), until })
}

fn next(slot: &Slot, phase: SlotPhase, reason: impl Into<String>) -> Verdict {
    Verdict::Next(Box::new(slot.becomes(phase)), reason.into())
}

fn failed(slot: &Slot, failure: Failure) -> Verdict {
    let reason = failure.cause.clone();
    next(slot, SlotPhase::Failed { failure }, reason)
}

/// A failure that is not told by tasks.
fn failure(cause: impl Into<String>, remedy: &str, blame: Blame, now: Timestamp) -> Failure {
    Failure { cause: cause.into(), remedy: remedy.to_owned(), evidence: Vec::new(), blame, at: now }
}

fn drifted(slot: &Slot, seen: impl Into<String>, now: Timestamp) -> Verdict {
    let seen = seen.into();
    let reason = format!("somebody else changed it: {seen}; it is left alone");
    next(slot, SlotPhase::Drifted { seen, at: now }, reason)
}

/// Somebody else's deployment is primary.
fn foreign(slot: &Slot, deployment: &Deployment, now: Timestamp) -> Verdict {
    drifted(slot, format!("it runs {} ({})", deployment.revision, deployment.id), now)
}

/// The target itself was deleted.
fn gone(slot: &Slot) -> String {
    format!("the {} is gone", slot.target.kind.noun())
}

/// Deploy has not answered: wait, or ask again when its answer is overdue.
fn unanswered(slot: &Slot, now: Timestamp) -> Verdict {
    let overdue = slot.asked.at + ANSWER;
    if now < overdue || !stands(Guard::Nudge) {
        return wait(slot, "deploy to answer", Some(overdue));
    }
    Verdict::Quietly(Box::new(slot.nudged(now)))
}

/// ECS asked for patience: wait, then ask again.
fn throttled(slot: &Slot, until: Timestamp, now: Timestamp) -> Verdict {
    if now < until {
        return wait(slot, "AWS throttles; it is asked again", Some(until));
    }
    Verdict::Quietly(Box::new(slot.asks_again(now)))
}

/// What the primary deployment is, seen from this slot.
enum Primary<'a> {
    Ours(&'a Deployment),
    Baseline(&'a Deployment),
    Other(&'a Deployment),
    None,
}

fn primary<'a>(slot: &Slot, sighting: &'a Sighting) -> Primary<'a> {
    match sighting.primary() {
        None => Primary::None,
        Some(d) if slot.ours() == Some(d.revision.as_str()) => Primary::Ours(d),
        Some(d) if !stands(Guard::OwnRevision) => Primary::Ours(d),
        Some(d) if slot.is_baseline(&d.revision) => Primary::Baseline(d),
        Some(d) if runs_wanted(slot, sighting) => Primary::Ours(d),
        Some(d) if !stands(Guard::Drift) => Primary::Baseline(d),
        Some(d) => Primary::Other(d),
    }
}

/// Whose revision it is matters less than what runs: the wanted bytes are adopted as ours.
fn runs_wanted(slot: &Slot, sighting: &Sighting) -> bool {
    let runs = |pin: &Pin| {
        sighting.resolved.get(&pin.container).is_some_and(|digest| pin.accepts.contains(digest))
    };
    !slot.wanted.is_empty() && slot.wanted.iter().all(runs)
}
