//! What is checked: stories, each to all of its last states.

use std::fmt::Write as _;

use stateright::{Checker, HasDiscoveries, Model, Path};

use super::world::State;
use super::{EveryOrder, Guards, Happens, Limits, SHIPPED, Story};
use crate::config::OnFailure;
use crate::model::{Condition, Note, Slot};

/// A push, and a deployment that crashes or hangs.
const BAD: Limits = Limits {
    pushes: 1,
    bad: 1,
    breaker: 0,
    foreign: 0,
    faults: 0,
    crashes: 0,
    late: 0,
    lost: 0,
    again: 0,
    stalls: 0,
    lags: 0,
};

/// Two pushes.
const TWO: Limits = Limits { pushes: 2, ..BAD };

/// The same with so many faults, whatever they are, each kind once.
const fn with(faults: u8, limits: Limits) -> Limits {
    Limits { faults, crashes: 1, late: 1, lost: 1, again: 1, stalls: 1, lags: 1, ..limits }
}

/// Twenty seconds after a tick: the next one comes between a call and the last moment it may land.
const fn rolls_back(limits: Limits) -> Story {
    Story { begins: &[20], on_failure: OnFailure::Rollback, limits }
}

/// The same where the config leaves a failure to a person.
const fn freezes(limits: Limits) -> Story {
    Story { on_failure: OnFailure::Freeze, ..rolls_back(limits) }
}

/// The same at any distance from the tick.
const fn whenever(story: Story) -> Story {
    Story { begins: &[0, 20, 40], ..story }
}

/// Looks at every state of a story, up to the first that breaks a promise: how many there are, or
/// how that one came about.
fn check(story: Story, guards: Guards) -> Result<Seen, String> {
    let threads = std::thread::available_parallelism().unwrap().get();
    let checker = EveryOrder::new(story, guards).checker().threads(threads);
    let checker = checker.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    if let Some(path) = checker.discoveries().into_values().next() {
        return Err(told(path));
    }
    let happened = checker.model().happened.lock().unwrap().keys().copied().collect();
    Ok(Seen { states: checker.unique_state_count(), happened })
}

/// What was seen of a story.
struct Seen {
    states: usize,
    happened: Vec<&'static str>,
}

/// A path, a line for each thing that happens, and what it breaks.
fn told(path: Path<State, Happens>) -> String {
    let broken = path.last_state().broken.clone().unwrap();
    let mut told = format!("{broken}\n");
    for (state, happens) in path.into_vec() {
        let name = |hand: &super::program::Hand| {
            let at = format!("{:?}", hand.at);
            let end = at.find(|c: char| !c.is_alphabetic()).unwrap_or(at.len());
            format!("{:?} {}", hand.task, &at[..end])
        };
        let hands: Vec<_> = state.hands.iter().map(name).collect();
        writeln!(told, "{:>5} s [{}] {happens:?}", state.seconds, hands.join(", ")).unwrap();
    }
    told
}

/// Every promise is kept, all that may happen does, and the story has all these ends.
fn holds(story: Story, ends: &[&str]) -> usize {
    let Seen { states, happened } = check(story, SHIPPED).unwrap_or_else(|story| panic!("{story}"));
    let may = story.limits;
    for (most, what) in [
        (may.bad, "a deployment hung"),
        (may.bad, "a task fell"),
        (may.breaker, "ECS rolled back by itself"),
        (may.foreign, "somebody else deployed"),
        (may.crashes, "a program died"),
        (may.late, "a call landed late"),
        (may.lost, "an answer was lost"),
        (may.lost, "a call was never sent"),
        (may.again, "a record came to two at once"),
        (may.stalls, "time passed over somebody who could act"),
        (may.lags, "a look lagged"),
    ] {
        assert_eq!(happened.contains(&what), most > 0, "{what}: {happened:?}");
    }
    for end in ends {
        assert!(happened.contains(end), "never {end}: {happened:?}");
    }
    println!("{states} states of {story:?}");
    states
}

#[test]
fn a_bad_release_comes_back_whole_whatever_fails_once() {
    // So soon after a tick no look comes within the second of a call.
    holds(rolls_back(Limits { lags: 0, ..with(1, BAD) }), &["live", "rolled_back"]);
}

#[test]
fn a_rollback_that_does_not_hold_calls_a_person() {
    holds(rolls_back(Limits { bad: 2, ..BAD }), &["rolled_back", "rollback_failed"]);
}

#[test]
fn a_release_that_stops_for_a_person_leaves_what_it_did_not_begin() {
    holds(freezes(Limits { foreign: 1, ..BAD }), &["live", "frozen", "drifted"]);
}

#[test]
fn what_ecs_rolls_back_by_itself_is_taken_up() {
    holds(rolls_back(Limits { breaker: 1, ..BAD }), &["live", "rolled_back"]);
}

#[test]
fn two_pushes_go_one_after_the_other() {
    holds(rolls_back(Limits { bad: 0, ..TWO }), &["waiting", "live"]);
}

/// All of a story's states, whatever fails twice, or whatever fails once beside something else.
const BIG: [(Story, &[&str]); 8] = [
    (rolls_back(with(2, BAD)), &["live", "rolled_back"]),
    (whenever(rolls_back(with(1, BAD))), &["live", "rolled_back"]),
    (whenever(freezes(Limits { lags: 0, ..with(1, BAD) })), &["live", "frozen"]),
    (whenever(rolls_back(with(1, Limits { bad: 2, ..BAD }))), &["rollback_failed"]),
    (whenever(rolls_back(with(1, Limits { breaker: 1, ..BAD }))), &["rolled_back"]),
    (whenever(freezes(with(1, Limits { foreign: 1, ..BAD }))), &["drifted"]),
    (rolls_back(Limits { crashes: 1, late: 1, again: 1, faults: 1, ..TWO }), &["rolled_back"]),
    (rolls_back(Limits { crashes: 1, late: 1, faults: 2, bad: 0, ..TWO }), &["live"]),
];

#[test]
#[ignore = "18 million states: five minutes of one core in release"]
fn millions_of_states_keep_every_promise() {
    let states: usize = BIG.iter().map(|(story, ends)| holds(*story, ends)).sum();
    println!("{states} states in all");
    assert!(states >= 10_000_000, "{states}");
}

/// Without it, a story breaks this promise.
#[track_caller]
fn bears(guards: Guards, story: Story, promise: &str) {
    match check(story, guards) {
        Ok(Seen { states, .. }) => panic!("{promise} is kept without it in {states} states"),
        Err(told) => assert!(told.starts_with(promise), "{told}"),
    }
}

#[test]
fn a_change_is_written_only_at_the_step_it_was_decided_at() {
    let without = Guards {
        write: |condition, step, done| Condition { step, ..condition }.holds(step, done),
        ..SHIPPED
    };
    bears(without, rolls_back(BAD), "every_change_is_recorded");
}

#[test]
fn a_change_is_written_only_on_the_facts_it_was_decided_on() {
    let without = Guards {
        write: |condition, step, done| Condition { done: None, ..condition }.holds(step, done),
        ..SHIPPED
    };
    let slow = Limits { stalls: 1, faults: 1, ..BAD };
    bears(without, freezes(slow), "whole_or_back");
}

#[test]
fn deploy_answers_what_is_asked_now() {
    let without = Guards {
        note: |note, slot| Note { generation: None, ..note.clone() }.holds(slot),
        ..SHIPPED
    };
    let slow = Limits { stalls: 1, faults: 1, ..BAD };
    bears(without, freezes(slow), "whole_or_back");
}

#[test]
fn one_invocation_acts_at_a_target() {
    let taken = |slot: &Slot, owner: &str, now| {
        let free = Slot { lease: None, ..slot.clone() };
        let holder = slot.lease.as_ref().map(|lease| lease.owner.clone());
        Ok(Note { holder, ..free.claim(owner, now)? })
    };
    // Neither the lease nor deploy's own step is asked.
    let without = Guards { claim: taken, note: |_, _| true, ..SHIPPED };
    let twice = Limits { again: 1, stalls: 1, faults: 2, ..BAD };
    bears(without, rolls_back(twice), "one_mover");
}

#[test]
fn a_call_is_written_down_before_it_is_sent() {
    let without = Guards {
        intend: |slot, call, now| {
            let mut note = slot.intend(call, now)?;
            note.done.intent = None;
            Some(note)
        },
        ..SHIPPED
    };
    let late = Limits { late: 1, faults: 1, ..BAD };
    bears(without, rolls_back(late), "whole_or_back");
}
