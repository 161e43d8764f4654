//! What a look must show before it means anything.

use std::time::Duration;

use crate::decide::{Seen, Sightings, ends_at, waits_for};
use crate::model::SlotPhase;
use crate::stage::{Behaviour, Stage, arn, digest, target};

/// ECS has just accepted the release's revision.
pub(super) fn accepted() -> Stage {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.push("b1");
    stage.work();
    assert_eq!(stage.slot("Rag").phase.name(), "settling");
    stage
}

fn phase(stage: &Stage) -> &'static str {
    stage.slot("Rag").phase.name()
}

#[test]
fn healthy_wants_a_completed_deployment_with_all_its_tasks_in_health() {
    let mut stage = accepted();
    stage.pass(30);
    let waits = stage.look_and_see("Rag", |sighting| {
        sighting.deployments[0].rollout = Some(crate::sighting::RolloutState::InProgress);
    });
    assert_eq!(waits[0], "Rag (wave 1 of 1)");
    assert_eq!(waits[1], "ECS to complete it (1 of 1 tasks run)");
    // The old revision's tasks linger, and ours do not run yet.
    let waits = stage.look_and_see("Rag", |sighting| {
        (sighting.desired, sighting.running, sighting.deployments[0].running) = (3, 3, 1);
    });
    assert_eq!(waits[1], "1 of 3 tasks to run");
    let waits = stage.look_and_see("Rag", |sighting| {
        sighting.unhealthy = vec!["Health checks failed (tg)".to_owned()];
    });
    assert_eq!(waits[1], "target health: Health checks failed (tg)");
    assert_eq!(phase(&stage), "settling");
    stage.look();
    assert_eq!(phase(&stage), "healthy");
}

#[test]
fn behind_a_classic_load_balancer_the_old_deployment_must_be_gone() {
    let mut stage = accepted();
    stage.pass(30);
    let mut see = |others: bool, pending: u32| {
        let before = stage.services["Rag"].deployments[0].clone();
        stage.look_and_see("Rag", |sighting| {
            sighting.deployments[0].rollout = None;
            sighting.deployments[0].pending = pending;
            let before = crate::sighting::Deployment { primary: false, ..before };
            sighting.deployments.extend(others.then_some(before));
        });
        phase(&stage)
    };
    assert_eq!(see(true, 0), "settling");
    assert_eq!(see(false, 1), "settling");
    assert_eq!(see(false, 0), "healthy");
}

#[test]
fn a_look_from_before_the_survey_shows_what_the_release_before_did() {
    for (earlier, found) in [(1, "settling"), (0, "drifted")] {
        let mut stage = accepted();
        let looked = stage.slot("Rag").seen_at - Duration::from_secs(earlier);
        stage.look_and_see("Rag", |sighting| {
            sighting.at = looked;
            sighting.deployments[0].revision = arn("Rag", "of-release-1");
        });
        assert_eq!(phase(&stage), found, "{earlier} s before it");
    }
}

#[test]
fn what_ecs_does_not_show_yet_is_lag_at_first() {
    let mut stage = accepted();
    let before = stage.services["Rag"].deployments[1].clone();
    let lag = |stage: &mut Stage| {
        let mut before = before.clone();
        before.primary = true;
        stage.look_and_see("Rag", |sighting| sighting.deployments = vec![before])
    };
    for seconds in [1, 30, 29] {
        stage.now += Duration::from_secs(seconds - 1);
        assert_eq!(lag(&mut stage)[1], "ECS to show the new deployment");
    }
    stage.now += Duration::from_secs(10);
    lag(&mut stage);
    assert_eq!(lag(&mut stage)[1], "another look: the new deployment is not there");
    assert_eq!(phase(&stage), "settling");
    stage.now += Duration::from_secs(1);
    lag(&mut stage);
    assert_eq!(stage.cause(2), "Rag: ECS rolled it back by itself");
}

#[test]
fn an_older_deployment_that_drains_is_not_taken_for_ours() {
    let mut stage = accepted();
    let mut before = stage.services["Rag"].deployments[1].clone();
    let older = before.clone();
    before.primary = true;
    let said = stage.look_and_see("Rag", |sighting| sighting.deployments = vec![before, older]);
    assert_eq!(said[1], "ECS to show the new deployment");
}

#[test]
fn what_came_after_the_first_missing_look_is_no_failure() {
    let mut stage = accepted();
    stage.now += Duration::from_secs(60);
    let before = stage.services["Rag"].deployments[1].clone();
    stage.look_and_see("Rag", |sighting| {
        sighting.deployments = vec![before];
        sighting.deployments[0].primary = true;
    });
    assert_eq!((phase(&stage), stage.slot("Rag").puzzled), ("settling", 1));
    stage.pass(30);
    stage.look();
    assert_eq!(phase(&stage), "healthy");
}

#[test]
fn a_deadline_that_nobody_looked_at_is_no_verdict_for_five_minutes() {
    let mut stage = accepted();
    stage.behaviours.insert(digest("b1"), Behaviour::Hangs);
    for (seconds, expected) in [(899, "settling"), (2, "settling"), (298, "settling")] {
        stage.now += Duration::from_secs(seconds);
        stage.advance();
        assert_eq!(phase(&stage), expected);
    }
    stage.now += Duration::from_secs(1);
    stage.advance();
    assert_eq!(phase(&stage), "returning", "blind for too long");
}

#[test]
fn a_deadline_ends_with_the_first_look_after_it_and_never_before() {
    let mut stage = accepted();
    stage.now += Duration::from_secs(899);
    stage.look();
    assert_eq!(phase(&stage), "settling");
    stage.now += Duration::from_secs(1);
    stage.look();
    assert_eq!(phase(&stage), "returning");
}

#[test]
fn a_look_after_the_deadline_that_finds_it_healthy_is_healthy() {
    let mut stage = accepted();
    stage.pass(1000);
    stage.look();
    assert_eq!(phase(&stage), "healthy");
}

#[test]
fn a_service_without_primary_is_waited_for() {
    let mut stage = accepted();
    let waits = stage.look_and_see("Rag", |sighting| sighting.deployments.clear());
    assert_eq!(waits[1], "ECS to show a deployment");
}

#[test]
fn a_service_that_is_gone_is_drift() {
    let mut stage = accepted();
    stage.settle(&Sightings::from([(target("Rag"), Seen::Missing)]));
    assert_eq!(stage.phase(2), "drifted");
    let SlotPhase::Drifted { seen, .. } = &stage.slot("Rag").phase else { panic!() };
    assert_eq!(seen, "the service is gone");
}

#[test]
fn whose_turn_it_is_when_time_is_short() {
    let mut stage = Stage::of(&[&["Rag"]]);
    assert_eq!(ends_at(&stage.table.scene()), None, "nothing moves");
    stage.push("b1");
    stage.work();
    let SlotPhase::Settling { deadline, .. } = stage.slot("Rag").phase else { panic!("settling") };
    assert_eq!(ends_at(&stage.table.scene()), Some(deadline));
}

#[test]
fn a_look_that_lags_after_a_younger_one_takes_nothing_back() {
    let mut stage = accepted();
    let mut before = stage.services["Rag"].deployments[1].clone();
    before.primary = true;
    stage.pass(30);
    stage.look();
    assert_eq!(phase(&stage), "healthy");
    let lag = |stage: &mut Stage| {
        let before = before.clone();
        stage.look_and_see("Rag", |sighting| sighting.deployments = vec![before]);
    };
    stage.now += Duration::from_secs(5);
    lag(&mut stage);
    assert_eq!(phase(&stage), "healthy");
    stage.now += Duration::from_secs(10);
    lag(&mut stage);
    assert_eq!(stage.release(2).phase.name(), "rolling_back", "that is no lag any more");
}

#[test]
fn a_slot_waits_for_word_of_what_it_is_judged_by() {
    let stage = accepted();
    let mut slot = stage.slot("Rag").clone();
    let ours = slot.ours().map(str::to_owned);
    let mut waits = |phase: SlotPhase| {
        slot.phase = phase;
        let stopped = [ours.as_deref(), Some("the revision that ours replaces")];
        (stopped.map(|revision| waits_for(&slot, revision)), waits_for(&slot, None))
    };
    let (since, deadline) = (stage.now, stage.now);
    assert_eq!(waits(SlotPhase::Applying { since }), ([true, false], false));
    assert_eq!(waits(SlotPhase::Settling { since, deadline }), ([true, false], true));
    assert_eq!(waits(SlotPhase::Healthy { at: since, unproven: false }), ([true, false], true));
    assert_eq!(waits(SlotPhase::Returning { since, deadline }), ([false, false], true));
    assert_eq!(waits(SlotPhase::Returned { at: since }), ([false, false], false));
    assert_eq!(waits(SlotPhase::Queued), ([false, false], false));
}
