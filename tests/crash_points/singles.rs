//! One thing goes wrong, everywhere and in every way.

use tidegate_local::faults::{Fault, FaultRule};
use tidegate_tests::faults::{Story, Trouble};

use crate::points::Point;
use crate::tally::Tally;
use crate::{kinds, undisturbed};

/// Plays the story once for each call that `trouble` finds something to do at.
fn every(story: Story, points: &[Point], trouble: impl Fn(&Point) -> Option<Trouble>) {
    let mut tally = Tally::of(story);
    for point in points {
        if let Some(trouble) = trouble(point) {
            tally.play(&point.said(), trouble);
        }
    }
    tally.close();
}

macro_rules! singles {
    ($($name:ident: $story:expr, $($kind:ident)*;)*) => {
        $(mod $name {
            use std::sync::LazyLock;

            use super::*;

            static POINTS: LazyLock<Vec<Point>> = LazyLock::new(|| undisturbed($story));

            $(#[test]
            fn $kind() {
                every($story, &POINTS, |point| kinds::$kind(point).map(Trouble::from));
            })*
        })*
    };
}

singles! {
    a_good_push_goes_live: Story::GOOD,
        dies_before dies_after never_sent answer_lost late throttled conflict race_lost;
    a_bad_push_comes_back: Story::BAD,
        dies_before dies_after never_sent answer_lost late throttled conflict race_lost;
    // Its one write is the operator's, of items that nobody has yet.
    what_runs_is_adopted: Story::ADOPTION,
        dies_before never_sent answer_lost late throttled conflict;
    drift_stops_the_release: Story::DRIFT,
        dies_before dies_after never_sent answer_lost late throttled conflict race_lost;
    an_operator_goes_back: Story::ROLLBACK,
        dies_before dies_after never_sent answer_lost late throttled conflict race_lost;
}

#[test]
fn trouble_that_lasts_does_change_the_end() {
    for (program, story) in [
        ("notify", Story::GOOD),
        ("deploy", Story::GOOD),
        ("watch", Story::BAD),
        ("watch", Story::DRIFT),
        ("deploy", Story::ROLLBACK),
    ] {
        let caller = Some(program.to_owned());
        let played = story.play(FaultRule { caller, ..FaultRule::always(Fault::Drop) }.into());
        assert_ne!(played.ending, story.ending(), "{program} made no call, and nobody missed it");
    }
}
