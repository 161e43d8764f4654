//! ECS rolls back by itself, or gives up: never a success.

use jiff::SignedDuration;

use crate::model::{Blame, SlotPhase};
use crate::sighting::{RolloutState, ServiceDeployment, ServiceDeploymentStatus as S, Strategy};
use crate::stage::{Behaviour, Stage, digest};

/// In mid-rollout, a minute in, with bytes that never become steady.
fn hanging() -> Stage {
    let mut stage = Stage::of(&[&["Rag"]]);
    stage.behaviours.insert(digest("b1"), Behaviour::Hangs);
    stage.push("b1");
    stage.work();
    stage.tick();
    assert_eq!(stage.slot("Rag").phase.name(), "settling");
    stage
}

fn back(stage: &mut Stage, same_id: bool) {
    let now = stage.now;
    stage.services.get_mut("Rag").unwrap().roll_back_by_itself(same_id, now);
}

fn failure(stage: &Stage) -> &crate::model::Failure {
    stage.release(2).failure.as_ref().unwrap()
}

#[test]
fn the_breakers_rollback_is_a_failure_in_both_shapes() {
    for same_id in [false, true] {
        let mut stage = hanging();
        back(&mut stage, same_id);
        stage.look();
        assert_eq!(stage.phase(2), "rolling_back", "same id: {same_id}");
        assert_eq!(failure(&stage).cause, "Rag: ECS rolled it back by itself");
        assert_eq!(failure(&stage).blame, Blame::Other, "no task says that it is the image");
        stage.play();
        assert_eq!(stage.phase(2), "rolled_back", "same id: {same_id}");
        assert!(stage.table.blocks.is_empty());
        assert_eq!(stage.told().len(), 3);
    }
}

#[test]
fn steady_again_on_the_old_revision_is_a_failure() {
    for same_id in [false, true] {
        let mut stage = hanging();
        back(&mut stage, same_id);
        stage.services.get_mut("Rag").unwrap().complete();
        // It is steady and complete, and even ECS's words for the rollback are gone.
        stage.look();
        assert_eq!(stage.slot("Rag").phase.name(), "settling", "one look is not enough");
        stage.tick();
        assert_eq!(stage.phase(2), "rolling_back");
        // The old deployment's own id gives ECS away.
        let who = if same_id { "ECS rolled it back" } else { "somebody put it back" };
        assert!(failure(&stage).cause.contains(who), "{}", failure(&stage).cause);
        stage.play();
        assert_eq!(stage.phase(2), "rolled_back");
    }
}

#[test]
fn only_a_deployment_older_than_our_call_was_there_before_it() {
    for (seconds, by_ecs) in [(-1, true), (0, false)] {
        let mut stage = hanging();
        let slot = stage.slot("Rag");
        let (old, called) = (slot.baseline.revision.clone(), slot.done.called.unwrap());
        let now = stage.now;
        stage.services.get_mut("Rag").unwrap().update(&old, now);
        stage.look_and_see("Rag", |sighting| {
            sighting.deployments[0].created_at = called + SignedDuration::from_secs(seconds);
        });
        let cause = &failure(&stage).cause;
        assert_eq!(cause.ends_with("ECS rolled it back by itself"), by_ecs, "{cause}");
    }
}

#[test]
fn a_rollback_of_what_was_healthy_is_a_failure_too() {
    let mut stage = Stage::of(&[&["Rag"], &["Billing"]]);
    stage.push("b1");
    stage.work();
    stage.tick();
    let old = stage.slot("Rag").baseline.revision.clone();
    let now = stage.now;
    let rag = stage.services.get_mut("Rag").unwrap();
    rag.update(&old, now);
    rag.complete();
    stage.look();
    assert_eq!(failure(&stage).cause, "Rag: somebody put it back on its old revision");
    assert_eq!(failure(&stage).blame, Blame::Other);
    stage.play();
    assert_eq!(stage.phase(2), "rolled_back");
    assert!(stage.table.blocks.is_empty());
}

#[test]
fn what_is_put_back_within_seconds_of_being_healthy_is_no_lag() {
    for seconds in [0, 5] {
        let mut stage = Stage::of(&[&["Rag"]]);
        stage.push("b1");
        stage.work();
        stage.tick();
        assert_eq!(stage.slot("Rag").phase.name(), "healthy");
        stage.now += std::time::Duration::from_secs(seconds);
        let (old, now) = (stage.slot("Rag").baseline.revision.clone(), stage.now);
        stage.services.get_mut("Rag").unwrap().update(&old, now);
        stage.look();
        assert_eq!(failure(&stage).cause, "Rag: somebody put it back on its old revision");
    }
}

#[test]
fn a_rollback_that_only_its_words_give_away_is_ecss_own() {
    for (words, by_ecs) in [
        ("ECS deployment circuit breaker: tasks failed to start.", true),
        ("ECS deployment: rolling back to deploymentId ecs-svc/1.", true),
        ("ECS deployment failed: alarm detected.", true),
        ("ECS deployment ecs-svc/3 completed.", false),
    ] {
        let mut stage = hanging();
        let (old, now) = (stage.slot("Rag").baseline.revision.clone(), stage.now);
        let rag = stage.services.get_mut("Rag").unwrap();
        rag.update(&old, now);
        rag.complete();
        for _ in 0..2 {
            stage.pass(10);
            stage.look_and_see("Rag", |seen| seen.deployments[0].reason = words.to_owned());
        }
        let cause = &failure(&stage).cause;
        assert_eq!(cause.ends_with("ECS rolled it back by itself"), by_ecs, "{words}: {cause}");
        assert!(failure(&stage).evidence[0].ends_with(words), "{:?}", failure(&stage).evidence);
        let blame = if words.contains("alarm") { Blame::Image } else { Blame::Other };
        assert_eq!(failure(&stage).blame, blame, "an alarm rang for what ran: {words}");
    }
}

#[test]
fn a_breaker_that_only_gives_up_is_a_failure() {
    let mut stage = hanging();
    stage.look_and_see("Rag", |sighting| {
        sighting.deployments[0].rollout = Some(RolloutState::Failed);
        sighting.deployments[0].reason = "ECS deployment circuit breaker: task failed".into();
    });
    assert_eq!(failure(&stage).cause, "Rag: ECS gave the deployment up");
    assert_eq!(failure(&stage).evidence, ["ECS deployment circuit breaker: task failed"]);
    assert_eq!(failure(&stage).remedy, "`tidegate show` has the tasks' stop reasons");
    let evidence = |to: &str| {
        let entry = stage.table.journal.iter().rfind(|entry| entry.to == to).unwrap();
        entry.evidence.clone()
    };
    let ours = stage.slot("Rag").ours().unwrap();
    assert_eq!(evidence("settling"), [format!("revision {ours}")]);
    assert_eq!(evidence("failed"), ["ECS deployment circuit breaker: task failed"]);
}

#[test]
fn what_the_tasks_say_decides_whether_the_breaker_blames_the_image() {
    let mut stage = hanging();
    stage.config_mut().watch.failed_tasks = 9;
    stage.services.get_mut("Rag").unwrap().desired = 3;
    stage.slot_mut("Rag").baseline.desired = 3;
    stage.task_stops("Rag", |task| {
        task.reason = "ResourceInitializationError: unable to pull secrets: AccessDenied".into();
    });
    back(&mut stage, false);
    stage.look();
    assert_eq!(failure(&stage).blame, Blame::Other);
}

fn native(status: S, revision: &str) -> ServiceDeployment {
    ServiceDeployment {
        arn: "arn:aws:ecs:us-west-2:123456789012:service-deployment/cluster/Rag/x".into(),
        status,
        reason: format!("{status:?}"),
        revision: Some(revision.to_owned()),
        stage: Some("BAKE_TIME".into()),
        created_at: crate::stage::at(0),
    }
}

#[test]
fn a_native_strategy_is_judged_by_the_service_deployment_of_our_revision() {
    for (status, of_ours, expected) in [
        (S::Pending, true, "settling"),
        (S::InProgress, true, "settling"),
        (S::Successful, true, "healthy"),
        (S::Successful, false, "settling"),
        (S::StopRequested, true, "returning"),
        (S::Stopped, true, "returning"),
        (S::RollbackRequested, true, "returning"),
        (S::RollbackInProgress, true, "returning"),
        (S::RollbackSuccessful, true, "returning"),
        (S::RollbackFailed, true, "returning"),
        (S::RollbackFailed, false, "settling"),
    ] {
        let mut stage = hanging();
        let slot = stage.slot("Rag");
        let revision = if of_ours { slot.ours().unwrap() } else { &slot.baseline.revision };
        let deployment = native(status, revision);
        stage.look_and_see("Rag", |sighting| {
            sighting.strategy = Strategy::Native;
            sighting.service_deployment = Some(deployment);
            sighting.deployments[0].rollout = None;
            sighting.deployments[0].running = 1;
        });
        assert_eq!(stage.slot("Rag").phase.name(), expected, "{status:?}, ours: {of_ours}");
    }
}

#[test]
fn a_service_deployment_counts_where_ecs_names_no_revision_and_only_for_native_strategies() {
    for (strategy, status, expected) in [
        (Strategy::Native, S::Successful, "healthy"),
        (Strategy::Native, S::RollbackFailed, "returning"),
        (Strategy::Rolling, S::RollbackFailed, "settling"),
    ] {
        let mut stage = hanging();
        stage.look_and_see("Rag", |sighting| {
            sighting.strategy = strategy;
            let unnamed = ServiceDeployment { revision: None, ..native(status, "") };
            sighting.service_deployment = Some(unnamed);
            sighting.deployments[0].running = 1;
        });
        assert_eq!(stage.slot("Rag").phase.name(), expected, "{strategy:?} {status:?}");
    }
}

#[test]
fn a_native_rollback_that_is_over_already_is_ecss_own() {
    let mut stage = hanging();
    let slot = stage.slot("Rag");
    let (old, ours) = (slot.baseline.revision.clone(), slot.ours().unwrap().to_owned());
    let now = stage.now;
    let rag = stage.services.get_mut("Rag").unwrap();
    rag.update(&old, now);
    rag.complete();
    let see = |stage: &mut Stage| {
        let deployment = native(S::RollbackSuccessful, &ours);
        stage.look_and_see("Rag", |sighting| {
            sighting.strategy = Strategy::Native;
            sighting.service_deployment = Some(deployment);
        });
    };
    see(&mut stage);
    stage.pass(10);
    see(&mut stage);
    assert_eq!(failure(&stage).cause, "Rag: ECS rolled it back by itself");
    assert!(matches!(stage.slot("Rag").phase, SlotPhase::Returning { .. }));
}
