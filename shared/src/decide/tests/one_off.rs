//! One-off tasks: well is exit code 0 of the named container, and nothing else.

use std::time::Duration;

use jiff::Timestamp;

use super::kinds::{rag, scene};
use super::looks::accepted;
use crate::decide::{Seen, Sightings, decide};
use crate::marks::token;
use crate::model::{Blame, SlotPhase, TargetKind, TaskFailure};
use crate::sighting::TaskSighting;
use crate::stage::{Stage, crash};

fn seen(stage: &Stage, status: &str, ended: Option<TaskFailure>) -> Seen {
    let token = token(&scene(stage, TargetKind::Task).slots[&rag(TargetKind::Task)]);
    Seen::Task { token, task: Box::new(TaskSighting { status: status.to_owned(), ended }) }
}

/// What a look makes of it: its next state and why, or what it waits for.
fn judged(
    stage: &Stage,
    seen: Option<Seen>,
    now: Timestamp,
) -> Result<(SlotPhase, String), String> {
    let seen: Sightings = seen.map(|seen| (rag(TargetKind::Task), seen)).into_iter().collect();
    let plan = decide(&scene(stage, TargetKind::Task), &seen, now);
    match plan.changes.into_iter().next() {
        Some(change) => Ok((change.slots[0].1.phase.clone(), change.journal[0].reason.clone())),
        None => Err(plan.waiting_on[1].what.clone()),
    }
}

#[test]
fn exit_code_0_and_nothing_else_is_well() {
    let stage = accepted();
    let ends = |exit_code: Option<i64>| {
        let end = TaskFailure { exit_code, ..crash(1, stage.now) };
        judged(&stage, Some(seen(&stage, "STOPPED", Some(end))), stage.now).unwrap()
    };
    let healthy = SlotPhase::Healthy { at: stage.now, unproven: false };
    let reason = "container `main` exited with code 0 after 2 s".to_owned();
    assert_eq!(ends(Some(0)), (healthy, reason));
    for (exit_code, cause) in [
        (Some(1), "container `main` exited with code 1 after 2 s"),
        (None, "container `main` stopped without an exit code after 2 s"),
    ] {
        let (SlotPhase::Failed { failure }, reason) = ends(exit_code) else { panic!("{cause}") };
        assert_eq!((failure.cause.as_str(), reason.as_str()), (cause, cause));
        assert_eq!(failure.blame, Blame::Other, "the same bytes may be right another time");
        assert_eq!(failure.evidence.len(), 1);
    }
}

#[test]
fn how_the_task_of_another_release_ended_says_nothing() {
    let stage = accepted();
    let end = TaskFailure { exit_code: Some(0), ..crash(1, stage.now) };
    let Seen::Task { task, .. } = seen(&stage, "STOPPED", Some(end)) else { panic!() };
    // Watch looked for release 1, was held up, and judges release 2.
    let of_another = Seen::Task { token: "of release 1".to_owned(), task };
    assert_eq!(judged(&stage, Some(of_another), stage.now), Err("it to end".to_owned()));
}

#[test]
fn a_task_that_goes_on_is_waited_for_until_its_time_is_up() {
    let stage = accepted();
    let SlotPhase::Settling { deadline, .. } = stage.slot("Rag").phase else { panic!() };
    let before = deadline - Duration::from_secs(1);
    for (seen, what) in [
        (Some(seen(&stage, "RUNNING", None)), "it to end (RUNNING)"),
        (Some(Seen::Missing), "ECS to show the task"),
        (None, "it to end"),
    ] {
        assert_eq!(judged(&stage, seen.clone(), before), Err(what.to_owned()));
        let blind = Duration::from_secs(if seen.is_none() { 300 } else { 0 });
        let Ok((SlotPhase::Failed { failure }, _)) = judged(&stage, seen, deadline + blind) else {
            panic!("{what}")
        };
        assert_eq!(failure.cause, format!("it did not end in time: still waiting for {what}"));
        assert_eq!(failure.blame, Blame::Silence);
    }
}

#[test]
fn a_task_that_has_ended_is_not_judged_again() {
    let mut stage = accepted();
    stage.tick();
    assert_eq!(stage.phase(2), "baking");
    let ended = seen(&stage, "STOPPED", Some(crash(1, stage.now)));
    let seen = Sightings::from([(rag(TargetKind::Task), ended)]);
    assert_eq!(decide(&scene(&stage, TargetKind::Task), &seen, stage.now).changes, []);
}
