//! A one-off task: asked for once, and judged by how its container ended.

use std::time::Duration;

use jiff::Timestamp;

use super::{BLIND, LAG, LANDING, Verdict, failed, failure, forth, is_over, next, wait};
use crate::decide::Seen;
use crate::messages::explain;
use crate::model::{Blame, Failure, Scene, Slot, SlotPhase, TaskFailure};

/// ECS shows a stopped task for about an hour, and drops it at times before: half of that counts.
const SHOWN: Duration = Duration::from_mins(30);

pub(super) fn judge(scene: &Scene, slot: &Slot, seen: Option<&Seen>, now: Timestamp) -> Verdict {
    match &slot.phase {
        SlotPhase::Applying { .. } => forth::applying(scene, slot, now),
        SlotPhase::Settling { since, .. }
            if slot.made().is_none() && !matches!(seen, Some(Seen::Task(_))) =>
        {
            withdrawn(slot, seen, *since, now)
        }
        SlotPhase::Settling { deadline, .. } => running(slot, seen, *deadline, now),
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

/// Its call was withdrawn without an answer, and no look has found it yet: it never ran once it can no
/// longer arrive, unless ECS may have forgotten it by now.
fn withdrawn(slot: &Slot, seen: Option<&Seen>, since: Timestamp, now: Timestamp) -> Verdict {
    let arrives = since + LANDING + LAG;
    if now < arrives || seen.is_none() && now < arrives + BLIND {
        return wait(slot, "ECS to show the task, whose call was not answered", Some(arrives));
    }
    if seen.is_none() || slot.done.called.is_some_and(|called| called + SHOWN < since) {
        let cause = "whether it ran is not known: its call was never answered";
        let remedy = "Look at the cluster's tasks in ECS before anything is tried again";
        return failed(slot, failure(cause, remedy, Blame::Silence, now));
    }
    next(slot, SlotPhase::Untouched, "its call never arrived: ECS has no task of it")
}

fn running(slot: &Slot, seen: Option<&Seen>, deadline: Timestamp, now: Timestamp) -> Verdict {
    let verdict = match seen {
        Some(Seen::Task(task)) => match &task.ended {
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
