//! What is not an ECS service: schedules, whose runs are all that proves them, and Lightsail.

use crate::decide::{Seen, Sightings, decide, note_run, note_task};
use crate::model::{
    Blame, Change, Failure, NoticeKind, Plan, Retired, Scene, Slot, SlotPhase, TargetId,
    TargetKind, TaskFailure,
};
use crate::sighting::{RolloutState, Sighting};
use crate::stage::{Stage, crash, target};

use TargetKind::{Lightsail, Rule, Schedule, Service};

pub(super) fn rag(kind: TargetKind) -> TargetId {
    TargetId { kind, ..target("Rag") }
}

/// The scene as it would be if its target were of this kind.
pub(super) fn scene(stage: &Stage, kind: TargetKind) -> Scene {
    let mut scene = stage.table.scene();
    if let Some(moving) = &mut scene.moving {
        moving.waves = vec![vec![rag(kind)]];
    }
    scene.slots = [(rag(kind), slot(stage, kind))].into();
    scene
}

fn slot(stage: &Stage, kind: TargetKind) -> Slot {
    Slot { target: rag(kind), ..stage.slot("Rag").clone() }
}

/// What follows from one look.
fn looked(stage: &Stage, kind: TargetKind, otherwise: impl FnOnce(&mut Sighting)) -> Plan {
    let mut sighting = stage.services["Rag"].sighting(stage.now);
    otherwise(&mut sighting);
    let seen = Sightings::from([(rag(kind), Seen::Service(Box::new(sighting)))]);
    decide(&scene(stage, kind), &seen, stage.now)
}

/// What one look makes of it, and why.
fn judged(
    stage: &Stage,
    kind: TargetKind,
    otherwise: impl FnOnce(&mut Sighting),
) -> (SlotPhase, String) {
    let plan = looked(stage, kind, otherwise);
    let change = plan.changes.into_iter().next().unwrap();
    (change.slots[0].1.phase.clone(), change.journal[0].reason.clone())
}

fn failure((phase, _): (SlotPhase, String)) -> Failure {
    let SlotPhase::Failed { failure } = phase else { panic!("{phase:?}") };
    failure
}

fn settling() -> Stage {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.work();
    stage.pass(30);
    assert_eq!(stage.slot("Rag").phase.name(), "settling");
    stage
}

#[test]
fn the_audit_trail_says_what_makes_it_healthy() {
    let stage = settling();
    let says = |kind, desired: u32| judged(&stage, kind, |seen| seen.desired = desired).1;
    assert_eq!(says(Service, 1), "runs ours: 1 of 1 tasks, completed");
    let unproven = "ECS completed it, with no task that could prove it (desired count 0)";
    assert_eq!(says(Service, 0), unproven);
    assert_eq!(says(Schedule, 0), "names ours; its next run has to prove it");
    assert_eq!(says(Rule, 0), "names ours; its next run has to prove it");
    assert_eq!(says(Lightsail, 1), "runs ours: its deployment is active");
}

#[test]
fn what_lightsail_gives_up_is_the_images_fault_and_its_log_has_the_last_words() {
    let stage = settling();
    let remedy = "`aws lightsail get-container-log --service-name Rag --container-name main` has \
                  its last words";
    let given_up = |seen: &mut Sighting| {
        seen.deployments[0].rollout = Some(RolloutState::Failed);
        seen.deployments[0].reason = "it did not answer its health check".to_owned();
    };
    let failed = failure(judged(&stage, Lightsail, given_up));
    assert_eq!(failed.cause, "Lightsail gave the deployment up");
    assert_eq!(failed.remedy, remedy);
    // The deployment before it never stopped.
    let before = stage.slot("Rag").baseline.running.clone();
    let failed = failure(judged(&stage, Lightsail, |seen| {
        given_up(seen);
        let mut old = seen.deployments[0].clone();
        (old.revision, old.rollout) = (before, Some(RolloutState::Completed));
        seen.deployments[0].primary = false;
        seen.deployments.insert(0, old);
    }));
    let cause = "Lightsail gave the deployment up and keeps the one before it";
    assert_eq!((failed.cause.as_str(), failed.blame), (cause, Blame::Image));
    assert_eq!(failed.remedy, remedy);
}

#[test]
fn what_lightsail_gave_up_before_says_nothing_of_the_same_images_once_more() {
    let stage = settling();
    let before = stage.slot("Rag").baseline.running.clone();
    let plan = looked(&stage, Lightsail, |seen| {
        let mut active = seen.deployments[0].clone();
        (active.revision, active.rollout) = (before, Some(RolloutState::Completed));
        let failed = &mut seen.deployments[0];
        (failed.primary, failed.rollout) = (false, Some(RolloutState::Failed));
        failed.created_at = crate::stage::at(-60);
        seen.deployments.insert(0, active);
    });
    assert!(plan.changes.is_empty(), "{plan:?}");
    assert_eq!(plan.waiting_on[1].what, "Lightsail to show the new deployment");
}

#[test]
fn what_lightsail_did_not_give_up_was_put_back_by_somebody() {
    let stage = settling();
    let before = stage.slot("Rag").baseline.running.clone();
    let failed = failure(judged(&stage, Lightsail, |seen| {
        let mut old = seen.deployments[0].clone();
        // A container service's deployment keeps its age when it is active again.
        (old.revision, old.created_at) = (before, crate::stage::at(0));
        seen.deployments[0].primary = false;
        seen.deployments.insert(0, old);
    }));
    let cause = "somebody put it back on its old revision";
    assert_eq!((failed.cause.as_str(), failed.blame), (cause, Blame::Other));
}

/// A schedule of the release names ours; nothing of it ran yet.
fn unproven() -> Stage {
    let mut stage = settling();
    stage.look();
    assert_eq!(stage.phase(2), "baking");
    let at = stage.now;
    stage.slot_mut("Rag").phase = SlotPhase::Healthy { at, unproven: true };
    stage
}

fn run(stage: &Stage, kind: TargetKind, how: impl FnOnce(&mut TaskFailure)) -> Option<Change> {
    let mut run = crash(7, stage.now);
    how(&mut run);
    let slot = slot(stage, kind);
    note_run(&scene(stage, kind), &slot, slot.ours().unwrap(), &run, stage.now)
}

fn after(change: Option<&Change>) -> Option<&SlotPhase> {
    change.map(|change| &change.slots[0].1.phase)
}

#[test]
fn the_first_run_that_ends_well_proves_a_schedule() {
    let mut stage = unproven();
    let ends_well = |run: &mut TaskFailure| run.exit_code = Some(0);
    let proven = run(&stage, Schedule, ends_well).unwrap();
    let SlotPhase::Healthy { at, unproven: true } = stage.slot("Rag").phase else { panic!() };
    let healthy = SlotPhase::Healthy { at, unproven: false };
    assert_eq!(after(Some(&proven)), Some(&healthy));
    assert_eq!(proven.journal[0].reason, "a run of it ended with code 0: task0007");
    let stopped = run(&stage, Schedule, |run| {
        ends_well(run);
        run.stop_code = "UserInitiated".to_owned();
    });
    assert_eq!(stopped, None, "it was stopped, and took that well");
    assert_eq!(run(&stage, Service, ends_well), None, "a service's tasks are no runs");
    let scene = scene(&stage, Schedule);
    let (slot, task) =
        (slot(&stage, Schedule), TaskFailure { exit_code: Some(0), ..crash(7, stage.now) });
    let before = &slot.baseline.revision;
    assert_eq!(note_run(&scene, &slot, before, &task, stage.now), None, "not a run of ours");
    stage.slot_mut("Rag").phase = healthy;
    assert_eq!(run(&stage, Schedule, ends_well), None, "the second one is no news");
}

#[test]
fn one_run_that_fails_fails_a_release_that_moves() {
    let mut stage = unproven();
    stage.slot_mut("Rag").baseline.desired = 5;
    for kind in [Schedule, Rule] {
        let failed = run(&stage, kind, |run| run.ran_seconds = Some(3600));
        assert_eq!(after(failed.as_ref()).map(SlotPhase::name), Some("failed"), "{kind:?}");
    }
    assert_eq!(run(&stage, Service, |_| {}), None);
    let slot = slot(&stage, Schedule);
    let ended_well = TaskFailure { exit_code: Some(0), ..crash(7, stage.now) };
    let scene = scene(&stage, Schedule);
    let noted = note_task(&scene, &slot, slot.ours().unwrap(), &ended_well, stage.now);
    assert_eq!(noted, None, "a run that ends with code 0 has not failed");
}

#[test]
fn a_run_without_an_exit_code_says_nothing_unless_it_never_ran() {
    let stage = unproven();
    let without_code = |code: &str, reason: &str| {
        let change = run(&stage, Schedule, |run| {
            (run.stop_code, run.reason) = (code.to_owned(), reason.to_owned());
            run.exit_code = None;
        });
        after(change.as_ref()).map(SlotPhase::name)
    };
    let ended = "EssentialContainerExited";
    assert_eq!(without_code(ended, "Essential container in task exited"), None);
    let no_bytes = "CannotPullContainerError: manifest unknown";
    assert_eq!(without_code(ended, no_bytes), Some("failed"));
    assert_eq!(without_code("TaskFailedToStart", no_bytes), Some("failed"));
    let no_secret = "ResourceInitializationError: unable to pull secrets: AccessDenied";
    assert_eq!(without_code("TaskFailedToStart", no_secret), Some("failed"));
}

#[test]
fn people_are_told_of_the_first_run_that_fails_after_the_release_is_live() {
    let mut stage = settling();
    stage.play();
    assert_eq!(stage.phase(2), "live");
    let first = run(&stage, Schedule, |_| {}).unwrap();
    let (_, noted) = &first.slots[0];
    assert_eq!((noted.phase.name(), noted.tasks.len()), ("healthy", 1), "nothing goes back");
    let entry = &first.journal[0];
    let cause = "a run of it failed: container `main` exited with code 1 after 2 s";
    assert_eq!(entry.reason, cause);
    assert_eq!(entry.notice.as_ref().map(|notice| notice.kind), Some(NoticeKind::RunFailed));
    assert_eq!(entry.evidence.len(), 1);
    stage.slot_mut("Rag").tasks = noted.tasks.clone();
    assert_eq!(run(&stage, Schedule, |_| {}), None, "the same run told twice");
    let second = run(&stage, Schedule, |run| run.task = "another".to_owned()).unwrap();
    assert_eq!(second.slots[0].1.tasks.len(), 2);
    assert_eq!(second.journal[0].notice, None);
    let (by, why) = ("ada".to_owned(), "it moved".to_owned());
    stage.table.head.retired = Some(Retired { by, why, at: stage.now });
    let later = run(&stage, Schedule, |run| run.task = "a third".to_owned());
    assert_eq!(later, None, "of a retired pipeline nobody wants to hear");
}
