//! What a look at a target on its way back must show before it is back.

use std::time::Duration;

use super::back::{ours_lands, returning};
use crate::model::{Outcome, SlotPhase};
use crate::sighting::{RolloutState, ServiceDeployment, ServiceDeploymentStatus as S, Strategy};
use crate::stage::{Stage, arn, at};

/// The baseline named a tag: what goes back is its pinned twin, and deploy answers.
fn unpinned(answer: impl FnOnce(jiff::Timestamp) -> Outcome) -> Stage {
    let mut stage = returning();
    let now = stage.now;
    let slot = stage.slot_mut("Rag");
    slot.baseline.revision = arn("Rag", "pinned");
    slot.done.outcome = Some(answer(now));
    stage.services.get_mut("Rag").unwrap().complete();
    stage.now += Duration::from_secs(60);
    stage
}

fn accepted(at: jiff::Timestamp) -> Outcome {
    Outcome::Accepted { deployment: None, at }
}

fn native(status: S) -> ServiceDeployment {
    ServiceDeployment {
        arn: "arn:aws:ecs:us-west-2:123456789012:service-deployment/cluster/Rag/x".into(),
        status,
        reason: String::new(),
        revision: None,
        stage: None,
        created_at: at(0),
    }
}

fn phase(stage: &Stage) -> &'static str {
    stage.slot("Rag").phase.name()
}

#[test]
fn a_call_of_ours_that_shows_a_little_longer_is_not_repaired() {
    let mut stage = returning();
    ours_lands(&mut stage);
    stage.now += Duration::from_secs(59);
    assert_eq!(stage.look()[1], "ECS to leave ecs-svc/4");
    assert_eq!(stage.slot("Rag").repairs, 0);
    stage.now += Duration::from_secs(1);
    stage.look();
    assert_eq!(stage.slot("Rag").repairs, 1);
}

#[test]
fn a_native_strategy_that_goes_back_by_itself_is_not_repaired() {
    use Strategy::{Native, Rolling};
    for (strategy, status, goes_back) in [
        (Native, Some(S::StopRequested), true),
        (Native, Some(S::RollbackRequested), true),
        (Native, Some(S::RollbackInProgress), true),
        (Native, Some(S::InProgress), false),
        (Native, Some(S::Successful), false),
        (Native, None, false),
        (Rolling, Some(S::RollbackInProgress), false),
    ] {
        let mut stage = returning();
        ours_lands(&mut stage);
        stage.now += Duration::from_secs(60);
        let said = stage.look_and_see("Rag", |sighting| {
            sighting.strategy = strategy;
            sighting.service_deployment = status.map(native);
        });
        let what = format!("{strategy:?} {status:?}: {said:?}");
        assert_eq!(said[1] == "ECS to go back", goes_back, "{what}");
        assert_eq!(stage.slot("Rag").repairs == 0, goes_back, "{what}");
    }
}

#[test]
fn a_release_of_the_revision_that_ran_before_is_back_where_it_is() {
    let mut stage = returning();
    let before = stage.slot("Rag").baseline.revision.clone();
    stage.slot_mut("Rag").done.revision = Some(before);
    stage.pass(60);
    stage.look();
    assert_eq!(stage.phase(2), "rolled_back");
}

#[test]
fn the_revision_that_names_a_tag_is_not_the_way_back_that_was_asked_for() {
    let mut stage = unpinned(accepted);
    let pinned = arn("Rag", "pinned");
    assert_eq!(stage.look()[1], format!("ECS to bring {pinned} in"));
    stage.look_and_see("Rag", |sighting| sighting.deployments[0].revision = pinned);
    assert_eq!(stage.phase(2), "rolled_back");
}

#[test]
fn where_ecs_went_back_by_itself_deploy_compares_the_bytes() {
    let mut stage = unpinned(accepted);
    let before = stage.slot("Rag").asked.generation;
    let see = |stage: &mut Stage, status: S| {
        stage.look_and_see("Rag", |sighting| {
            sighting.strategy = Strategy::Native;
            sighting.service_deployment = Some(native(status));
        })
    };
    assert_eq!(see(&mut stage, S::RollbackInProgress)[1], "ECS to go back");
    assert_eq!(stage.slot("Rag").asked.generation, before);
    assert_eq!(see(&mut stage, S::RollbackSuccessful)[1], "deploy to answer");
    assert_eq!(stage.slot("Rag").asked.generation, before + 1);
}

#[test]
fn bytes_that_were_compared_are_compared_again_when_they_are_deployed_anew() {
    let made = |seconds: i64, pinned: bool| {
        let mut stage = unpinned(|at| Outcome::Already { at });
        if pinned {
            let slot = stage.slot_mut("Rag");
            slot.baseline.revision = slot.baseline.running.clone();
        }
        let Some(Outcome::Already { at }) = stage.slot("Rag").done.outcome else { panic!() };
        stage.look_and_see("Rag", |sighting| {
            sighting.deployments[0].created_at = at + jiff::SignedDuration::from_secs(seconds);
        });
        phase(&stage)
    };
    assert_eq!(made(-15, false), "returned");
    assert_eq!(
        made(-14, false),
        "returning",
        "the look that deploy compared by may not have shown it"
    );
    assert_eq!(made(1, false), "returning", "its tag may mean other bytes by now");
    assert_eq!(made(1, true), "returned", "a pinned revision means the same bytes for ever");
}

#[test]
fn a_baseline_that_was_well_before_is_back_when_it_is_settled() {
    let mut stage = returning();
    stage.services.get_mut("Rag").unwrap().complete();
    stage.now += Duration::from_secs(60);
    let said = stage.look_and_see("Rag", |sighting| {
        sighting.deployments[0].rollout = Some(RolloutState::InProgress);
    });
    assert_eq!(said[1], "ECS to complete it (1 of 1 tasks run)");
    let mut ours = stage.services["Rag"].deployments[0].clone();
    ours.revision = stage.slot("Rag").ours().unwrap().to_owned();
    (ours.primary, ours.running) = (false, 1);
    // Behind a Classic Load Balancer it says nothing of the kind.
    let said = stage.look_and_see("Rag", |sighting| {
        sighting.deployments[0].rollout = None;
        sighting.deployments.push(ours.clone());
    });
    assert_eq!(said[1], "1 tasks of other revisions to stop");
    // The release's tasks may still drain where ECS itself says that it is done.
    stage.look_and_see("Rag", |sighting| sighting.deployments.push(ours));
    assert_eq!(stage.phase(2), "rolled_back");
}

#[test]
fn a_way_back_that_is_only_ever_put_off_has_failed_when_its_time_is_up() {
    let mut stage = returning();
    let SlotPhase::Returning { deadline, .. } = stage.slot("Rag").phase else { panic!() };
    stage.slot_mut("Rag").done.outcome = Some(Outcome::Throttled { until: deadline });
    stage.now = deadline - Duration::from_secs(1);
    assert_eq!(stage.advance()[1], "AWS throttles; it is asked again");
    stage.now = deadline;
    stage.advance();
    let SlotPhase::ReturnFailed { failure } = &stage.slot("Rag").phase else { panic!() };
    let cause = "the rollback is not stable in time: still waiting for an answer, though it was \
                 asked again";
    assert_eq!(failure.cause, cause);
}

#[test]
fn what_is_back_says_which_bytes_are_live_there() {
    let mut stage = returning();
    stage.play();
    let slot = stage.slot("Rag");
    let digest = slot.baseline.images[0].digest.clone().unwrap();
    assert_eq!(slot.live, [("main".to_owned(), digest)].into());
}
