//! What deploy answers, and what follows when it does not.

use std::time::Duration;

use crate::command;
use crate::config::OnTimeout;
use crate::decide::{Sightings, decide};
use crate::model::{Action, NoticeKind as N, Todo};
use crate::stage::{Answer, Behaviour, Refusal, Stage, digest};

const MINUTE: Duration = Duration::from_secs(60);

fn asked() -> Stage {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.survey();
    assert_eq!(stage.slot("Rag").asked.action, Action::Apply);
    stage
}

#[test]
fn what_is_not_answered_is_asked_again_by_a_change_that_the_stream_carries() {
    let mut stage = asked();
    let before = stage.slot("Rag").clone();
    stage.slot_mut("Rag").todo = Some(Todo::Claimed);
    stage.now += Duration::from_secs(89);
    assert_eq!(stage.advance(), ["Rag (wave 1 of 1)", "deploy to answer"]);
    assert_eq!(stage.slot("Rag").step, before.step);
    stage.now += Duration::from_secs(1);
    stage.advance();
    let after = stage.slot("Rag");
    assert_eq!((after.nudge, after.todo), (1, Some(Todo::Deploy)));
    assert_eq!(after.asked.generation, before.asked.generation, "it is the same request");
    stage.play();
    assert_eq!(stage.phase(2), "live");
}

#[test]
fn a_deploy_that_never_answers_ends_in_words_and_not_in_silence() {
    let mut stage = asked();
    stage.answers.insert("Rag".into(), Answer::Never);
    let began = stage.now;
    stage.play();
    assert_eq!(stage.phase(2), "rollback_failed");
    assert_eq!(stage.cause(2), "Rag: deploy does not answer");
    assert_eq!(stage.told(), [N::Started, N::RollbackStarted, N::RollbackFailed]);
    assert!(stage.now.duration_since(began).as_secs() < 3600);
    // Deploy is back, and finds nothing that it is asked: not before a person's word, nor after it.
    stage.answers.clear();
    for say in [None, Some(command::accept)] {
        if let Some(say) = say {
            stage.command(say).unwrap();
        }
        stage.tick();
        assert_eq!(stage.services["Rag"].running_digest(), digest("01d"));
        assert_eq!(stage.slot("Rag").asked.action, Action::None);
    }
}

#[test]
fn what_was_given_up_as_silent_is_not_done_later() {
    let mut stage = asked();
    stage.config_mut().watch.on_timeout = OnTimeout::Freeze;
    stage.answers.insert("Rag".into(), Answer::Never);
    stage.play();
    assert_eq!(stage.phase(2), "frozen");
    assert_eq!(stage.slots(), [("Rag", "failed")]);
    stage.answers.clear();
    stage.tick();
    assert_eq!(
        stage.services["Rag"].running_digest(),
        digest("01d"),
        "a frozen release moves nothing"
    );
}

#[test]
fn the_last_time_deploy_is_asked_it_has_as_long_to_answer() {
    let asked_often = |nudge: u32, seconds: u64| {
        let mut stage = asked();
        stage.slot_mut("Rag").nudge = nudge;
        stage.now += Duration::from_secs(seconds);
        stage.advance();
        (stage.slot("Rag").phase.name(), stage.slot("Rag").nudge)
    };
    assert_eq!(asked_often(9, 90), ("applying", 10));
    assert_eq!(asked_often(10, 89), ("applying", 10));
    assert_eq!(asked_often(10, 90).0, "returning");
}

#[test]
fn throttling_is_never_a_failure() {
    let mut stage = asked();
    stage.answers.insert("Rag".into(), Answer::Throttles(Duration::from_secs(45)));
    for _ in 0..60 {
        stage.tick();
    }
    assert_eq!(stage.phase(2), "rolling");
    assert!(stage.slot("Rag").asked.generation > 10);
    stage.answers.clear();
    stage.play();
    assert_eq!(stage.phase(2), "live");
}

#[test]
fn a_throttled_request_is_not_made_again_too_soon() {
    let mut stage = asked();
    stage.answers.insert("Rag".into(), Answer::Throttles(Duration::from_secs(45)));
    stage.answer("Rag");
    stage.now += Duration::from_secs(44);
    assert_eq!(stage.advance()[1], "AWS throttles; it is asked again");
    assert_eq!(stage.slot("Rag").todo, None);
    stage.now += Duration::from_secs(1);
    stage.advance();
    assert_eq!(stage.slot("Rag").todo, Some(Todo::Deploy));
}

#[test]
fn what_deploy_wrote_meanwhile_is_never_lost() {
    let mut stage = asked();
    stage.now += 2 * MINUTE;
    let nudge = decide(&stage.table.scene(), &Sightings::new(), stage.now);
    stage.answer("Rag");
    for change in &nudge.changes {
        let refused = stage.table.write(change).unwrap_err();
        assert!(matches!(refused, Refusal::Superseded(_)), "{refused:?}");
    }
    assert!(stage.slot("Rag").answer().is_some());
}

#[test]
fn two_who_decide_the_same_write_it_once() {
    let mut stage = asked();
    stage.answer("Rag");
    let plan = decide(&stage.table.scene(), &Sightings::new(), stage.now);
    stage.write(&plan.changes[0]);
    assert!(stage.table.write(&plan.changes[0]).is_err());
}

#[test]
fn the_deadline_begins_when_ecs_accepted() {
    let mut stage = asked();
    stage.answers.insert("Rag".into(), Answer::Throttles(Duration::from_secs(45)));
    for _ in 0..20 {
        stage.tick();
    }
    stage.answers.clear();
    stage.behaviours.insert(digest("b1"), Behaviour::Hangs);
    stage.pass(100);
    let crate::model::SlotPhase::Settling { since, deadline } = stage.slot("Rag").phase else {
        panic!("{:?}", stage.slot("Rag").phase)
    };
    assert!(stage.now.duration_since(since).as_secs() <= 100);
    assert_eq!(deadline.duration_since(since).as_secs(), 900);
}

#[test]
fn drift_that_deploy_meets_stops_the_release() {
    let mut stage = asked();
    stage.answers.insert("Rag".into(), Answer::FindsDrift);
    stage.work();
    assert_eq!(stage.phase(2), "drifted");
    assert_eq!(stage.told(), [N::Started, N::Drifted]);
}
