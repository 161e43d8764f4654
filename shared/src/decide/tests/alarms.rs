//! Alarms: one that begins to ring brings a release back, and one that rang before does not.

use std::time::Duration;

use super::checks::{alarm, answers, rings, rolling, url};
use crate::decide::checks::{AlarmState, Heard, Meaning, alarms, hear, meaning};
use crate::model::Phase;
use crate::stage::{Stage, at};

fn quiet(state: AlarmState) -> Heard {
    Heard::Alarm { state, reason: String::new(), since: None }
}

#[test]
fn an_alarm_that_begins_to_ring_brings_it_back_at_once() {
    let mut stage = rolling(vec![alarm()]);
    assert_eq!(alarms(&stage.table.scene()).collect::<Vec<_>>(), [(0, "api-5xx")]);
    stage.pass(10);
    let surveyed = stage.slot("Rag").baseline.at;
    stage.hears(0, rings(surveyed + Duration::from_secs(1)));
    assert_eq!(stage.phase(2), "rolling_back", "while the first wave settles");
    let failure = stage.release(2).failure.clone().unwrap();
    assert_eq!(failure.cause, "alarm api-5xx began to ring");
    assert!(
        failure.evidence.contains(&"alarm api-5xx: Threshold Crossed: 3 datapoints".to_owned())
    );
    assert!(stage.table.blocks.is_empty());
}

#[test]
fn an_alarm_does_not_stop_whoever_goes_back() {
    let mut stage = super::checks::going_back(vec![alarm()]);
    for phase in ["rolling", "rolling", "baking", "live"] {
        assert_eq!(stage.phase(3), phase);
        // The bytes that are taken away made it ring, seen minutes later.
        stage.hears(0, rings(stage.now));
        assert_eq!(alarms(&stage.table.scene()).count(), 0);
        stage.pass(if phase == "baking" { 600 } else { 0 });
        stage.tick();
    }
}

#[test]
fn an_alarm_that_rang_before_is_said_once_and_not_held_against_it() {
    let mut stage = rolling(vec![alarm()]);
    let told = |stage: &Stage| {
        let rang = |reason: &str| reason.contains("alarm api-5xx rang before the release");
        stage.table.journal.iter().filter(|entry| rang(&entry.reason)).count()
    };
    for phase in ["rolling", "baking", "baking"] {
        stage.tick();
        stage.hears(0, rings(at(0)));
        assert_eq!((stage.phase(2), told(&stage)), (phase, 1));
    }
    stage.hears(0, quiet(AlarmState::Ok));
    assert!(!stage.release(2).checks[0].rang_before);
    stage.pass(30);
    stage.hears(0, rings(stage.now));
    assert_eq!(stage.phase(2), "rolling_back", "it was quiet, and began again");
}

#[test]
fn an_alarm_rang_before_unless_it_began_after_the_survey() {
    let rang_before = |since: Option<i64>| {
        let (state, since) = (AlarmState::Alarm, since.map(at));
        let heard = Heard::Alarm { state, reason: String::new(), since };
        meaning(&alarm(), &heard, at(10)) == Meaning::RangBefore
    };
    let since = [None, Some(9), Some(10), Some(11)];
    assert_eq!(since.map(rang_before), [true, true, true, false]);
}

#[test]
fn an_alarm_without_data_is_neither_green_nor_wrong() {
    let mut stage = rolling(vec![alarm()]);
    stage.tick();
    let said = stage.hears(0, quiet(AlarmState::InsufficientData));
    assert!(said[0].starts_with("check alarm api-5xx: it is INSUFFICIENT_DATA"), "{said:?}");
    stage.tick();
    assert_eq!(stage.phase(2), "rolling");
    stage.hears(0, quiet(AlarmState::Ok));
    assert_eq!(stage.slot("Billing").phase.name(), "applying");
}

#[test]
fn an_alarm_that_stays_as_it_is_costs_no_write_while_nothing_hangs_on_it() {
    let mut stage = rolling(vec![alarm()]);
    let step = stage.release(2).step;
    for _ in 0..3 {
        stage.pass(10);
        assert!(hear(&stage.table.scene(), &[(0, quiet(AlarmState::Ok))], stage.now).is_none());
    }
    assert_eq!(stage.release(2).step, step);
    for _ in 0..2 {
        stage.tick();
        stage.hears(0, quiet(AlarmState::Ok));
    }
    let Phase::Baking { until } = stage.release(2).phase else { panic!("{}", stage.phase(2)) };
    let scene = stage.table.scene();
    let writes = |at| hear(&scene, &[(0, quiet(AlarmState::Ok))], at).is_some();
    assert!(!writes(until - Duration::from_secs(1)) && writes(until), "the end hangs on it");
}

#[test]
fn what_is_answered_together_is_written_together() {
    let mut stage = rolling(vec![url(3), alarm()]);
    stage.tick();
    let heard = [(0, answers(200, "ready")), (1, quiet(AlarmState::Ok))];
    let change = hear(&stage.table.scene(), &heard, stage.now).expect("both are news");
    stage.write(&change);
    stage.advance();
    assert_eq!(stage.slot("Billing").phase.name(), "applying");
}
