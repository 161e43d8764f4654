//! What is said of a failure, and which container is to be asked why.

use crate::model::{Blame, Failure, TaskFailure, fell};
use crate::stage::{at, crash};

#[test]
fn a_failure_is_told_with_its_evidence_and_what_mends_it() {
    let bare = Failure {
        cause: "it fell".to_owned(),
        remedy: String::new(),
        evidence: Vec::new(),
        blame: Blame::Image,
        at: at(0),
    };
    assert_eq!(bare.to_string(), "it fell");
    let evidence = vec!["exit 1".to_owned(), "exit 2".to_owned()];
    let whole = Failure { remedy: "Mend it".to_owned(), evidence, ..bare };
    assert_eq!(whole.to_string(), "it fell (exit 1; exit 2). Mend it");
}

#[test]
fn a_stopped_task_is_told_without_what_nobody_said() {
    let mut task = crash(1, at(0));
    let said = "task task0001: container main exited 1, EssentialContainerExited, \
                Essential container in task exited";
    assert_eq!(task.to_string(), said);
    (task.exit_code, task.stop_code, task.detail) = (None, String::new(), "OutOfMemory".to_owned());
    let said = "task task0001: no exit code, Essential container in task exited, OutOfMemory";
    assert_eq!(task.to_string(), said);
}

#[test]
fn a_stopped_tasks_texts_fit_into_the_table() {
    let mut task = crash(1, at(0));
    assert_eq!(task.clone().cut(), task);
    task.reason = format!("x{}", "é".repeat(600));
    assert_eq!(task.cut().reason, format!("x{}", "é".repeat(511)), "no letter is cut in two");
}

#[test]
fn what_falls_within_a_minute_or_never_ran_fell_at_its_start() {
    let fell = |ran_seconds| TaskFailure { ran_seconds, ..crash(1, at(0)) }.at_start();
    assert_eq!([None, Some(0), Some(60), Some(61)].map(fell), [true, true, true, false]);
}

#[test]
fn the_container_that_ended_a_task_is_the_one_that_fell_by_itself() {
    type Container = (Option<i64>, bool);
    let ended_by = |containers: &[Container]| {
        let fell = fell(containers, |(code, _)| *code, |(_, says_why)| *says_why)?;
        containers.iter().position(|container| std::ptr::eq(container, fell))
    };
    let table: &[(&str, &[Container], Option<usize>)] = &[
        (
            "beside those that ECS stops",
            &[(Some(143), true), (Some(137), true), (Some(1), false)],
            Some(2),
        ),
        ("one says why it never ran", &[(Some(143), false), (None, true)], Some(1)),
        ("who ended well needs no reason", &[(Some(0), true), (Some(137), true)], Some(1)),
        (
            "one ended well, and ECS stopped the other",
            &[(Some(143), false), (Some(0), false)],
            Some(1),
        ),
        ("any that ran", &[(None, false), (Some(143), false)], Some(1)),
        ("none ran", &[(None, false), (None, false)], None),
    ];
    for (what, containers, expected) in table {
        assert_eq!(ended_by(containers), *expected, "{what}");
    }
}
