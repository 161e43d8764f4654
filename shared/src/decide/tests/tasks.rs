//! Which stopped tasks fail a release, and whether the image is to blame.

use crate::model::{SlotPhase, TaskFailure};
use crate::stage::{Stage, digest};

type How = fn(&mut TaskFailure);

fn stop(code: &str, reason: &str) -> impl Fn(&mut TaskFailure) {
    move |task| {
        (task.stop_code, task.reason) = (code.to_owned(), reason.to_owned());
        task.exit_code = None;
    }
}

fn pull_failure(task: &mut TaskFailure) {
    stop("TaskFailedToStart", "CannotPullContainerError: manifest unknown")(task);
    task.ran_seconds = None;
}

fn access_denied(task: &mut TaskFailure) {
    stop("TaskFailedToStart", "CannotPullContainerError: AccessDeniedException")(task);
    task.ran_seconds = None;
}

fn no_secret(task: &mut TaskFailure) {
    let reason = "ResourceInitializationError: unable to pull secrets: AccessDenied";
    stop("TaskFailedToStart", reason)(task);
    task.ran_seconds = None;
}

fn spot(task: &mut TaskFailure) {
    stop("SpotInterruption", "Your Spot Task was interrupted.")(task);
}

fn placement(task: &mut TaskFailure) {
    stop("TaskFailedToStart", "Capacity is unavailable at this time")(task);
}

fn by_a_person(task: &mut TaskFailure) {
    stop("UserInitiated", "Task stopped by user")(task);
}

fn throttled(task: &mut TaskFailure) {
    stop("TaskFailedToStart", "CannotPullContainerError: toomanyrequests: Rate exceeded")(task);
}

fn health_check(task: &mut TaskFailure) {
    stop("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group tg)")(task);
}

fn crash(_: &mut TaskFailure) {}

fn late_crash(task: &mut TaskFailure) {
    task.ran_seconds = Some(61);
}

fn exit_zero(task: &mut TaskFailure) {
    task.exit_code = Some(0);
}

/// A service of so many tasks in mid-rollout.
fn settling(desired: u32) -> Stage {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.services.get_mut("Rag").unwrap().desired = desired;
    stage.push("b1");
    stage.work();
    stage.pass(10);
    assert_eq!(stage.slot("Rag").phase.name(), "settling");
    stage
}

/// How many such tasks it takes; `None` where three are not enough.
fn needed(desired: u32, how: How) -> Option<usize> {
    let mut stage = settling(desired);
    (1..=3).find(|_| {
        stage.task_stops("Rag", how);
        stage.phase(2) == "rolling_back"
    })
}

#[test]
fn the_reason_says_how_many_tasks_it_takes() {
    let table: &[(&str, How, u32, Option<usize>)] = &[
        ("a pull failure of many tasks", pull_failure, 5, Some(1)),
        ("a pull failure for want of permission", access_denied, 5, Some(1)),
        ("an exit code of many tasks", crash, 5, Some(2)),
        ("an exit code of the only task, at its start", crash, 1, Some(1)),
        ("an exit code of the only task, later", late_crash, 1, Some(2)),
        ("an exit code where nothing is desired", crash, 0, Some(1)),
        ("a missing secret of the only task", no_secret, 1, Some(1)),
        ("a missing secret of many tasks", no_secret, 2, Some(2)),
        ("a failing health check of the only task", health_check, 1, Some(2)),
        ("exit code 0 of the only task", exit_zero, 1, Some(2)),
        ("spot interruptions", spot, 1, None),
        ("no place to run", placement, 1, None),
        ("a person's stop", by_a_person, 1, None),
        ("throttled pulls", throttled, 1, None),
    ];
    for (what, how, desired, expected) in table {
        assert_eq!(needed(*desired, *how), *expected, "{what}");
    }
}

#[test]
fn only_the_images_failures_block_it() {
    let table: &[(&str, How, bool)] = &[
        ("a crash", crash, true),
        ("a missing manifest", pull_failure, true),
        ("no permission to pull", access_denied, false),
        ("a secret that may not be read", no_secret, false),
        ("a failing health check", health_check, true),
    ];
    for (what, how, blocked) in table {
        let mut stage = settling(2);
        stage.task_stops("Rag", how);
        stage.task_stops("Rag", how);
        assert_eq!(stage.phase(2), "rolling_back", "{what}");
        assert_eq!(stage.table.blocks.contains_key(&digest("b1")), *blocked, "{what}");
    }
}

#[test]
fn of_several_tasks_the_one_that_names_the_image_is_the_verdict() {
    let cause = "Rag: container `main` exited with code 1 after 2 s";
    for order in [[crash as How, no_secret], [no_secret, crash]] {
        let mut stage = settling(2);
        for how in order {
            stage.task_stops("Rag", how);
        }
        assert_eq!(stage.cause(2), cause);
        assert!(stage.table.blocks.contains_key(&digest("b1")));
    }
}

#[test]
fn one_stray_crash_does_not_fail_a_release() {
    let mut stage = settling(2);
    stage.task_stops("Rag", crash);
    stage.play();
    assert_eq!(stage.phase(2), "live");
    assert_eq!(stage.slot("Rag").tasks.len(), 1, "it is written down");
}

#[test]
fn the_same_task_told_twice_is_one_task() {
    let mut stage = settling(2);
    for _ in 0..3 {
        stage.task_stops("Rag", |task| task.task = "the one".to_owned());
    }
    assert_eq!(stage.phase(2), "rolling");
    assert_eq!(stage.slot("Rag").tasks.len(), 1);
    let told = stage.table.journal.iter().filter(|entry| entry.reason.starts_with("a task"));
    assert_eq!(told.count(), 1);
}

#[test]
fn a_task_of_another_revision_says_nothing() {
    let stage = settling(1);
    let (scene, task) = (stage.table.scene(), crate::stage::crash(1, stage.now));
    let slot = stage.slot("Rag");
    let before = &slot.baseline.revision;
    assert_eq!(crate::decide::note_task(&scene, slot, before, &task, stage.now), None);
    let ours = slot.ours().unwrap();
    assert!(crate::decide::note_task(&scene, slot, ours, &task, stage.now).is_some());
}

#[test]
fn a_task_of_a_release_that_has_ended_says_nothing() {
    let mut stage = settling(1);
    stage.play();
    assert_eq!(stage.phase(2), "live");
    stage.push("b2");
    assert_eq!(stage.phase(3), "surveying", "it has not taken the slot yet");
    stage.task_stops("Rag", pull_failure);
    assert_eq!(stage.slot("Rag").phase.name(), "healthy");
}

#[test]
fn a_task_of_ours_that_stops_on_the_way_back_says_nothing() {
    let mut stage = settling(1);
    stage.task_stops("Rag", crash);
    stage.work();
    assert_eq!(stage.slot("Rag").phase.name(), "returning");
    let (scene, slot) = (stage.table.scene(), stage.slot("Rag"));
    let task = crate::stage::crash(9, stage.now);
    let ours = slot.ours().unwrap();
    assert_eq!(crate::decide::note_task(&scene, slot, ours, &task, stage.now), None);
}

#[test]
fn a_crash_loop_neither_grows_the_slot_nor_goes_on_for_ever() {
    let mut stage = settling(2);
    stage.config_mut().watch.failed_tasks = 1000;
    for _ in 0..40 {
        stage.task_stops("Rag", crash);
    }
    assert_eq!(stage.slot("Rag").tasks.len(), crate::model::Slot::MOST_TASKS);
    assert_eq!(stage.phase(2), "rolling_back");
    let said: Vec<_> = stage.table.journal.iter().map(|entry| entry.reason.as_str()).collect();
    assert!(said.contains(&"a task stopped; 20 are needed to fail the release"), "{said:?}");
    assert!(!said.iter().any(|reason| reason.contains("1000 are")), "{said:?}");
}

#[test]
fn tasks_found_by_a_look_count_like_those_of_events() {
    let mut stage = settling(2);
    let tasks = [1, 2].map(|number| crate::stage::crash(number, stage.now));
    stage.look_and_see("Rag", |sighting| sighting.failures = vec![tasks[0].clone()]);
    assert_eq!(stage.slot("Rag").phase.name(), "settling");
    assert_eq!(stage.slot("Rag").tasks.len(), 1);
    let said = &stage.table.journal.last().unwrap().reason;
    assert_eq!(said, "a task stopped; 2 are needed to fail the release");
    stage.look_and_see("Rag", |sighting| sighting.failures = tasks.to_vec());
    let SlotPhase::Returning { .. } = stage.slot("Rag").phase else { panic!() };
    let evidence = &stage.release(2).failure.as_ref().unwrap().evidence;
    assert_eq!(evidence.len(), 2, "{evidence:?}");
}

#[test]
fn autoscaling_to_one_task_does_not_make_a_stray_crash_a_verdict() {
    let mut stage = settling(5);
    stage.task_stops("Rag", crash);
    stage.look_and_see("Rag", |sighting| sighting.desired = 1);
    assert_eq!(stage.phase(2), "rolling");
}
