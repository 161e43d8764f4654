//! Deploy's own writes: who may make them, and what the slot holds afterwards.

use std::time::Duration;

use jiff::Timestamp;

use super::asked_anew;
use crate::model::{Action, Done, Intent, LEASE, Lease, Note, Outcome, Slot, Todo};
use crate::stage::{Stage, at};

const SECOND: Duration = Duration::from_secs(1);

/// A target that deploy is asked to change, and that nobody has taken up.
fn asked() -> Slot {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.survey();
    let slot = stage.slot("Rag").clone();
    assert_eq!((slot.todo, slot.asked.action), (Some(Todo::Deploy), Action::Apply));
    slot
}

/// The same, taken up by the invocation `one`.
fn claimed(now: Timestamp) -> Slot {
    written(&asked(), |slot| slot.claim("one", now).unwrap())
}

/// The slot after a write that was decided on it and came first.
fn written(slot: &Slot, note: impl FnOnce(&Slot) -> Note) -> Slot {
    let note = note(slot);
    assert!(note.holds(slot));
    note.over(slot)
}

fn answered(slot: &Slot, now: Timestamp) -> Done {
    let outcome = Some(Outcome::Already { at: now });
    Done { outcome, ..slot.done.clone() }
}

#[test]
fn a_target_is_anothers_until_its_lease_runs_out() {
    let slot = claimed(at(0));
    let until = at(0) + LEASE;
    assert_eq!(slot.lease, Some(Lease { owner: "one".to_owned(), until }));
    assert_eq!(slot.claim("two", at(1)), Err(until));
    assert_eq!(slot.claim("two", until - SECOND), Err(until));
    let taken = written(&slot, |slot| slot.claim("two", until).unwrap());
    assert_eq!(taken.lease, Some(Lease { owner: "two".to_owned(), until: until + LEASE }));
}

#[test]
fn whoever_holds_the_lease_may_take_up_what_is_asked_next() {
    let slot = asked_anew(&claimed(at(0)));
    let slot = written(&slot, |slot| slot.claim("one", at(2)).unwrap());
    assert_eq!(slot.done.generation, slot.asked.generation);
    assert_eq!(slot.lease.unwrap().until, at(2) + LEASE);
}

#[test]
fn deploy_is_asked_until_it_has_answered() {
    let slot = asked();
    assert!(slot.asks_deploy());
    let slot = claimed(at(0));
    assert_eq!(slot.todo, Some(Todo::Claimed), "its own writes do not wake it");
    assert!(slot.asks_deploy(), "whoever took it up may have died");
    let kept = written(&slot, |slot| slot.keep(answered(slot, at(1))));
    assert_eq!(kept.todo, Some(Todo::Claimed));
    assert!(!kept.asks_deploy());
    let finished = written(&slot, |slot| slot.finish(answered(slot, at(1))));
    assert_eq!((finished.todo, &finished.lease), (None, &None));
    assert!(!finished.asks_deploy());
    assert_eq!(finished.answer(), Some(&Outcome::Already { at: at(1) }));
}

#[test]
fn what_was_answered_before_is_no_answer_to_what_is_asked_anew() {
    let slot = claimed(at(0));
    let slot = written(&slot, |slot| slot.finish(answered(slot, at(1))));
    let again = written(&slot, |slot| slot.claim("two", at(2)).unwrap());
    assert!(again.answer().is_some(), "the same request keeps its answer");
    let slot = asked_anew(&slot);
    assert_eq!(slot.answer(), None);
    let slot = written(&slot, |slot| slot.claim("two", at(3)).unwrap());
    assert_eq!((slot.answer(), slot.done.generation), (None, slot.asked.generation));
    assert!(slot.asks_deploy());
}

#[test]
fn a_call_is_written_down_before_it_is_sent_and_renews_the_lease() {
    let mut slot = claimed(at(0));
    slot.done.revision = Some("api:8".to_owned());
    let call = "UpdateService api:8".to_owned();
    let slot = written(&slot, |slot| slot.intend(call.clone(), at(5)).unwrap());
    let done = &slot.done;
    assert_eq!(
        (&done.intent, done.called),
        (&Some(Intent { call, at: at(5), after: None }), Some(at(5)))
    );
    assert_eq!(slot.ours(), Some("api:8"), "and nothing else is forgotten");
    assert_eq!(slot.lease, Some(Lease { owner: "one".to_owned(), until: at(5) + LEASE }));
    assert_eq!(slot.todo, Some(Todo::Claimed));
    assert_eq!(asked().intend("UpdateService".to_owned(), at(5)), None, "without a lease no call");
}

#[test]
fn a_call_whose_answer_nobody_saw_is_remembered_as_the_newest_that_may_land() {
    let call =
        |slot: &Slot, now| written(slot, |slot| slot.intend("call".to_owned(), now).unwrap());
    let dies = |slot: &Slot, now| written(slot, |slot| slot.claim("next", now).unwrap());
    let slot = dies(&call(&claimed(at(0)), at(5)), at(60));
    assert_eq!((&slot.done.intent, slot.done.lost), (&None, Some(at(5))));
    let slot = dies(&call(&slot, at(65)), at(120));
    assert_eq!(slot.done.lost, Some(at(65)));
    let slot = dies(&slot, at(180));
    assert_eq!(slot.done.lost, Some(at(65)), "no call was sent in between");
}

#[test]
fn a_write_of_deploys_falls_when_the_slot_has_moved_on() {
    let slot = claimed(at(0));
    let (finish, keep) = (slot.finish(answered(&slot, at(1))), slot.keep(answered(&slot, at(1))));
    for note in [&finish, &keep] {
        assert!(note.holds(&slot));
        assert!(!note.holds(&note.clone().over(&slot)), "it is written once");
        let taken = slot.claim("two", at(60)).unwrap().over(&slot);
        assert!(!note.holds(&Slot { done: slot.done.clone(), ..taken.clone() }), "another's lease");
        assert!(!note.holds(&Slot { lease: slot.lease.clone(), ..taken }), "a later write");
        assert!(!note.holds(&Slot { lease: None, ..slot.clone() }), "no lease any more");
    }
    let newer = asked_anew(&slot);
    assert!(!finish.holds(&newer), "the answer is to what is asked no more");
    assert!(keep.holds(&newer), "a fact stays one");
}

#[test]
fn a_fact_does_not_take_up_what_is_asked_meanwhile() {
    let slot = claimed(at(0));
    assert!(slot.claim("one", at(1)).unwrap().takes_up());
    assert!(!slot.finish(answered(&slot, at(1))).takes_up());
    let keep = slot.keep(answered(&slot, at(1)));
    assert!(!keep.takes_up());
    let newer = asked_anew(&slot);
    let kept = keep.over(&newer);
    assert_eq!((kept.todo, &kept.lease), (Some(Todo::Deploy), &slot.lease));
    assert!(kept.asks_deploy());
    assert_eq!((kept.step, kept.asked), (newer.step, newer.asked), "the decider's part stays");
}
