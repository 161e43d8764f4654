//! What a slot says about its target.

use super::asked_anew;
use crate::model::{Done, Outcome, Pin, Slot, SlotPhase, TargetId, TargetKind};
use crate::stage::{Stage, arn, at, digest};

const TASK: &str = "arn:aws:ecs:us-west-2:123456789012:task/cluster/0123";

/// A target that deploy has taken up.
fn applying() -> Slot {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.survey();
    let slot = stage.slot("Rag");
    slot.claim("deploy", stage.now).unwrap().over(slot)
}

fn as_task(slot: Slot) -> Slot {
    let target = TargetId { kind: TargetKind::Task, ..slot.target.clone() };
    Slot { target, ..slot }
}

fn accepted(slot: &Slot) -> Slot {
    let outcome = Some(Outcome::Accepted { deployment: Some(TASK.to_owned()), at: at(5) });
    Slot { done: Done { outcome, ..slot.done.clone() }, ..slot.clone() }
}

#[test]
fn a_one_off_task_ran_when_aws_took_its_call_or_nobody_saw_the_answer() {
    let task = as_task(applying());
    assert!(!task.ran());
    assert!(accepted(&task).ran());
    let lost = Done { lost: Some(at(5)), ..task.done.clone() };
    assert!(Slot { done: lost, ..task.clone() }.ran());
    assert!(!accepted(&applying()).ran(), "a service runs on");
}

#[test]
fn what_a_request_made_is_known_while_it_is_the_one_that_is_asked() {
    let slot = accepted(&applying());
    assert_eq!(slot.made(), Some(TASK));
    assert_eq!(asked_anew(&slot).made(), None);
    let outcome = Some(Outcome::Refused { why: "AccessDenied".to_owned(), at: at(5) });
    assert_eq!(Slot { done: Done { outcome, ..slot.done.clone() }, ..slot }.made(), None);
}

#[test]
fn a_container_is_pinned_to_its_repository_and_bytes() {
    let slot = applying();
    let reference = format!("123456789012.dkr.ecr.us-west-2.amazonaws.com/app@{}", digest("b1"));
    assert_eq!(slot.wanted[0].reference(), reference);
}

#[test]
fn what_runs_is_pinned_to_its_bytes_where_they_are_known() {
    let mut runs = applying().baseline.images.remove(0);
    let pin = Pin::of_running(&runs).unwrap();
    assert_eq!((pin.container.as_str(), &pin.digest), ("main", &digest("01d")));
    assert_eq!(pin.reference(), format!("repository@{}", digest("01d")));
    assert!(pin.accepts.contains(&pin.digest));
    runs.digest = None;
    assert_eq!(Pin::of_running(&runs), None);
}

#[test]
fn the_way_back_is_the_baseline_or_the_copy_that_was_made_of_it() {
    let mut slot = applying();
    slot.baseline.revision = arn("Rag", 5);
    assert_eq!(slot.way_back(), arn("Rag", 5));
    for (revision, is) in [(1, true), (5, true), (6, false)] {
        assert_eq!(slot.is_baseline(&arn("Rag", revision)), is, "{revision}");
    }
    slot.done.copy = Some(arn("Rag", 6));
    assert_eq!(slot.way_back(), arn("Rag", 6));
    for (revision, is) in [(1, true), (5, true), (6, true), (7, false)] {
        assert_eq!(slot.is_baseline(&arn("Rag", revision)), is, "{revision}");
    }
}

#[test]
fn a_target_was_touched_once_deploy_was_asked_to_change_it() {
    let slot = applying();
    assert!(slot.phase.was_touched());
    for phase in [SlotPhase::Queued, SlotPhase::Unaffected, SlotPhase::Untouched] {
        assert!(!phase.was_touched(), "{phase:?}");
    }
    assert!(SlotPhase::Left.was_touched(), "nobody knows what became of it");
}
