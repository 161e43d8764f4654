//! Tidegate is not alone: ECS goes back by itself, people deploy beside it, and a way back breaks.

use serde_json::json;
use tidegate_core::model::{NoticeKind, Phase, Severity};
use tidegate_local::ecs::{RollbackShape, SeedService};
use tidegate_local::seed::Fleet;
use tidegate_tests::faults::SMALL;
use tidegate_tests::fleet::is_live;
use tidegate_tests::{Stage, play, play_on};

const PIPELINE: &str = "someli-production";
const FIRST: &str = "someli-production/1";

/// A breaker that trips at the first failed task, before Tidegate has seen enough of them.
fn nervous(seed: &mut SeedService) {
    seed.desired = 2;
    seed.settings = json!({ "deploymentConfiguration": { "deploymentCircuitBreaker": {
        "enable": true, "rollback": true, "thresholdConfiguration": { "type": "COUNT", "value": 1 },
    } } });
}

async fn frozen(stage: &Stage) -> bool {
    stage.scene(PIPELINE).await.head.freeze.is_some()
}

/// Nothing further happens for ten minutes: no call that changes a service.
async fn all_is_quiet(stage: &Stage) {
    let calls = || stage.called("deploy", "UpdateService").len();
    let before = calls();
    stage.twin.run_for(std::time::Duration::from_secs(600)).await;
    assert_eq!(calls(), before, "somebody moved a service");
}

// ---- ECS's breaker ----

#[test]
fn a_rollback_by_ecs_is_a_failure_though_the_service_is_steady_again() {
    for (seed, shape) in [(1, RollbackShape::NewId), (2, RollbackShape::OldId)] {
        let fleet = Fleet { refit: &nervous, ..Fleet::default() };
        // So many tasks never fail here: only the breaker can say it.
        let patient = SMALL.replace("failed_tasks: 2", "failed_tasks: 9");
        play_on(fleet, seed, &patient, async |stage| {
            stage.befalls("Rag", |cloud, _, _| {
                cloud.ecs.switches.rollback = shape;
                cloud.ecs.switches.lag = std::time::Duration::ZERO;
            });
            stage.adopt().await;
            let old = stage.digest("Rag");
            let bad = stage.push("uapi", "crash");
            let release = stage.end_of(FIRST).await;
            assert_eq!(release.phase.name(), "rolled_back", "{shape:?}");
            let cause = release.failure.expect("a failure").cause;
            assert!(cause.contains("ECS"), "{shape:?}: {cause}");
            assert!(stage.is_blocked(PIPELINE, &bad).await, "{shape:?}");
            use NoticeKind as N;
            assert_eq!(stage.kinds(FIRST).await, [N::Started, N::RollbackStarted, N::RolledBack]);
            stage.everything_runs(&old);
            // The bytes are right already, though the revision names a tag: nothing is moved again.
            assert_eq!(stage.updates("Rag"), 1, "{shape:?}");
            assert_eq!(stage.updates("Carousel"), 0, "{shape:?}: its wave never opened");
        });
    }
}

#[test]
fn a_breaker_without_rollback_leaves_the_way_back_to_tidegate() {
    let stalls = |seed: &mut SeedService| {
        nervous(seed);
        seed.settings["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"] =
            json!(false);
    };
    let fleet = Fleet { refit: &stalls, ..Fleet::default() };
    play_on(fleet, 3, &SMALL.replace("failed_tasks: 2", "failed_tasks: 9"), async |stage| {
        stage.adopt().await;
        let old = stage.digest("Rag");
        stage.push("uapi", "crash");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back");
        assert_eq!(stage.digest("Rag"), old);
        assert_eq!(stage.updates("Rag"), 2, "there and back");
    });
}

// ---- people beside Tidegate ----

#[test]
fn somebody_elses_deployment_in_mid_rollout_survives() {
    // Each: the service that somebody changes, and when.
    for (seed, service, when) in
        [(4, "Rag", "settling"), (5, "Carousel", "queued"), (6, "AI_CONTENT", "healthy")]
    {
        play(seed, SMALL, async |stage| {
            stage.adopt().await;
            let old = stage.digest("Carousel");
            stage.push("uapi", "healthy");
            stage.until_service(PIPELINE, service, when).await;
            let theirs = stage.register_another(service, Some(&old));
            stage.update(service, json!({ "taskDefinition": theirs }));
            let moved = stage.updates(service);

            let release = stage.end_of(FIRST).await;
            assert_eq!(release.phase.name(), "drifted", "{service} {when}");
            all_is_quiet(stage).await;
            assert_eq!(stage.revision(service), theirs, "{service} {when}");
            assert_eq!(stage.updates(service), moved, "{service} {when}: it is left alone");
            if service == "Rag" {
                assert_eq!(stage.digest("AI_CONTENT"), old, "no further wave opens");
            }
            assert!(frozen(stage).await, "{service} {when}");
            let last = stage.notices(FIRST).await.pop().expect("a notice");
            assert_eq!(last.kind, NoticeKind::Drifted);
            assert!(last.targets.iter().any(|line| line.contains(service)), "{last:?}");

            // The next push waits for a person.
            stage.push("uapi", "healthy");
            all_is_quiet(stage).await;
            assert_eq!(stage.release("someli-production/2").await.phase.name(), "waiting");
        });
    }
}

#[test]
fn somebody_elses_deployment_in_a_rollback_survives_and_the_others_come_back() {
    play(7, SMALL, async |stage| {
        stage.adopt().await;
        let old = stage.digest("Rag");
        stage.push("uapi", "healthy");
        stage.until_service(PIPELINE, "Rag", "healthy").await;
        stage.does("rollback someli-production --yes").await;
        stage.until_service(PIPELINE, "Carousel", "returning").await;
        stage.twin.run_for(std::time::Duration::from_secs(10)).await; // deploy has called ECS
        let theirs = stage.register_another("Carousel", None);
        stage.update("Carousel", json!({ "taskDefinition": theirs }));
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "drifted");
        assert_eq!(stage.revision("Carousel"), theirs);
        assert_eq!(stage.digest("Rag"), old);
        assert_eq!(stage.digest("AI_CONTENT"), old);
        assert!(frozen(stage).await);
    });
}

#[test]
fn who_deploys_our_revision_anew_helps_and_is_adopted() {
    for (seed, when) in [(8, "settling"), (9, "healthy")] {
        play(seed, SMALL, async |stage| {
            stage.adopt().await;
            let new = stage.push("uapi", "healthy");
            stage.until_service(PIPELINE, "Rag", when).await;
            let before = stage.primary("Rag")["id"].clone();
            stage.update("Rag", json!({ "forceNewDeployment": true }));
            assert_ne!(stage.primary("Rag")["id"], before, "another deployment");
            assert!(is_live(&stage.end_of(FIRST).await), "{when}");
            stage.everything_runs(&new);
            assert!(!frozen(stage).await, "{when}");
        });
    }
}

#[test]
fn who_deploys_the_same_bytes_under_another_revision_is_adopted() {
    play(10, SMALL, async |stage| {
        stage.adopt().await;
        let new = stage.push("uapi", "healthy");
        stage.until_service(PIPELINE, "Rag", "settling").await;
        let theirs = stage.register_another("Rag", None); // of what it runs: our bytes, more cpu
        stage.update("Rag", json!({ "taskDefinition": theirs }));
        assert!(is_live(&stage.end_of(FIRST).await));
        assert_eq!(stage.revision("Rag"), theirs);
        stage.everything_runs(&new);
    });
}

#[test]
fn who_puts_a_service_back_fails_the_release_and_blames_no_image() {
    play(11, SMALL, async |stage| {
        stage.adopt().await;
        let old = stage.digest("Rag");
        let was = stage.revision("Rag");
        let new = stage.push("uapi", "healthy");
        stage.until_service(PIPELINE, "Rag", "settling").await;
        stage.update("Rag", json!({ "taskDefinition": was }));
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back");
        assert!(!stage.is_blocked(PIPELINE, &new).await);
        // Their call resolved the tag anew, to the new bytes; what comes back is what ran before.
        stage.everything_runs(&old);
    });
}

#[test]
fn autoscaling_in_mid_release_is_nobodys_drift() {
    play(12, SMALL, async |stage| {
        stage.adopt().await;
        let new = stage.push("uapi", "healthy");
        stage.until_service(PIPELINE, "Rag", "settling").await;
        stage.befalls("Rag", |cloud, name, now| cloud.ecs.autoscale(name, 3, now, &cloud.ecr));
        assert!(is_live(&stage.end_of(FIRST).await));
        stage.everything_runs(&new);
        assert_eq!(stage.tasks("Rag").len(), 3, "nobody puts the count back");
    });
}

// ---- a way back that breaks ----

#[test]
fn a_rollback_that_fails_is_critical_and_the_next_push_waits() {
    play(13, SMALL, async |stage| {
        stage.adopt().await;
        let old = stage.digest("Rag");
        stage.push("uapi", "crash");
        stage.until_service(PIPELINE, "Rag", "settling").await;
        // Somebody cleans the registry up while the release moves.
        stage.ecr("BatchDeleteImage", json!({ "imageIds": [{ "imageDigest": old }] }));

        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rollback_failed");
        assert!(frozen(stage).await);
        let notices = stage.notices(FIRST).await;
        let last = notices.last().expect("a notice");
        assert_eq!((last.kind, last.severity), (NoticeKind::RollbackFailed, Severity::Critical));
        let rollbacks = notices.iter().filter(|it| it.kind == NoticeKind::RollbackStarted).count();
        assert_eq!(rollbacks, 1, "a rollback never causes a rollback");
        let (exit, ..) = stage.tidegate("show someli-production/1").await;
        assert_eq!(exit, 22);

        stage.push("uapi", "healthy");
        all_is_quiet(stage).await;
        let next = stage.release("someli-production/2").await;
        assert!(matches!(next.phase, Phase::Waiting { .. }), "{next:?}");
    });
}
