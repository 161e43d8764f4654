//! Events and stream records that come twice, late, in another order, or never: the demo's two
//! stories end as ever.

use std::time::Duration;

use tidegate_local::faults::{Fault, FaultRule};
use tidegate_tests::faults::{Trouble, stories};

const HOUR: Duration = Duration::from_secs(3_600);
const SEEDS: [u64; 2] = [8, 9];

/// Plays both stories with `rule` in force; it must strike.
#[track_caller]
fn ends_as_ever(rule: &FaultRule, afterwards: Duration) {
    for story in [stories::GOOD, stories::BAD] {
        for seed in SEEDS {
            let rules = vec![rule.clone()];
            let played = story.play(Trouble { seed, rules, afterwards, rivalry: None });
            assert!(played.struck > 0, "seed {seed}: nothing struck\n{}", played.journal);
            assert_eq!(played.ending, story.ending(), "seed {seed}\n{}", played.journal);
        }
    }
}

fn of(caller: &str, service: &str, fault: Fault) -> FaultRule {
    let (caller, service) = (Some(caller.to_owned()), Some(service.to_owned()));
    FaultRule { caller, service, ..FaultRule::always(fault) }
}

const A_WHILE: Duration = Duration::from_secs(120);

#[test]
fn every_event_comes_twice() {
    ends_as_ever(&of("bus", "ecr", Fault::Duplicate), A_WHILE);
    ends_as_ever(&of("bus", "ecs", Fault::Duplicate), A_WHILE);
}

#[test]
fn events_overtake_each_other() {
    let late = of("bus", "ecs", Fault::Reorder(20_000));
    ends_as_ever(&FaultRule { probability: Some(0.5), ..late }, A_WHILE);
}

#[test]
fn ecs_events_come_an_hour_late() {
    ends_as_ever(&of("bus", "ecs", Fault::Reorder(3_600_000)), HOUR + A_WHILE);
}

#[test]
fn the_push_comes_an_hour_late_and_the_sweep_was_there_before() {
    ends_as_ever(&of("bus", "ecr", Fault::Reorder(3_600_000)), HOUR + A_WHILE);
}

#[test]
fn the_push_is_never_told_and_the_sweep_finds_it() {
    ends_as_ever(&of("bus", "ecr", Fault::Lose), A_WHILE);
}

#[test]
fn deploy_is_invoked_twice_at_once_with_every_record() {
    ends_as_ever(&of("deploy", "lambda", Fault::Duplicate), A_WHILE);
}

#[test]
fn notify_is_invoked_twice_at_once_with_every_batch() {
    ends_as_ever(&of("notify", "lambda", Fault::Duplicate), A_WHILE);
}
