//! One thing goes wrong, everywhere and in every way.

use tidegate_local::faults::{Fault, FaultRule};
use tidegate_tests::faults::{Story, Trouble, stories};

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
    a_good_push_goes_live: stories::GOOD,
        dies_before dies_after never_sent answer_lost late throttled conflict race_lost;
    a_bad_push_comes_back: stories::BAD,
        dies_before dies_after never_sent answer_lost late throttled conflict race_lost;
    // Its one write is the operator's, of items that nobody has yet.
    what_runs_is_adopted: stories::ADOPTION,
        dies_before never_sent answer_lost late throttled conflict;
    drift_stops_the_release: stories::DRIFT,
        dies_before dies_after never_sent answer_lost late throttled conflict race_lost;
    an_operator_goes_back: stories::ROLLBACK,
        dies_before dies_after never_sent answer_lost late throttled conflict race_lost;
}

/// How many there are for one that is played by `cargo test`, of the stories below. A prime, so that
/// it keeps no step with the kinds.
const ONE_IN: usize = 11;

/// Plays the story for each way in which each call can go wrong, but for those between one in so many.
fn spread(name: &str, story: Story, one_in: usize) {
    let mut tally = Tally::of(story);
    let points = undisturbed(story);
    let troubles = points.iter().flat_map(|point| {
        let failures = kinds::FAILURES.into_iter().chain([kinds::conflict as kinds::Kind]);
        let failures = failures.filter_map(|kind| kind(point).map(Trouble::from));
        let lost = kinds::race_lost(point).map(Trouble::from);
        failures.chain(lost).map(|trouble| (point.said(), trouble))
    });
    for (what, trouble) in troubles.step_by(one_in) {
        tally.play(&what, trouble);
    }
    let played = tally.close();
    eprintln!("{name}: {played} singles");
}

macro_rules! spread {
    ($($name:ident: $story:expr;)*) => {
        $(mod $name {
            use super::*;

            #[test]
            fn some() {
                spread(stringify!($name), $story, ONE_IN);
            }

            #[test]
            #[ignore = "all of what is no plain service: minutes"]
            fn all() {
                spread(stringify!($name), $story, 1);
            }
        })*
    };
}

spread! {
    a_migration_runs_once: stories::MIGRATION;
    a_migration_fails: stories::MIGRATION_FAILED;
    a_migration_is_undone: stories::DOWN;
    a_schedule_and_a_rule_are_moved: stories::SCHEDULED;
    a_run_fails_in_the_bake: stories::RUN_FAILED;
    a_container_service_is_moved: stories::LIGHTSAIL;
    lightsail_gives_a_deployment_up: stories::LIGHTSAIL_FAILED;
    a_container_service_answers_wrongly: stories::LIGHTSAIL_RED;
    a_person_approves: stories::APPROVAL;
    what_is_live_is_promoted: stories::PROMOTION;
    another_place_is_released_to: stories::PLACE;
    another_place_is_brought_back: stories::PLACE_BAD;
    two_images_are_joined: stories::JOINED;
}

#[test]
fn trouble_that_lasts_does_change_the_end() {
    for (program, story) in [
        ("notify", stories::GOOD),
        ("deploy", stories::GOOD),
        ("watch", stories::BAD),
        ("watch", stories::DRIFT),
        ("deploy", stories::ROLLBACK),
        ("deploy", stories::MIGRATION),
        ("watch", stories::RUN_FAILED),
        ("deploy", stories::LIGHTSAIL),
        ("notify", stories::APPROVAL),
        ("watch", stories::PROMOTION),
    ] {
        let caller = Some(program.to_owned());
        let played = story.play(FaultRule { caller, ..FaultRule::always(Fault::Drop) }.into());
        assert_ne!(played.ending, story.ending(), "{program} made no call, and nobody missed it");
    }
}
