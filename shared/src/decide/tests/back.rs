//! The way back: watched like a rollout, and never the cause of another.

use std::time::Duration;

use crate::command;
use crate::command::{Ending, RollbackOptions};
use crate::model::{NoticeKind as N, SlotPhase};
use crate::sighting::{Deployment, Guards, RolloutState};
use crate::stage::{Answer, Stage, arn, digest};

pub(super) const PLAIN: RollbackOptions = RollbackOptions { block: true, freeze: true };
pub(super) const FAIL: Ending = Ending::Fail { include_drifted: false };

/// A release that failed, whose rollback ECS has just accepted.
pub(super) fn returning() -> Stage {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.work();
    stage.pass(30);
    stage.look();
    stage.task_stops("Rag", |_| {});
    stage.work();
    assert_eq!(stage.slot("Rag").phase.name(), "returning");
    stage
}

/// A call of the release lands, though its rollback was accepted.
pub(super) fn ours_lands(stage: &mut Stage) {
    let (revision, now) = (stage.slot("Rag").ours().unwrap().to_owned(), stage.now);
    stage.services.get_mut("Rag").unwrap().update(&revision, now);
}

/// ECS refuses what deploy is asked.
fn rollback_failed() -> Stage {
    let mut stage = returning();
    let now = stage.now;
    let slot = stage.slot_mut("Rag");
    slot.done.step += 1;
    slot.done.outcome = Some(crate::model::Outcome::Refused {
        why: "AccessDenied: ecs:UpdateService".to_owned(),
        at: now,
    });
    ours_lands(&mut stage);
    stage.advance();
    assert_eq!(stage.phase(2), "rollback_failed");
    stage
}

#[test]
fn a_call_that_lands_late_is_repaired() {
    let mut stage = returning();
    ours_lands(&mut stage);
    stage.tick();
    assert_eq!(stage.slot("Rag").repairs, 1);
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    assert_eq!(stage.services["Rag"].running_digest(), digest("01d"));
}

#[test]
fn what_comes_back_a_fourth_time_is_a_failed_rollback() {
    let mut stage = returning();
    for repairs in 1..=3 {
        ours_lands(&mut stage);
        stage.now += Duration::from_secs(60);
        stage.look();
        assert_eq!(stage.slot("Rag").repairs, repairs);
        stage.work();
    }
    ours_lands(&mut stage);
    stage.now += Duration::from_secs(60);
    stage.look();
    assert_eq!(stage.phase(2), "rollback_failed");
    assert_eq!(stage.told(), [N::Started, N::RollbackStarted, N::RollbackFailed]);
    assert!(stage.table.head.freeze.is_some());
}

#[test]
fn a_call_without_an_answer_keeps_the_slot_open_until_it_can_no_longer_land() {
    let mut stage = returning();
    let now = stage.now;
    let slot = stage.slot_mut("Rag");
    slot.done.lost = Some(now);
    stage.pass(30);
    let waits = stage.look();
    assert_eq!(waits[1], "a call without answer that may still land");
    stage.pass(30);
    stage.look();
    assert_eq!(stage.phase(2), "rolled_back");
}

#[test]
fn a_look_that_may_be_older_than_the_call_proves_nothing() {
    let mut stage = returning();
    stage.services.get_mut("Rag").unwrap().complete();
    assert_eq!(stage.look()[1], "a look that shows the last call");
    stage.now += Duration::from_secs(15);
    stage.look();
    assert_eq!(stage.phase(2), "rolled_back");
}

#[test]
fn a_rollback_never_causes_a_rollback() {
    let mut stage = returning();
    for _ in 0..5 {
        stage.task_stops("Rag", |_| {});
    }
    stage.look_and_see("Rag", |sighting| {
        sighting.deployments[0].rollout = Some(RolloutState::Failed);
    });
    assert_eq!(stage.phase(2), "rollback_failed");
    let again = stage.table.journal.iter().filter(|entry| entry.to == "rolling_back").count();
    assert_eq!(again, 1);
    stage.tick();
    assert_eq!(stage.phase(2), "rollback_failed", "and nothing is tried by itself");
}

#[test]
fn a_rollback_that_is_not_steady_in_time_has_failed() {
    let mut stage = returning();
    stage.behaviours.insert(digest("01d"), crate::stage::Behaviour::Hangs);
    stage.play();
    assert_eq!(stage.phase(2), "rollback_failed");
    let SlotPhase::ReturnFailed { failure } = &stage.slot("Rag").phase else { panic!() };
    assert!(failure.cause.starts_with("the rollback is not stable in time"), "{failure}");
}

#[test]
fn a_baseline_that_was_failing_before_is_back_when_it_is_not_worse() {
    let mut stage = returning();
    let slot = stage.slot_mut("Rag");
    (slot.baseline.desired, slot.baseline.ran) = (3, 1);
    stage.now += Duration::from_secs(15);
    let see = |stage: &mut Stage, running: u32, ours: u32, foreign: u32| {
        stage.look_and_see("Rag", |sighting| {
            sighting.desired = 3;
            sighting.deployments[0].rollout = Some(RolloutState::InProgress);
            sighting.deployments[0].running = running;
            sighting.deployments[1].running = ours;
            let somebody =
                Deployment { revision: arn("rag", 9), ..sighting.deployments[1].clone() };
            sighting.deployments.push(Deployment { running: foreign, ..somebody });
        })
    };
    assert_eq!(see(&mut stage, 0, 0, 0)[1], "0 of 1 tasks of the baseline to run");
    assert_eq!(see(&mut stage, 1, 2, 0)[1], "2 tasks of other revisions to stop");
    assert_eq!(see(&mut stage, 1, 0, 1)[1], "1 tasks of other revisions to stop");
    see(&mut stage, 1, 0, 0);
    assert_eq!(stage.phase(2), "rolled_back");
}

/// A way back of which no task ran before is on its way, and ECS shows none of any.
fn down(was_live: bool, guards: Guards, rollout: RolloutState, seconds: u64) -> &'static str {
    let mut stage = returning();
    let slot = stage.slot_mut("Rag");
    (slot.baseline.desired, slot.baseline.ran) = (1, 0);
    slot.live.clear();
    slot.live.extend(was_live.then(|| ("main".to_owned(), digest("b1"))));
    stage.now += Duration::from_secs(seconds);
    stage.look_and_see("Rag", |sighting| {
        sighting.guards = guards;
        sighting.deployments[0].rollout = Some(rollout);
        sighting.deployments.iter_mut().for_each(|deployment| deployment.running = 0);
    });
    stage.phase(2)
}

#[test]
fn what_ecs_may_still_replace_by_the_released_bytes_is_not_back() {
    use RolloutState::{Completed, InProgress};
    let breaker = |rollback| Guards { circuit_breaker: Some(rollback), ..Guards::default() };
    let alarms = Guards { alarms: Some(true), ..Guards::default() };
    for guards in [breaker(true), alarms] {
        assert_eq!(down(true, guards, InProgress, 15), "rolling_back");
        assert_eq!(down(true, guards, Completed, 15), "rolled_back");
        assert_eq!(down(true, guards, InProgress, 3_600), "rolled_back", "no worse than before");
        assert_eq!(down(false, guards, InProgress, 15), "rolled_back", "ours was never complete");
    }
    for guards in [breaker(false), Guards::default()] {
        assert_eq!(down(true, guards, InProgress, 15), "rolled_back", "it would never be steady");
    }
}

#[test]
fn an_operator_who_tries_again_has_it_asked_again() {
    let mut stage = rollback_failed();
    stage.now += Duration::from_secs(60);
    let before = stage.slot("Rag").asked.generation;
    let again = |scene: &_, actor: &_, now| command::rollback_moving(scene, actor, FAIL, now);
    stage.command(again).unwrap();
    assert_eq!(stage.slot("Rag").asked.generation, before + 1);
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    assert_eq!(stage.services["Rag"].running_digest(), digest("01d"));
    assert!(stage.table.head.freeze.is_some(), "until `unfreeze`");
}

#[test]
fn a_clock_that_is_behind_tries_again_all_the_same() {
    let mut stage = rollback_failed();
    let before = stage.slot("Rag").asked.generation;
    let now = stage.now - Duration::from_secs(120);
    let change = command::rollback_moving(&stage.table.scene(), "ada", FAIL, now).unwrap();
    stage.write(&change);
    stage.advance();
    assert_eq!((stage.phase(2), stage.slot("Rag").asked.generation), ("rolling_back", before + 1));
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
}

#[test]
fn trying_again_may_fail_again() {
    let mut stage = rollback_failed();
    stage.answers.insert("Rag".into(), Answer::Refuses("AccessDenied"));
    for _ in 0..2 {
        stage.now += Duration::from_secs(60);
        let again = |scene: &_, actor: &_, now| command::rollback_moving(scene, actor, FAIL, now);
        stage.command(again).unwrap();
        assert_eq!(stage.phase(2), "rolling_back");
        stage.tick();
        assert_eq!(stage.phase(2), "rollback_failed");
    }
}

#[test]
fn a_failed_rollback_can_be_accepted_or_abandoned() {
    let mut stage = rollback_failed();
    stage.command(command::accept).unwrap();
    assert_eq!((stage.phase(2), stage.table.head.live), ("live", Some(2)));
    assert!(stage.table.head.freeze.is_some());

    let mut stage = rollback_failed();
    stage.command(command::abandon).unwrap();
    assert_eq!((stage.phase(2), stage.table.head.live), ("abandoned", Some(1)));
    assert_eq!(stage.slots(), [("Rag", "left")]);
    assert_eq!(stage.table.head.moving, None);
}

#[test]
fn an_operator_fails_what_moves() {
    let mut stage = Stage::of(&[&["Rag"], &["Billing"]]);
    stage.push("b1");
    stage.work();
    let now = |scene: &_, actor: &_, now| command::rollback_moving(scene, actor, FAIL, now);
    stage.command(now).unwrap();
    assert_eq!(stage.slots(), [("Billing", "untouched"), ("Rag", "returning")]);
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    assert!(stage.table.blocks.is_empty(), "nobody said that the image is to blame");
}

#[test]
fn an_operator_stops_a_release_that_has_touched_nothing() {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    let now = |scene: &_, actor: &_, now| command::rollback_moving(scene, actor, FAIL, now);
    stage.command(now).unwrap();
    assert_eq!(stage.phase(2), "rolled_back");
    assert_eq!(stage.told(), [N::RolledBack]);
}
