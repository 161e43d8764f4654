//! Two things go wrong, the second anywhere in the story as it goes on after the first.
//!
//! On one service: another one adds calls of the same kinds. Of the kinds in which a call fails: a
//! conflict and a lost race are played as singles.

use tidegate_local::faults::FaultRule;
use tidegate_tests::faults::{Story, Trouble, stories};

use crate::points::Point;
use crate::tally::Tally;
use crate::{kinds, undisturbed};

/// How many there are for one that is played.
#[derive(Clone, Copy)]
struct OneIn {
    firsts: usize,
    seconds: usize,
}

/// One pair in 119, less than a minute on two cores. Primes, so that they keep no step with the kinds.
const SOME: OneIn = OneIn { firsts: 7, seconds: 17 };
const ALL: OneIn = OneIn { firsts: 1, seconds: 1 };

/// Every fault that can strike one of these calls; its place among them, and its name for people.
fn faults(points: &[Point]) -> impl Iterator<Item = (usize, String, Vec<FaultRule>)> {
    points.iter().enumerate().flat_map(|(at, point)| {
        let rules = kinds::FAILURES.into_iter().filter_map(|kind| kind(point));
        rules.map(move |rules| (at, format!("{:?} at {}", rules[0].fault, point.said()), rules))
    })
}

/// Plays the story with one fault alone, to learn how it goes on; and then with each further fault
/// in what follows.
fn pairs(name: &str, story: Story, one_in: OneIn) {
    let (mut tally, mut alone) = (Tally::of(story), 0);
    let calls = undisturbed(story);
    for (at, what, first) in faults(&calls).step_by(one_in.firsts) {
        let played = tally.play(&what, first.clone().into());
        // Up to the first fault it is the same story, call for call.
        let follows = &Point::all(&played.calls)[at..];
        for (_, then, second) in
            faults(follows).skip(alone % one_in.seconds).step_by(one_in.seconds)
        {
            let both = Trouble::from([first.clone(), second].concat());
            // The second may strike as late as the first one's aftermath goes.
            let both = Trouble { afterwards: 2 * both.afterwards, ..both };
            tally.play(&format!("{what}, then {then}"), both);
        }
        alone += 1;
    }
    let played = tally.close();
    eprintln!("{name}: {} pairs, {alone} first faults alone", played - alone);
}

macro_rules! pairs {
    ($($name:ident: $story:expr;)*) => {
        $(mod $name {
            use super::*;

            #[test]
            fn some() {
                pairs(stringify!($name), $story.smallest(), SOME);
            }

            #[test]
            #[ignore = "all five: about an hour on two cores"]
            fn all() {
                pairs(stringify!($name), $story.smallest(), ALL);
            }
        })*
    };
}

pairs! {
    a_good_push_goes_live: stories::GOOD;
    a_bad_push_comes_back: stories::BAD;
    what_runs_is_adopted: stories::ADOPTION;
    drift_stops_the_release: stories::DRIFT;
    an_operator_goes_back: stories::ROLLBACK;
}
