//! Every AWS call of every function goes wrong once, in every way, on the demo's two stories: the
//! end is the same.
//!
//! A story is played once without trouble, to learn its calls. Then it is played again for each of
//! them; up to the fault it is the same story to the millisecond, so the fault strikes that call.

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
    /// It is the first of an invocation, as far as time tells.
    first: bool,
}

impl Point {
    fn is_of(&self, program: &str) -> bool {
        self.noted.call.caller.to_string() == program
    }

    fn is_write(&self) -> bool {
        is_write(&self.noted.call)
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
        let (mut numbers, mut last) = (BTreeMap::new(), BTreeMap::new());
        let point = |noted: Noted| {
            let number = numbers.entry((noted.call.caller.to_string(), noted.call.action.clone()));
            let number = number.or_insert(0);
            *number += 1;
            let before = last.insert(noted.call.caller.clone(), noted.at);
            // Two calls of one invocation are some milliseconds apart.
            let first = before.is_none_or(|before| noted.at > before + Duration::from_millis(200));
            Point { noted, number: *number, first }
        };
        calls.into_iter().map(point).collect()
    })
}

/// Plays the story once for each call that `trouble` finds something to do at.
fn every(story: Story, trouble: impl Fn(&Point) -> Option<Trouble>) {
    let (mut played, mut wrong) = (0, Vec::new());
    let began = std::time::Instant::now();
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
    println!("{story:?} {played} in {:?}", began.elapsed());
    for one in &wrong {
        println!("WRONG {}", one.lines().next().unwrap());
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

fn dies(point: &Point, program: &str) -> Option<Trouble> {
    point.is_of(program).then(|| vec![point.struck(Fault::KillAfter)].into())
}

/// Up to 30 s late, each call by another time.
fn late(point: &Point) -> Fault {
    Fault::Late(point.number * 7_919 % 30_000)
}

fn is_throttled(point: &Point) -> bool {
    ["ecs", "ecr"].contains(&point.noted.call.service.as_str())
}

macro_rules! on_both_stories {
    ($($name:ident: $trouble:expr;)*) => {
        $(mod $name {
            use super::*;
            #[test]
            fn a_good_push_still_goes_live() {
                every(Story::Good, $trouble);
            }
            #[test]
            fn a_bad_push_still_comes_back() {
                every(Story::Bad, $trouble);
            }
        })*
    };
}

on_both_stories! {
    promote_dies_after_a_call: |it| dies(it, "promote");
    deploy_dies_after_a_call: |it| dies(it, "deploy");
    watch_dies_after_a_call: |it| dies(it, "watch");
    notify_dies_after_a_call: |it| dies(it, "notify");
    a_function_dies_before_its_first_call:
        |it| it.first.then(|| vec![it.struck(Fault::KillBefore)].into());
    a_call_is_never_sent: |it| Some(vec![it.struck(Fault::Drop)].into());
    an_answer_is_lost: |it| it.is_write().then(|| vec![it.struck(Fault::AnswerLost)].into());
    a_call_lands_late: |it| it.is_write().then(|| vec![it.struck(late(it))].into());
    a_call_is_throttled: |it| is_throttled(it)
        // As often as the SDK tries by itself.
        .then(|| vec![it.struck(Fault::Throttle); 3].into());
    a_transaction_conflicts: |it| (it.noted.call.action == "TransactWriteItems")
        .then(|| vec![it.struck(Fault::TransactionConflict)].into());
    a_race_is_lost: |it| Rivalry::of(&it.noted, it.number).map(Trouble::from);
}
