//! Services run `…:uapi`, and every build pushes `uapi`: the tag means the new bytes before anything
//! has moved, so the way back is the digest that really runs, or there is none and that is said.

use std::time::Duration;

use serde_json::json;
use tidegate_core::model::{NoticeKind, Phase, Release, Severity};
use tidegate_local::ecs::ServiceName;
use tidegate_tests::faults::SMALL;
use tidegate_tests::fleet::is_live;
use tidegate_tests::{Stage, play};

const MINUTE: Duration = Duration::from_secs(60);

fn held(release: &Release) -> bool {
    matches!(release.phase, Phase::Surveying { held: Some(_), .. })
}

/// SMALL in force over services that run `uapi`; what they run.
async fn in_force(stage: &Stage) -> String {
    stage.apply(SMALL).await;
    stage.digest("Rag")
}

fn updates(stage: &Stage) -> usize {
    stage.writes().iter().filter(|call| call.starts_with("UpdateService")).count()
}

fn put_lifecycle(stage: &Stage, rules: &serde_json::Value) {
    let policy = json!({ "rules": rules }).to_string();
    stage.ecr("PutLifecyclePolicy", json!({ "lifecyclePolicyText": policy }));
}

#[test]
fn the_rollback_brings_back_the_old_digest_though_the_tag_means_the_new_one() {
    play(31, SMALL, async |stage| {
        let old = in_force(stage).await;
        let bad = stage.push("uapi", "crash");
        let release = stage.end_of("someli-production/2").await;
        assert!(matches!(release.phase, Phase::RolledBack { .. }), "{release:#?}");
        assert_eq!(stage.shown("live_crons", "uapi"), Some(bad), "the tag stays where it was put");
        stage.everything_runs(&old);

        // And it holds: a task that must be replaced starts with the old bytes too.
        let rag = ServiceName::new("live-crons", "Rag");
        stage.twin.world.with(|cloud, now| {
            let tasks = cloud.ecs.running_tasks(&rag);
            cloud.ecs.stop_by_user(&tasks[0], now, &cloud.ecr);
        });
        stage.twin.run_for(5 * MINUTE).await;
        stage.everything_runs(&old);
    });
}

#[test]
fn without_the_old_image_the_release_waits_and_a_person_decides() {
    play(32, SMALL, async |stage| {
        let old = in_force(stage).await;
        stage.push("uapi", "healthy");
        stage
            .twin
            .world
            .with(|cloud, now| assert!(cloud.ecr.delete_image("live_crons", &old, now)));
        stage.until("someli-production/2", 5 * MINUTE, held).await;
        stage.twin.run_for(10 * MINUTE).await;
        assert_eq!(updates(stage), 0, "nothing moved");
        stage.everything_runs(&old);

        assert_eq!(stage.kinds_published(), ["waiting"], "told once");
        let told = stage.published()[0].message["email"].as_str().expect("a text").to_owned();
        assert!(told.contains("no way back is known"), "{told}");
        assert!(told.contains("deleted from live_crons or archived"), "{told}");
        let (exit, status, _) = stage.tidegate("status someli-production").await;
        let way_out = "tidegate start someli-production/2 --without-way-back";
        assert_eq!(exit, 20, "{status}");
        assert!(status.contains(way_out) && told.contains(way_out), "{status}\n{told}");

        // A newer push takes its place, and is held for the same reason.
        let newer = stage.push("uapi", "healthy");
        stage.until("someli-production/3", 5 * MINUTE, held).await;
        let gone = stage.release("someli-production/2").await;
        assert!(matches!(gone.phase, Phase::Superseded { by: 3, .. }), "{gone:#?}");

        let line = "start someli-production/3 --without-way-back --yes";
        let (exit, out, talk) = stage.tidegate(line).await;
        assert_eq!(exit, 0, "{out}{talk}");
        let release = stage.end_of("someli-production/3").await;
        assert!(is_live(&release), "{release:#?}");
        stage.everything_runs(&newer);
    });
}

#[test]
fn what_was_started_without_a_way_back_and_crashes_stops_in_a_named_state() {
    play(33, SMALL, async |stage| {
        let old = in_force(stage).await;
        let bad = stage.push("uapi", "crash");
        stage
            .twin
            .world
            .with(|cloud, now| assert!(cloud.ecr.delete_image("live_crons", &old, now)));
        stage.until("someli-production/2", 5 * MINUTE, held).await;
        let line = "start someli-production/2 --without-way-back --yes";
        assert_eq!(stage.tidegate(line).await.0, 0);
        let release = stage.end_of("someli-production/2").await;
        assert!(matches!(release.phase, Phase::RollbackFailed { .. }), "{release:#?}");
        let scene = stage.scene("someli-production").await;
        assert!(scene.head.freeze.is_some(), "frozen");
        assert!(scene.blocked.keys().any(|digest| digest.as_str() == bad), "the image is to blame");
        let notices = stage.notices("someli-production/2").await;
        let last = notices.last().expect("people are told");
        assert_eq!((last.kind, last.severity), (NoticeKind::RollbackFailed, Severity::Critical));
        // The services that were not reached yet still run the old bytes.
        assert_eq!(stage.runs("Carousel"), [old].into());
    });
}

#[test]
fn a_rule_that_would_take_the_old_image_is_said_before_anything_moves() {
    let any = json!([{
        "rulePriority": 2,
        "selection": { "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1 },
        "action": { "type": "expire" },
    }]);
    play(34, SMALL, async |stage| {
        in_force(stage).await;
        put_lifecycle(stage, &any);
        stage.push("uapi", "healthy");
        let rolling = |release: &Release| matches!(release.phase, Phase::Rolling { .. });
        stage.until("someli-production/2", 5 * MINUTE, rolling).await;

        let started = &stage.notices("someli-production/2").await[0];
        assert_eq!((started.kind, started.severity), (NoticeKind::Started, Severity::Warning));
        let text = started.text.join("\n");
        assert!(text.contains("lifecycle rule 2"), "{text}");
        assert!(
            text.contains("tidegate-keep-"),
            "the rule that would prevent it is printed: {text}"
        );
        let (_, show, _) = stage.tidegate("show someli-production/2").await;
        assert!(show.contains("lifecycle rule 2"), "{show}");
    });
}

#[test]
fn the_keep_tag_keeps_the_old_image_from_a_rule_for_untagged_ones() {
    let untagged = json!([{
        "rulePriority": 1,
        "selection": {
            "tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days",
            "countNumber": 1,
        },
        "action": { "type": "expire" },
    }]);
    play(35, SMALL, async |stage| {
        let old = in_force(stage).await;
        stage.twin.run_for(60 * MINUTE).await;
        put_lifecycle(stage, &untagged);
        stage.push("uapi", "crash-after=20s");
        let rolling = |release: &Release| matches!(release.phase, Phase::Rolling { .. });
        stage.until("someli-production/2", 5 * MINUTE, rolling).await;
        let started = &stage.notices("someli-production/2").await[0];
        assert_eq!(started.severity, Severity::Info, "nothing threatens it: {started:#?}");

        let expired = stage.twin.world.with(|cloud, now| cloud.ecr.expire_now("live_crons", now));
        assert_eq!(expired, [""; 0], "the push left the old image without its own tag");
        let release = stage.end_of("someli-production/2").await;
        assert!(matches!(release.phase, Phase::RolledBack { .. }), "{release:#?}");
        stage.everything_runs(&old);
    });
}

#[test]
fn a_push_that_was_deleted_before_its_turn_moves_nothing_and_is_said() {
    play(38, SMALL, async |stage| {
        let old = in_force(stage).await;
        stage.does("freeze someli-production --reason audit").await;
        let pushed = stage.push("uapi", "healthy");
        stage.twin.run_for(MINUTE).await;
        stage.twin.world.with(|cloud, now| {
            assert!(cloud.ecr.delete_image("live_crons", &pushed, now));
        });
        stage.does("unfreeze someli-production").await;
        stage.until("someli-production/2", 5 * MINUTE, held).await;
        stage.twin.run_for(10 * MINUTE).await;
        assert_eq!(updates(stage), 0, "nothing moved");
        stage.everything_runs(&old);
        let told = stage.published()[0].message["email"].as_str().expect("a text").to_owned();
        assert!(told.contains("is deleted from live_crons or archived: push it again"), "{told}");

        let again = stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of("someli-production/3").await));
        stage.everything_runs(&again);
    });
}
