//! URLs that must answer: what they hold up, and what they bring down.

use std::time::Duration;

use jiff::Timestamp;

use crate::config::{Check, HttpCheck, OnTimeout};
use crate::decide::checks::{AlarmState, Heard, Meaning, alarms, due, hear, meaning, next_due};
use crate::decide::{Sightings, decide};
use crate::model::{Blame, Checked, Phase, SlotPhase};
use crate::stage::{Stage, at};

const WAVES: &[&[&str]] = &[&["Rag"], &["Billing"]];
const EVERY: Duration = Duration::from_secs(15);

pub(super) fn url(attempts: u32) -> Check {
    Check::Http(HttpCheck {
        url: "https://api.example.com/health?key=hunter2".to_owned(),
        expect: vec![200, 204],
        body: Some("ready".to_owned()),
        attempts,
        every: EVERY,
        private: false,
    })
}

pub(super) fn alarm() -> Check {
    Check::Alarm { name: "api-5xx".to_owned() }
}

/// A release whose first wave is about to be looked at.
pub(super) fn rolling(checks: Vec<Check>) -> Stage {
    let mut stage = Stage::of(WAVES);
    stage.config_mut().checks = checks;
    stage.push("b1");
    stage.survey();
    stage
}

/// Release 3 goes back, and its first wave is about to be looked at.
pub(super) fn going_back(checks: Vec<Check>) -> Stage {
    let mut stage = Stage::of(WAVES);
    stage.push("b1");
    stage.play();
    stage.config_mut().checks = checks;
    let to = stage.release(1).clone();
    let back = |scene: &_, actor: &_, now| {
        crate::command::rollback_to(scene, &to, actor, super::back::PLAIN, now)
    };
    stage.command(back).unwrap();
    stage.survey();
    stage
}

pub(super) fn answers(status: u16, body: &str) -> Heard {
    Heard::Http { status, body: body.to_owned() }
}

pub(super) fn rings(since: Timestamp) -> Heard {
    let reason = "Threshold Crossed: 3 datapoints".to_owned();
    Heard::Alarm { state: AlarmState::Alarm, reason, since: Some(since) }
}

impl Stage {
    /// Check `index` is asked and answers so; what is waited for then.
    pub(super) fn hears(&mut self, index: usize, heard: Heard) -> Vec<String> {
        if let Some(change) = hear(&self.table.scene(), &[(index, heard)], self.now) {
            self.write(&change);
        }
        self.advance()
    }

    fn urls_due(&self) -> usize {
        due(&self.table.scene(), self.now).len()
    }
}

#[test]
fn each_wave_and_the_end_wait_for_an_answer_of_their_own() {
    let mut stage = rolling(vec![url(3)]);
    assert_eq!(stage.urls_due(), 0, "nothing is asked while a service settles");
    for wave in 0..2 {
        stage.tick();
        assert_eq!(stage.urls_due(), 1, "wave {wave} is healthy");
        assert!(wave > 0 || next_due(&stage.table.scene()) == Some(stage.now), "since now");
        assert_eq!(stage.advance(), ["check GET https://api.example.com/health to be green"]);
        stage.hears(0, answers(204, "all ready"));
    }
    let Phase::Baking { until } = stage.release(2).phase else { panic!("{}", stage.phase(2)) };
    assert_eq!(next_due(&stage.table.scene()), Some(stage.now + EVERY), "again through the bake");
    stage.pass(120);
    assert!(stage.now >= until);
    stage.look();
    assert_eq!(stage.phase(2), "baking", "what answered before the end does not count");
    assert_eq!(stage.urls_due(), 1);
    stage.hears(0, answers(200, "ready"));
    stage.look();
    assert_eq!(stage.phase(2), "live");
}

#[test]
fn wrong_answers_in_a_row_bring_it_back_and_blame_no_bytes() {
    let mut stage = rolling(vec![url(3)]);
    stage.tick();
    let said = stage.hears(0, answers(503, "upstream\n  connect error"));
    let waits = "check GET https://api.example.com/health: 1 of 3 tries answered 503 \
                 `upstream connect error`";
    assert_eq!(said, [waits]);
    assert_eq!(stage.urls_due(), 0, "not before its time");
    stage.hears(0, answers(503, ""));
    assert_eq!(stage.urls_due(), 0, "what came too soon is not counted");
    stage.pass(20);
    let said = stage.hears(0, answers(200, "starting"));
    assert!(said[0].ends_with("2 of 3 tries answered 200 without the text `ready`: `starting`"));
    stage.pass(20);
    stage.hears(0, Heard::Silence("connection refused".to_owned()));
    assert_eq!(stage.phase(2), "rolling_back");
    let failure = stage.release(2).failure.clone().unwrap();
    assert!(failure.cause.contains("answered wrongly 3 times in a row: nothing (connection"));
    assert_eq!(failure.blame, Blame::Other);
    let asked = "expected 200 or 204, asked every 15 s from ";
    assert!(failure.evidence[0].contains(asked), "{:?}", failure.evidence);
    assert!(!format!("{failure:?}").contains("hunter2"), "a query may hold a secret: {failure:?}");
    assert!(stage.table.blocks.is_empty());
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
}

#[test]
fn a_right_answer_ends_the_row() {
    let mut stage = rolling(vec![url(3)]);
    stage.tick();
    for _ in 0..2 {
        stage.hears(0, answers(503, ""));
        stage.pass(20);
    }
    stage.hears(0, answers(200, "ready"));
    assert_eq!(stage.slot("Billing").phase.name(), "applying", "the next wave opens");
    assert_eq!(stage.release(2).checks[0].red, None);
}

#[test]
fn a_url_that_falls_in_the_bake_brings_it_back() {
    let mut stage = rolling(vec![url(2)]);
    for _ in 0..2 {
        stage.tick();
        stage.hears(0, answers(200, "ready"));
    }
    for _ in 0..2 {
        assert_eq!(stage.advance(), ["the bake"], "it is green");
        stage.pass(20);
        stage.hears(0, answers(200, "ready"));
        assert_eq!(next_due(&stage.table.scene()), Some(stage.now + EVERY));
    }
    stage.pass(20);
    let said = stage.hears(0, answers(500, ""));
    assert!(said[1].ends_with("1 of 2 tries answered 500"), "{said:?}");
    stage.pass(20);
    stage.hears(0, answers(500, ""));
    assert_eq!(stage.phase(2), "rolling_back");
}

#[test]
fn what_may_not_be_asked_is_silence_and_ends_with_the_timeout() {
    for on_timeout in [OnTimeout::Rollback, OnTimeout::Freeze] {
        let mut stage = rolling(vec![url(3)]);
        stage.config_mut().watch.on_timeout = on_timeout;
        stage.tick();
        let refused = Heard::Unasked("it is 10.0.0.1, which is not a public address".to_owned());
        for _ in 0..14 {
            let said = stage.hears(0, refused.clone());
            assert!(said[0].ends_with("not a public address"), "{said:?}");
            assert_eq!(stage.urls_due(), 0, "not before its time");
            stage.tick();
        }
        stage.tick();
        let ended = if on_timeout == OnTimeout::Freeze { "frozen" } else { "rolling_back" };
        assert_eq!(stage.phase(2), ended);
        assert_eq!(stage.release(2).failure.as_ref().unwrap().blame, Blame::Silence);
    }
}

#[test]
fn a_check_that_nobody_comes_to_ask_ends_the_wait_all_the_same() {
    let mut stage = rolling(vec![url(3)]);
    stage.tick();
    stage.now += Duration::from_secs(900 + 299);
    stage.advance();
    assert_eq!(stage.phase(2), "rolling", "five ticks more than its time");
    stage.now += Duration::from_secs(1);
    stage.advance();
    assert_eq!(stage.phase(2), "rolling_back");
    assert!(stage.cause(2).starts_with("not green in time"), "{}", stage.cause(2));
}

#[test]
fn a_wrong_answer_is_evidence_when_the_time_is_up() {
    let mut stage = rolling(vec![url(3)]);
    stage.tick();
    let gate = stage.now;
    stage.hears(0, answers(503, "down"));
    let waits = decide(&stage.table.scene(), &Sightings::new(), stage.now).waiting_on;
    assert_eq!(waits[0].until, Some(gate + Duration::from_secs(900)));
    stage.now = gate + Duration::from_secs(899);
    stage.advance();
    assert_eq!(stage.phase(2), "rolling");
    stage.now += Duration::from_secs(1);
    stage.advance();
    let failure = stage.release(2).failure.clone().unwrap();
    assert!(failure.cause.ends_with("1 of 3 tries answered 503 `down`"), "{failure}");
    assert_eq!((stage.phase(2), failure.blame), ("rolling_back", Blame::Other));
}

#[test]
fn nothing_is_asked_once_the_release_goes_back() {
    let mut stage = rolling(vec![url(1), alarm()]);
    stage.tick();
    stage.hears(0, answers(500, ""));
    assert_eq!(stage.phase(2), "rolling_back");
    assert_eq!((stage.urls_due(), alarms(&stage.table.scene()).count()), (0, 0));
    assert!(hear(&stage.table.scene(), &[(1, rings(stage.now))], stage.now).is_none());
}

#[test]
fn whoever_goes_back_waits_for_no_check_before_the_end() {
    let mut stage = going_back(vec![url(3)]);
    stage.tick();
    assert_eq!((stage.slot("Billing").phase.name(), stage.urls_due()), ("applying", 0));
    stage.tick();
    let Phase::Baking { until } = stage.release(3).phase else { panic!("{}", stage.phase(3)) };
    assert_eq!(next_due(&stage.table.scene()), Some(until));
}

#[test]
fn a_release_of_an_older_tidegate_has_answered_nothing() {
    let mut stage = rolling(vec![url(3)]);
    stage.tick();
    let mut old = serde_json::to_value(stage.release(2)).unwrap();
    assert!(old.get("checks").is_none(), "nothing answered is nothing written");
    old.as_object_mut().unwrap().remove("checks");
    let read: crate::model::Release = serde_json::from_value(old).unwrap();
    assert_eq!(read.checks, Vec::<Checked>::new());
    assert!(matches!(stage.slot("Rag").phase, SlotPhase::Healthy { .. }));
}

#[test]
fn an_error_page_is_shown_as_far_as_it_can_be_recognised() {
    let shown = |length: usize| match meaning(&url(3), &answers(500, &"é".repeat(length)), at(0)) {
        Meaning::Wrong(said) => said,
        other => panic!("{other:?}"),
    };
    assert_eq!(shown(40), format!("500 `{}`", "é".repeat(40)));
    assert_eq!(shown(41), format!("500 `{}…`", "é".repeat(40)));
}

#[test]
fn what_a_crash_left_closed_is_opened_before_anything_is_asked() {
    let mut stage = rolling(vec![url(3)]);
    stage.tick();
    assert_eq!(stage.urls_due(), 1);
    stage.slot_mut("Billing").wave = 0;
    assert_eq!(stage.urls_due(), 0, "the open wave is not healthy as a whole");
}
