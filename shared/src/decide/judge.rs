//! Each slot by itself: what deploy answered, what ECS shows, what the time says.
//!
//! Judged by what runs, not by "stable": a service that is steady again on its old revision
//! after ECS rolled it back is a failure.

use std::time::Duration;

use jiff::Timestamp;

use super::step::slot_entry;
use super::{Seen, Sightings, blame};
use crate::model::{
    Action, Blame, Change, Failure, Outcome, Plan, Scene, Slot, SlotPhase, WaitingOn,
};
use crate::sighting::{Deployment, RolloutState, ServiceDeploymentStatus, Sighting, Strategy};

/// DescribeServices lags up to some seconds, and a call may land up to 30 s late: before this
/// much time has passed, "not there yet" says nothing.
const LANDING: Duration = Duration::from_secs(60);

/// Deploy answers within its 90 s timeout or not at all; then it is asked again.
const ANSWER: Duration = Duration::from_secs(90);

/// A call that lands late is repaired this often; then something else is wrong.
const MOST_REPAIRS: u32 = 3;

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

/// Judges every slot of the moving release; each change is its own transaction.
pub(super) fn slots(scene: &Scene, sightings: &Sightings, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    if !scene.moving.as_ref().is_some_and(|release| release.phase.is_moving()) {
        return plan;
    }
    for slot in scene.owned() {
        match judge(scene, slot, sightings.get(&slot.target), now) {
            Verdict::Wait(on) => plan.waiting_on.push(on),
            Verdict::Rest => {}
            Verdict::Quietly(next) => plan.changes.push(Change {
                slots: vec![(Some(slot.clone()), *next)],
                ..Change::default()
            }),
            Verdict::Next(next, reason) => {
                let entry = slot_entry(slot, &next, reason, evidence(&next), now);
                plan.changes.push(Change {
                    slots: vec![(Some(slot.clone()), *next)],
                    journal: vec![entry],
                    ..Change::default()
                });
            }
        }
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
    match &slot.phase {
        SlotPhase::Applying { .. } => applying(scene, slot, now),
        SlotPhase::Settling { since, deadline } => {
            settling(scene, slot, seen, *since, *deadline, now)
        }
        SlotPhase::Healthy { .. } => healthy(scene, slot, seen, now),
        SlotPhase::Returning { deadline, .. } => returning(slot, seen, *deadline, now),
        SlotPhase::Queued => queued(slot, seen, now),
        SlotPhase::Unaffected
        | SlotPhase::Failed { .. }
        | SlotPhase::Returned { .. }
        | SlotPhase::ReturnFailed { .. }
        | SlotPhase::Drifted { .. }
        | SlotPhase::Untouched
        | SlotPhase::Left => Verdict::Rest,
    }
}

// ---- what the verdicts are made of ----

fn wait(slot: &Slot, what: impl Into<String>, until: Option<Timestamp>) -> Verdict {
    Verdict::Wait(WaitingOn { target: Some(slot.target.clone()), what: what.into(), until })
}

fn next(slot: &Slot, phase: SlotPhase, reason: impl Into<String>) -> Verdict {
    Verdict::Next(Box::new(slot.becomes(phase)), reason.into())
}

fn failure(cause: impl Into<String>, remedy: &str, evidence: Vec<String>, blame: Blame, now: Timestamp) -> Failure {
    Failure { cause: cause.into(), remedy: remedy.to_owned(), evidence, blame, at: now }
}

fn failed(slot: &Slot, failure: Failure) -> Verdict {
    let reason = failure.cause.clone();
    next(slot, SlotPhase::Failed { failure }, reason)
}

fn drifted(slot: &Slot, seen: String, now: Timestamp) -> Verdict {
    let reason = format!("somebody else changed it: {seen}; it is left alone");
    next(slot, SlotPhase::Drifted { seen, at: now }, reason)
}

/// Deploy has not answered: wait, or ask again when its answer is overdue.
fn unanswered(slot: &Slot, now: Timestamp) -> Verdict {
    let overdue = slot.asked.at + ANSWER;
    if now < overdue {
        return wait(slot, "deploy to answer", Some(overdue));
    }
    Verdict::Quietly(Box::new(slot.nudged(now)))
}

/// ECS asked for patience: wait, then ask again.
fn throttled(slot: &Slot, until: Timestamp, now: Timestamp) -> Verdict {
    if now < until {
        return wait(slot, "AWS throttles; it is asked again", Some(until));
    }
    let mut again = slot.becomes(slot.phase.clone()).asks(slot.asked.action, now);
    again.puzzled = slot.puzzled;
    Verdict::Quietly(Box::new(again))
}

// ---- one phase after the other ----

/// A target whose wave is still closed must stay on its baseline.
fn queued(slot: &Slot, seen: Option<&Seen>, now: Timestamp) -> Verdict {
    match seen {
        Some(Seen::Missing) => drifted(slot, "the service is gone".to_owned(), now),
        Some(Seen::Service(sighting)) => match primary(slot, sighting) {
            Primary::Ours(d) | Primary::Other(d) => {
                drifted(slot, format!("it runs {} ({})", d.revision, d.id), now)
            }
            Primary::Baseline(_) | Primary::None => Verdict::Rest,
        },
        None => Verdict::Rest,
    }
}

fn applying(scene: &Scene, slot: &Slot, now: Timestamp) -> Verdict {
    let Some(answer) = slot.answer() else { return unanswered(slot, now) };
    match answer {
        Outcome::Accepted { at, .. } | Outcome::Already { at } => {
            let patience = scene.config.patience(&slot.target, slot.baseline.native_minutes);
            let phase = SlotPhase::Settling { since: *at, deadline: *at + patience };
            let revision = slot.ours().unwrap_or("our revision");
            next(slot, phase, format!("ECS accepted {revision}"))
        }
        Outcome::Refused { why, .. } => {
            let remedy = "Mend what AWS names; the next push, or `tidegate start`, tries again.";
            failed(slot, failure(why.clone(), remedy, Vec::new(), Blame::Other, now))
        }
        Outcome::Throttled { until } => throttled(slot, *until, now),
        Outcome::Drifted { seen, .. } => drifted(slot, seen.clone(), now),
    }
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
        Some(d) if slot.is_baseline(&d.revision) => Primary::Baseline(d),
        Some(d) => Primary::Other(d),
    }
}

fn settling(
    scene: &Scene,
    slot: &Slot,
    seen: Option<&Seen>,
    since: Timestamp,
    deadline: Timestamp,
    now: Timestamp,
) -> Verdict {
    let verdict = match seen {
        None => wait(slot, "ECS to bring it up", Some(deadline)),
        Some(Seen::Missing) => drifted(slot, "the service is gone".to_owned(), now),
        Some(Seen::Service(sighting)) => look(scene, slot, sighting, since, deadline, now),
    };
    match verdict {
        Verdict::Wait(on) if now >= deadline => {
            let cause = format!("not stable in time: still waiting for {}", on.what);
            let remedy = "`tidegate show` has what ECS said; `timeout` in the config gives it longer.";
            failed(slot, failure(cause, remedy, Vec::new(), Blame::Silence, now))
        }
        other => other,
    }
}

fn look(
    scene: &Scene,
    slot: &Slot,
    sighting: &Sighting,
    since: Timestamp,
    deadline: Timestamp,
    now: Timestamp,
) -> Verdict {
    match primary(slot, sighting) {
        Primary::Ours(deployment) => ours(scene, slot, sighting, deployment, deadline, now),
        Primary::Baseline(deployment) => gone(slot, sighting, deployment, since, now),
        Primary::Other(deployment) => {
            drifted(slot, format!("it runs {} ({})", deployment.revision, deployment.id), now)
        }
        Primary::None => wait(slot, "ECS to show a deployment", Some(deadline)),
    }
}

/// The baseline is primary although ours was accepted: lag at first, then somebody's rollback.
fn gone(
    slot: &Slot,
    sighting: &Sighting,
    baseline: &Deployment,
    since: Timestamp,
    now: Timestamp,
) -> Verdict {
    let was_there = sighting.deployments.iter().find(|d| slot.ours() == Some(d.revision.as_str()));
    let early = now < since + LANDING;
    if was_there.is_none() && (early || slot.puzzled == 0) {
        if early {
            return wait(slot, "ECS to show the new deployment", Some(since + LANDING));
        }
        let mut puzzled = slot.becomes(slot.phase.clone());
        puzzled.puzzled = 1;
        return Verdict::Quietly(Box::new(puzzled));
    }
    let words = was_there.map_or(&baseline.reason, |d| &d.reason);
    let by_ecs = words.contains("circuit breaker") || words.contains("alarm");
    let cause = if by_ecs || was_there.is_some_and(|d| d.rollout == Some(RolloutState::Failed)) {
        "ECS rolled it back by itself"
    } else {
        "somebody put it back on its old revision"
    };
    let evidence = vec![format!("primary is {} ({}): {words}", baseline.revision, baseline.id)];
    let blame = if by_ecs { Blame::Image } else { Blame::Other };
    failed(slot, failure(cause, "`tidegate show` has the tasks' stop reasons.", evidence, blame, now))
}

fn ours(
    scene: &Scene,
    slot: &Slot,
    sighting: &Sighting,
    deployment: &Deployment,
    deadline: Timestamp,
    now: Timestamp,
) -> Verdict {
    if let Some(verdict) = fallen(scene, slot, sighting, deployment, now) {
        return verdict;
    }
    if let Some(what) = reason_to_wait(sighting, deployment) {
        return wait(slot, what, Some(deadline));
    }
    let unproven = sighting.desired == 0;
    let reason = if unproven {
        "ECS completed it, with no task that could prove it (desired count 0)".to_owned()
    } else {
        format!("runs ours: {} of {} tasks, completed", deployment.running, sighting.desired)
    };
    let mut settled = slot.becomes(SlotPhase::Healthy { at: now, unproven });
    settled.live = slot.wanted.iter().map(|p| (p.container.clone(), p.digest.clone())).collect();
    Verdict::Next(Box::new(settled), reason)
}

/// Why a deployment of ours is not there yet.
fn reason_to_wait(sighting: &Sighting, deployment: &Deployment) -> Option<String> {
    let complete = match sighting.strategy {
        Strategy::Rolling => deployment.rollout == Some(RolloutState::Completed),
        Strategy::Native => sighting
            .service_deployment
            .as_ref()
            .is_some_and(|d| d.status == ServiceDeploymentStatus::Successful),
    };
    if !complete {
        let stage = sighting.service_deployment.as_ref().and_then(|d| d.stage.as_deref());
        let stage = stage.map_or(String::new(), |stage| format!(", stage {stage}"));
        return Some(format!(
            "ECS to complete it ({} of {} tasks run{stage})",
            deployment.running, deployment.desired
        ));
    }
    if sighting.running < sighting.desired {
        return Some(format!("{} of {} tasks to run", sighting.running, sighting.desired));
    }
    (!sighting.unhealthy.is_empty())
        .then(|| format!("target health: {}", sighting.unhealthy.join("; ")))
}

/// Whether a deployment of ours has failed: by its tasks, or by ECS's own verdict.
fn fallen(
    scene: &Scene,
    slot: &Slot,
    sighting: &Sighting,
    deployment: &Deployment,
    now: Timestamp,
) -> Option<Verdict> {
    let mut noted = slot.clone();
    for task in &sighting.failures {
        blame::note(&mut noted, task);
    }
    let by_tasks = blame::verdict(&noted, scene.config.watch.failed_tasks, sighting.desired, now);
    if let Some(failure) = by_tasks {
        return Some(failed(&noted, failure));
    }
    if noted.tasks.len() > slot.tasks.len() {
        let mut noted = noted.becomes(slot.phase.clone());
        noted.puzzled = slot.puzzled;
        return Some(Verdict::Next(Box::new(noted), "a task stopped".to_owned()));
    }
    use ServiceDeploymentStatus as S;
    let native = sighting.service_deployment.as_ref().filter(|d| match d.status {
        S::StopRequested
        | S::Stopped
        | S::RollbackRequested
        | S::RollbackInProgress
        | S::RollbackSuccessful
        | S::RollbackFailed => true,
        S::Pending | S::InProgress | S::Successful => false,
    });
    let words = match native {
        Some(native) if sighting.strategy == Strategy::Native => &native.reason,
        _ if deployment.rollout == Some(RolloutState::Failed) => &deployment.reason,
        _ => return None,
    };
    let cause = "ECS gave the deployment up";
    let remedy = "`tidegate show` has the tasks' stop reasons.";
    Some(failed(slot, failure(cause, remedy, vec![words.clone()], Blame::Image, now)))
}

/// Healthy is asked again until the release is live: a crash in the bake counts.
fn healthy(scene: &Scene, slot: &Slot, seen: Option<&Seen>, now: Timestamp) -> Verdict {
    match seen {
        None => Verdict::Rest,
        Some(Seen::Missing) => drifted(slot, "the service is gone".to_owned(), now),
        Some(Seen::Service(sighting)) => match primary(slot, sighting) {
            Primary::Ours(deployment) => {
                fallen(scene, slot, sighting, deployment, now).unwrap_or(Verdict::Rest)
            }
            Primary::Baseline(deployment) => gone(slot, sighting, deployment, Timestamp::MIN, now),
            Primary::Other(d) => drifted(slot, format!("it runs {} ({})", d.revision, d.id), now),
            Primary::None => Verdict::Rest,
        },
    }
}

fn returning(slot: &Slot, seen: Option<&Seen>, deadline: Timestamp, now: Timestamp) -> Verdict {
    let verdict = match slot.answer() {
        None => unanswered(slot, now),
        Some(Outcome::Refused { why, .. }) => {
            let remedy = "Mend what AWS names, then `tidegate rollback` again.";
            return return_failed(slot, why.clone(), remedy, now);
        }
        Some(Outcome::Throttled { until }) => throttled(slot, *until, now),
        Some(Outcome::Drifted { seen, .. }) => return drifted(slot, seen.clone(), now),
        Some(Outcome::Accepted { at, .. } | Outcome::Already { at }) => match seen {
            None => wait(slot, "ECS to bring the baseline back", Some(deadline)),
            Some(Seen::Missing) => {
                return return_failed(slot, "the service is gone".into(), "", now);
            }
            Some(Seen::Service(sighting)) => came_back(slot, sighting, *at, deadline, now),
        },
    };
    match verdict {
        Verdict::Wait(on) if now >= deadline => {
            let cause = format!("the rollback is not stable in time: still waiting for {}", on.what);
            let remedy = "Look at the service in ECS; then `tidegate rollback` again, or `tidegate accept`.";
            return_failed(slot, cause, remedy, now)
        }
        other => other,
    }
}

fn return_failed(slot: &Slot, cause: String, remedy: &str, now: Timestamp) -> Verdict {
    let reason = cause.clone();
    let failure = failure(cause, remedy, Vec::new(), Blame::Other, now);
    next(slot, SlotPhase::ReturnFailed { failure }, reason)
}

fn came_back(
    slot: &Slot,
    sighting: &Sighting,
    at: Timestamp,
    deadline: Timestamp,
    now: Timestamp,
) -> Verdict {
    match primary(slot, sighting) {
        Primary::Baseline(d) => {
            if d.rollout == Some(RolloutState::Failed) {
                let cause = format!("ECS gave the rollback up: {}", d.reason);
                return return_failed(slot, cause, "Look at the service in ECS.", now);
            }
            // Not worse than before: a baseline that was already failing counts as back.
            let enough = sighting.desired.min(slot.baseline.ran);
            let settled = sighting.settled() || (slot.baseline.ran == 0 && d.running >= enough);
            if !settled || sighting.running < enough {
                let what = format!("{} of {} tasks of the baseline to run", d.running, enough);
                return wait(slot, what, Some(deadline));
            }
            if let Some(lost) = slot.done.lost.filter(|lost| now < *lost + LANDING) {
                return wait(slot, "a call without answer that may still land", Some(lost + LANDING));
            }
            let mut back = slot.becomes(SlotPhase::Returned { at: now });
            back.live = slot
                .baseline
                .images
                .iter()
                .filter_map(|i| Some((i.container.clone(), i.digest.clone()?)))
                .collect();
            let reason = format!("runs its baseline {} again", d.revision);
            Verdict::Next(Box::new(back), reason)
        }
        Primary::Ours(d) if now < at + LANDING => {
            wait(slot, format!("ECS to leave {}", d.id), Some(at + LANDING))
        }
        Primary::Ours(d) if slot.repairs < MOST_REPAIRS => {
            let mut again = slot.becomes(slot.phase.clone()).asks(Action::RollBack, now);
            again.repairs += 1;
            let reason = format!("{} landed late or came back; asked again", d.id);
            Verdict::Next(Box::new(again), reason)
        }
        Primary::Ours(d) => {
            let cause = format!("our revision is back as {} after {MOST_REPAIRS} repairs", d.id);
            return_failed(slot, cause, "Look at who else deploys to this service.", now)
        }
        Primary::Other(d) => drifted(slot, format!("it runs {} ({})", d.revision, d.id), now),
        Primary::None => wait(slot, "ECS to show a deployment", Some(deadline)),
    }
}
