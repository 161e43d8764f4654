//! Every AWS call of every function goes wrong once, in every way, on the demo's two stories: the
//! end is the same.
//!
//! A story is played once without trouble, to learn its calls. Then it is played again for each of
//! them; up to the fault it is the same story to the millisecond, so the fault strikes that call.
//! Reads leave no trace: dying at any of several that follow each other leaves the same world
//! behind, so one death stands for all of them.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use tidegate_local::call::Noted;
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_tests::faults::{Played, Rivalry, Story, Trouble, is_write, said};

/// A call of the story without trouble.
struct Point {
    noted: Noted,
    /// Its number among its function's calls of this action.
    number: u64,
    /// Its invocation wrote something before it.
    written: bool,
    /// Its invocation makes no call after it.
    last: bool,
}

impl Point {
    fn is_write(&self) -> bool {
        is_write(&self.noted.call)
    }

    fn is_of(&self, services: &[&str]) -> bool {
        services.contains(&self.noted.call.service.as_str())
    }

    /// Lets `fault` strike this call.
    fn struck(&self, fault: Fault) -> FaultRule {
        let call = &self.noted.call;
        let (caller, action) = (Some(call.caller.to_string()), Some(call.action.clone()));
        FaultRule { caller, action, nth: Some(self.number), ..FaultRule::always(fault) }
    }
}

/// The calls of a story without trouble.
fn points(story: Story) -> &'static [Point] {
    static POINTS: [OnceLock<Vec<Point>>; 2] = [OnceLock::new(), OnceLock::new()];
    POINTS[usize::from(story == Story::Bad)].get_or_init(|| {
        let Played { ending, calls, .. } = story.play(Trouble::default());
        assert_eq!(ending, story.ending(), "without any trouble");
        let mut numbers = BTreeMap::new();
        let mut points: Vec<Point> = Vec::new();
        let mut newest = BTreeMap::new();
        for noted in calls {
            let number = numbers.entry((noted.call.caller.to_string(), noted.call.action.clone()));
            let number = number.or_insert(0);
            *number += 1;
            let last = newest.insert(noted.call.caller.clone(), points.len());
            let last = last.map(|at| &mut points[at]);
            // A process makes one call after the other, some milliseconds apart; a longer pause is
            // another invocation.
            let last = last.filter(|last| noted.at < last.noted.at + Duration::from_millis(200));
            let written = last.as_ref().is_some_and(|last| last.is_write() || last.written);
            if let Some(last) = last {
                last.last = false;
            }
            points.push(Point { noted, number: *number, written, last: true });
        }
        points
    })
}

/// Plays the story once for each call that `trouble` finds something to do at.
fn every(story: Story, trouble: impl Fn(&Point) -> Option<Trouble>) {
    let (mut played, mut wrong) = (0, Vec::new());
    for point in points(story) {
        let Some(trouble) = trouble(point) else { continue };
        let strikes = trouble.strikes();
        let after = story.play(trouble);
        played += 1;
        let what = format!("{}, number {}", said(&point.noted.call), point.number);
        if after.struck < strikes {
            wrong.push(format!("{what}: it was not struck"));
        } else if after.ending != story.ending() {
            wrong.push(format!("{what}: {:#?}\n{}", after.ending, after.journal));
        }
    }
    assert!(played > 0, "no call to strike");
    assert!(
        wrong.is_empty(),
        "{} of {played} stories end otherwise, first with {}\nexpected {:#?}",
        wrong.len(),
        wrong[0],
        story.ending()
    );
}

/// Dies where it has not written yet.
fn dies_before(point: &Point) -> Option<FaultRule> {
    (!point.written && (point.is_write() || point.last)).then(|| point.struck(Fault::KillBefore))
}

/// Dies after a write, and so before the next one or before it could say that it is done.
fn dies_after(point: &Point) -> Option<FaultRule> {
    point.is_write().then(|| point.struck(Fault::KillAfter))
}

/// A lost read of the table fails its invocation, as if it had died there.
fn never_sent(point: &Point) -> Option<FaultRule> {
    let tells = point.is_write() || !point.is_of(&["dynamodb"]);
    tells.then(|| point.struck(Fault::Drop))
}

fn answer_lost(point: &Point) -> Option<FaultRule> {
    point.is_write().then(|| point.struck(Fault::AnswerLost))
}

/// Up to 30 s late, each call by another time.
fn late(point: &Point) -> Option<FaultRule> {
    point.is_write().then(|| point.struck(Fault::Late(point.number * 7_919 % 30_000)))
}

/// As often as the SDK tries by itself, so that the function hears of it.
fn throttled(point: &Point) -> Option<Vec<FaultRule>> {
    point.is_of(&["ecs", "ecr"]).then(|| vec![point.struck(Fault::Throttle); 3])
}

fn conflict(point: &Point) -> Option<FaultRule> {
    let transaction = point.noted.call.action == "TransactWriteItems";
    transaction.then(|| point.struck(Fault::TransactionConflict))
}

/// Somebody else writes the same item first.
fn race_lost(point: &Point) -> Option<Rivalry> {
    Rivalry::of(&point.noted, point.number)
}

macro_rules! on_both_stories {
    ($($trouble:ident)*) => {
        $(mod $trouble {
            use super::*;

            #[test]
            fn a_good_push_still_goes_live() {
                every(Story::Good, |point| super::$trouble(point).map(Trouble::from));
            }

            #[test]
            fn a_bad_push_still_comes_back() {
                every(Story::Bad, |point| super::$trouble(point).map(Trouble::from));
            }
        })*
    };
}

on_both_stories! {
    dies_before dies_after never_sent answer_lost late throttled conflict race_lost
}

#[test]
fn trouble_that_lasts_does_change_the_end() {
    for (program, story) in
        [("notify", Story::Good), ("deploy", Story::Good), ("watch", Story::Bad)]
    {
        let caller = Some(program.to_owned());
        let played = story.play(FaultRule { caller, ..FaultRule::always(Fault::Drop) }.into());
        assert_ne!(played.ending, story.ending(), "{program} made no call, and nobody missed it");
    }
}
