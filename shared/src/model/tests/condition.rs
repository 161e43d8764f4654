//! When a decision on an item is written, and what it leaves to deploy.

use std::time::Duration;

use super::asked_anew;
use crate::model::{Done, ReleaseId, Slot};
use crate::stage::{Stage, at};

/// A target that deploy is asked to change.
fn asked() -> Slot {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.survey();
    stage.slot("Rag").clone()
}

/// The same once deploy has taken it up.
fn taken_up(slot: &Slot) -> Slot {
    slot.claim("deploy", at(9) + Duration::from_secs(60)).unwrap().over(slot)
}

/// What a later release writes over the slot: deploy's record begins anew.
fn of_the_next_release(slot: &Slot) -> Slot {
    let done = Done { step: slot.done.step + 1, ..Done::default() };
    let release = ReleaseId::new("p", 3);
    Slot { step: slot.step + 1, release, done, lease: None, ..slot.clone() }
}

#[test]
fn a_decision_falls_when_the_slot_or_deploys_record_in_it_has_moved() {
    let before = asked();
    let condition = asked_anew(&before).condition(Some(&before));
    let (step, done) = (before.step, before.done.step);
    assert!(condition.holds(Some(step), Some(done)));
    assert!(!condition.holds(Some(step + 1), Some(done)), "another decided first");
    assert!(!condition.holds(Some(step), Some(done + 1)), "deploy wrote first");
    assert!(!condition.holds(None, None), "it is gone");
}

#[test]
fn a_targets_first_slot_is_written_where_there_is_none() {
    let first = Slot { step: 1, ..asked() };
    assert!(first.takes(None));
    let condition = first.condition(None);
    assert!(condition.holds(None, None));
    assert!(!condition.holds(Some(1), Some(1)), "another release was faster");
    assert_eq!(first.clone().over(None, None), first);
}

#[test]
fn a_decision_leaves_deploy_its_record_and_its_lease() {
    let before = asked();
    let now = taken_up(&before);
    let next = Slot { step: before.step + 1, puzzled: 1, ..before.clone() };
    assert!(!next.takes(Some(&before)));
    let over = next.over(Some(&before), Some(&now));
    assert_eq!((over.step, over.puzzled), (before.step + 1, 1));
    assert_eq!((over.done, over.lease), (now.done, now.lease));
}

#[test]
fn what_takes_a_target_for_another_release_begins_deploys_record_anew() {
    let before = taken_up(&asked());
    let next = of_the_next_release(&before);
    assert!(next.takes(Some(&before)));
    assert_eq!(next.clone().over(Some(&before), Some(&before)), next);
}
