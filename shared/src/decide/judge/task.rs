//! A one-off task: asked for once, and judged by how its container ended.

use std::time::Duration;

use jiff::Timestamp;

use super::{LAG, LANDING, Verdict, failed, failure, forth, is_over, next, wait};
use crate::decide::Seen;
use crate::messages::explain;
use crate::model::{Blame, Failure, Scene, Slot, SlotPhase, TaskFailure};

/// ECS shows a stopped task for about an hour, and drops it at times before: half of that counts.
const SHOWN: Duration = Duration::from_mins(30);

/// So long after a call a look that shows no task of it proves that it never arrived: it may land late,
/// ECS shows it later still, and a look is as old as watch's invocation at most (60 s, template.yaml).
const ARRIVAL: Duration = LANDING.saturating_add(LAG).saturating_add(Duration::from_mins(1));

pub(super) fn judge(scene: &Scene, slot: &Slot, seen: Option<&Seen>, now: Timestamp) -> Verdict {
    match &slot.phase {
        SlotPhase::Applying { .. } => forth::applying(scene, slot, now),
        SlotPhase::Settling { deadline, .. } => running(slot, seen, *deadline, now),
        SlotPhase::Sought { until, .. } => sought(scene, slot, seen, *until, now),
        SlotPhase::Queued
        | SlotPhase::Unaffected
        | SlotPhase::Healthy { .. }
        | SlotPhase::Failed { .. }
        | SlotPhase::Returning { .. }
        | SlotPhase::Returned { .. }
        | SlotPhase::ReturnFailed { .. }
        | SlotPhase::Drifted { .. }
        | SlotPhase::Untouched
        | SlotPhase::Left => Verdict::Rest,
    }
}

/// What becomes of a task that is asked for when its release goes back: it is asked for no more, for sent
/// again it would run in a release that goes back. What AWS took runs on, and what may have arrived is
/// looked for.
pub(in crate::decide) fn withdrawn(scene: &Scene, slot: &Slot, now: Timestamp) -> SlotPhase {
    if slot.made().is_some() {
        taken(scene, slot, now)
    } else if slot.is_lost() {
        // Whoever withdraws it may have a clock that is behind.
        let sent = slot.done.called.map_or(now, |called| called.max(now));
        SlotPhase::Sought { since: now, until: sent + ARRIVAL }
    } else {
        SlotPhase::Untouched
    }
}

/// Its call was withdrawn without an answer: it runs where ECS shows it, and never ran where a look does
/// not find it once the call can no longer arrive, unless ECS may have forgotten it by then.
fn sought(
    scene: &Scene,
    slot: &Slot,
    seen: Option<&Seen>,
    until: Timestamp,
    now: Timestamp,
) -> Verdict {
    let forgotten = slot.done.called.is_some_and(|called| called + SHOWN < now);
    match seen {
        Some(Seen::Task { task, .. }) => match &task.ended {
            Some(end) => ended(slot, end, now),
            None => next(
                slot,
                taken(scene, slot, now),
                "ECS shows its task: a task that runs is not stopped",
            ),
        },
        _ if slot.made().is_some() => {
            next(slot, taken(scene, slot, now), "AWS took its call after all")
        }
        _ if !slot.is_lost() => next(slot, SlotPhase::Untouched, "AWS did not take its call"),
        Some(_) if now >= until && !forgotten => {
            next(slot, SlotPhase::Untouched, "its call never arrived: ECS has no task of it")
        }
        _ if is_over(until, seen, now) => {
            let cause = "whether it ran is not known: ECS shows no task of it, and its call was \
                         never answered";
            let remedy = "Look for it in the cluster and in its log before anything is tried again";
            failed(slot, failure(cause, remedy, Blame::Silence, now))
        }
        _ => wait(slot, "ECS to show its task, whose call was not answered", Some(until)),
    }
}

/// ECS has the task, whatever became of the request.
fn taken(scene: &Scene, slot: &Slot, now: Timestamp) -> SlotPhase {
    let deadline = now + scene.config.patience(&slot.target, slot.baseline.native_minutes);
    SlotPhase::Settling { since: now, deadline }
}

fn running(slot: &Slot, seen: Option<&Seen>, deadline: Timestamp, now: Timestamp) -> Verdict {
    let verdict = match seen {
        Some(Seen::Task { task, .. }) => match &task.ended {
            Some(end) => ended(slot, end, now),
            None => wait(slot, format!("it to end ({})", task.status), Some(deadline)),
        },
        // ECS shows a task some seconds after it took it.
        Some(Seen::Missing) => wait(slot, "ECS to show the task", Some(deadline)),
        None | Some(Seen::Service(_)) => wait(slot, "it to end", Some(deadline)),
    };
    verdict.or_when(is_over(deadline, seen, now), |what| {
        let cause = format!("it did not end in time: still waiting for {what}");
        let remedy = "Tidegate does not stop it: look at the task in ECS before anything is tried \
                      again; `timeout` in the config gives it longer";
        failed(slot, failure(cause, remedy, Blame::Silence, now))
    })
}

/// Exit code 0 of the named container and nothing else is well: a task that never started, a code
/// that is missing, and a sidecar's 0 are failures. The bytes are not blocked: what a migration
/// meets in the database is often mended there, and then the same bytes are right.
fn ended(slot: &Slot, end: &TaskFailure, now: Timestamp) -> Verdict {
    if end.exit_code == Some(0) {
        let took = end.ran_seconds.map_or(String::new(), |took| format!(" after {took} s"));
        let phase = SlotPhase::Healthy { at: now, unproven: false };
        return next(
            slot,
            phase,
            format!("container `{}` exited with code 0{took}", end.container),
        );
    }
    let why = explain(end);
    let failure = Failure {
        cause: why.cause,
        remedy: why.remedy,
        evidence: vec![end.to_string()],
        blame: Blame::Other,
        at: now,
    };
    failed(slot, failure)
}
