//! Every state that a person must end, and every way out of it, typed as an operator types it.

use std::time::Duration;

use serde_json::{Value, json};
use tidegate_core::model::{NoticeKind, Phase, Release};
use tidegate_local::ecs::SeedService;
use tidegate_local::seed::Fleet;
use tidegate_tests::faults::SMALL;
use tidegate_tests::fleet::is_live;
use tidegate_tests::{Stage, play, play_on};

const PIPELINE: &str = "someli-production";
const FIRST: &str = "someli-production/1";
const SECOND: &str = "someli-production/2";
const MINUTE: Duration = Duration::from_secs(60);

fn was_accepted(release: &Release) -> bool {
    matches!(release.phase, Phase::Live { accepted: true, .. })
}

fn careful() -> String {
    SMALL.replace("on_failure: rollback", "on_failure: freeze")
}

/// The pipeline is frozen, a push waits, and only `unfreeze` lets it go and become live.
async fn unfreeze_lets_the_next_push_go(stage: &Stage, next: &str) {
    let new = stage.push("uapi", "healthy");
    stage.twin.run_for(5 * MINUTE).await;
    assert_eq!(stage.release(next).await.phase.name(), "waiting");
    let (exit, status, _) = stage.tidegate("status someli-production").await;
    assert_eq!(exit, 20, "{status}");
    assert!(status.contains("tidegate unfreeze someli-production"), "{status}");
    stage.does("unfreeze someli-production").await;
    assert!(is_live(&stage.end_of(next).await));
    stage.everything_runs(&new);
}

/// `unfreeze` alone is no way out: it says which command is.
async fn unfreeze_is_refused(stage: &Stage) {
    let said = stage.refuses("unfreeze someli-production").await;
    assert!(said.contains("tidegate rollback someli-production"), "{said}");
    assert!(said.contains("tidegate accept someli-production"), "{said}");
}

// ---- frozen ----

#[test]
fn a_careful_pipeline_touches_nothing_and_rollback_brings_it_back() {
    play(1, &careful(), async |stage| {
        stage.adopt().await;
        let old = stage.digest("Carousel");
        let bad = stage.push("uapi", "crash");
        assert_eq!(stage.end_of(FIRST).await.phase.name(), "frozen");
        assert_eq!(stage.kinds(FIRST).await.last(), Some(&NoticeKind::Frozen));
        stage.twin.run_for(10 * MINUTE).await;
        assert_eq!(stage.updates("Rag"), 1, "nothing is touched");
        unfreeze_is_refused(stage).await;

        stage.does("rollback someli-production --yes").await;
        assert_eq!(stage.end_of(FIRST).await.phase.name(), "rolled_back");
        stage.everything_runs(&old);
        assert!(stage.is_blocked(PIPELINE, &bad).await);
        unfreeze_lets_the_next_push_go(stage, SECOND).await;
    });
}

#[test]
fn a_careful_pipeline_can_be_accepted() {
    play(2, &careful(), async |stage| {
        stage.adopt().await;
        stage.push("uapi", "crash");
        assert_eq!(stage.end_of(FIRST).await.phase.name(), "frozen");
        stage.does("accept someli-production --yes").await;
        assert!(was_accepted(&stage.release(FIRST).await));
        stage.twin.run_for(5 * MINUTE).await;
        assert_eq!(stage.updates("Rag"), 1, "what was accepted is not touched");
    });
}

#[test]
fn time_that_is_up_without_evidence_is_not_a_failure_of_the_image() {
    for (seed, on_timeout, end) in [(3, "rollback", "rolled_back"), (4, "freeze", "frozen")] {
        let config = SMALL.replace("on_timeout: rollback", &format!("on_timeout: {on_timeout}"));
        play(seed, &config, async |stage| {
            stage.adopt().await;
            let slow = stage.push("uapi", "slow=20m");
            let release = stage.end_of(FIRST).await;
            assert_eq!(release.phase.name(), end);
            assert!(!stage.is_blocked(PIPELINE, &slow).await, "{on_timeout}");
            let failure = release.failure.expect("a failure").cause;
            assert!(failure.contains("in time"), "{failure}");
            if end == "frozen" {
                unfreeze_is_refused(stage).await;
                stage.does("accept someli-production --yes").await;
                unfreeze_lets_the_next_push_go(stage, SECOND).await;
            }
        });
    }
}

// ---- rollback_failed ----

/// A release whose rollback failed because somebody deleted what ran before. Returns that image.
async fn a_rollback_fails(stage: &Stage) -> (String, Value) {
    stage.adopt().await;
    let old = stage.digest("Rag");
    let ids = json!({ "imageIds": [{ "imageDigest": old }] });
    let image = stage.ecr("BatchGetImage", ids.clone())["images"][0].clone();
    stage.push("uapi", "crash");
    stage.until_service(PIPELINE, "Rag", "settling").await;
    stage.ecr("BatchDeleteImage", ids);
    assert_eq!(stage.end_of(FIRST).await.phase.name(), "rollback_failed");
    (old, image)
}

#[test]
fn a_failed_rollback_is_asked_for_again() {
    play(5, SMALL, async |stage| {
        let (old, image) = a_rollback_fails(stage).await;
        unfreeze_is_refused(stage).await;
        let restored = json!({
            "imageManifest": image["imageManifest"], "imageTag": "tidegate-restored",
        });
        stage.ecr("PutImage", restored);
        stage.does("rollback someli-production --yes").await;
        assert_eq!(stage.end_of(FIRST).await.phase.name(), "rolled_back");
        stage.everything_runs(&old);
        unfreeze_lets_the_next_push_go(stage, SECOND).await;
    });
}

#[test]
fn a_failed_rollback_that_fails_again_says_so_again() {
    play(6, SMALL, async |stage| {
        a_rollback_fails(stage).await;
        stage.does("rollback someli-production --yes").await;
        assert_eq!(stage.until_phase(FIRST, "rolling_back").await.phase.name(), "rolling_back");
        assert_eq!(stage.end_of(FIRST).await.phase.name(), "rollback_failed");
        assert_eq!(stage.kinds(FIRST).await.last(), Some(&NoticeKind::RollbackFailed));
        stage.does("accept someli-production --yes").await;
        assert!(was_accepted(&stage.release(FIRST).await));
    });
}

// ---- drifted ----

/// A release that stopped because somebody deployed to Carousel, of the second wave, when Rag ran
/// the new bytes. Returns the old bytes, the new ones, and Carousel's revision.
async fn a_release_drifts(stage: &Stage) -> (String, String, String) {
    stage.adopt().await;
    let old = stage.digest("Rag");
    let new = stage.push("uapi", "healthy");
    stage.until_service(PIPELINE, "Carousel", "settling").await;
    let theirs = stage.register_another("Carousel", Some(&old));
    stage.update("Carousel", json!({ "taskDefinition": theirs }));
    assert_eq!(stage.end_of(FIRST).await.phase.name(), "drifted");
    (old, new, theirs)
}

#[test]
fn rollback_of_a_drifted_release_leaves_what_somebody_else_changed() {
    play(7, SMALL, async |stage| {
        let (old, _, theirs) = a_release_drifts(stage).await;
        unfreeze_is_refused(stage).await;
        stage.does("rollback someli-production --yes").await;
        // The others are back; the release still names the one that a person must look at.
        assert_eq!(stage.end_of(FIRST).await.phase.name(), "drifted");
        assert_eq!(stage.digest("Rag"), old);
        assert_eq!(stage.digest("AI_CONTENT"), old);
        assert_eq!(stage.revision("Carousel"), theirs);
        stage.does("accept someli-production --yes").await;
        unfreeze_lets_the_next_push_go(stage, SECOND).await;
    });
}

#[test]
fn rollback_can_include_what_somebody_else_changed() {
    play(8, SMALL, async |stage| {
        let (old, ..) = a_release_drifts(stage).await;
        stage.does("rollback someli-production --include-drifted --yes").await;
        assert_eq!(stage.end_of(FIRST).await.phase.name(), "rolled_back");
        stage.everything_runs(&old);
        unfreeze_lets_the_next_push_go(stage, SECOND).await;
    });
}

#[test]
fn a_drifted_release_can_be_accepted() {
    play(9, SMALL, async |stage| {
        let (_, new, theirs) = a_release_drifts(stage).await;
        stage.does("accept someli-production --yes").await;
        assert!(was_accepted(&stage.release(FIRST).await));
        assert_eq!(stage.digest("Rag"), new);
        assert_eq!(stage.revision("Carousel"), theirs);
        unfreeze_lets_the_next_push_go(stage, SECOND).await;
    });
}

// ---- abandoned ----

#[test]
fn an_abandoned_release_leaves_everything_as_it_is() {
    play(10, SMALL, async |stage| {
        stage.adopt().await;
        let old = stage.digest("Carousel");
        let new = stage.push("uapi", "healthy");
        stage.until_service(PIPELINE, "Rag", "healthy").await;
        stage.until_service(PIPELINE, "Carousel", "settling").await;
        stage.does("abandon someli-production --yes").await;
        assert_eq!(stage.end_of(FIRST).await.phase.name(), "abandoned");
        assert_eq!(stage.kinds(FIRST).await.last(), Some(&NoticeKind::Abandoned));
        let (exit, ..) = stage.tidegate("show someli-production/1").await;
        assert_eq!(exit, 22);
        let calls = stage.called("deploy", "UpdateService").len();
        stage.twin.run_for(5 * MINUTE).await;
        assert_eq!(stage.called("deploy", "UpdateService").len(), calls, "hands off");
        assert_eq!(stage.digest("Rag"), new);
        assert_ne!(stage.digest("Rag"), old);
        unfreeze_lets_the_next_push_go(stage, SECOND).await;
    });
}

// ---- a person stops what moves ----

#[test]
fn rollback_fails_a_release_that_moves_and_the_pipeline_goes_on() {
    play(11, SMALL, async |stage| {
        stage.adopt().await;
        let old = stage.digest("Rag");
        let unwanted = stage.push("uapi", "healthy");
        stage.until_service(PIPELINE, "Rag", "settling").await;
        stage.does("rollback someli-production --yes").await;
        let said = stage.refuses("rollback someli-production --yes").await;
        assert!(said.contains("already"), "{said}");
        assert_eq!(stage.end_of(FIRST).await.phase.name(), "rolled_back");
        stage.everything_runs(&old);
        assert!(!stage.is_blocked(PIPELINE, &unwanted).await, "a person's wish blames no image");
        // The sweep does not bring it again, and the next push is not held.
        stage.twin.run_for(10 * MINUTE).await;
        let better = stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of(SECOND).await));
        stage.everything_runs(&better);
    });
}

#[test]
fn a_freeze_holds_what_is_new_and_never_what_moves() {
    play(12, SMALL, async |stage| {
        stage.adopt().await;
        let first = stage.push("uapi", "healthy");
        stage.until_service(PIPELINE, "Rag", "settling").await;
        for verb in ["rollback", "abandon", "accept"] {
            let (exit, out, talk) = stage.tidegate(&format!("{verb} someli-production")).await;
            assert_eq!((exit, out.as_str()), (2, ""), "{verb}: {talk}");
            assert!(talk.contains(" someli-production/1 "), "{verb}: {talk}");
            assert!(talk.contains("nobody can be asked here; --yes goes on"), "{verb}: {talk}");
        }
        stage.does("freeze someli-production --reason holidays").await;
        assert!(is_live(&stage.end_of(FIRST).await), "it moved already");
        stage.everything_runs(&first);
        unfreeze_lets_the_next_push_go(stage, SECOND).await;
        let said = stage.refuses("unfreeze someli-production").await;
        assert!(said.contains("not frozen"), "{said}");
    });
}

#[test]
fn rollback_to_what_was_live_blocks_what_it_leaves_and_freezes() {
    play(13, SMALL, async |stage| {
        stage.adopt().await;
        let good = stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of(FIRST).await));
        let regretted = stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of(SECOND).await));
        stage.does("rollback someli-production --yes").await;
        assert!(is_live(&stage.end_of("someli-production/3").await));
        stage.everything_runs(&good);
        assert!(stage.is_blocked(PIPELINE, &regretted).await);
        // Who was called as well, and types the same a minute later, takes nothing away.
        let said = stage.refuses("rollback someli-production --yes").await;
        assert!(said.contains("someli-production/3 went back to 1 already, because"), "{said}");
        let elsewhere = "rollback someli-production --to 1 --include-drifted --yes";
        let (exit, _, talk) = stage.tidegate(elsewhere).await;
        assert_eq!(exit, 2, "{talk}");
        assert!(talk.contains("--include-drifted is for a release that has drifted"), "{talk}");
        // The tag still shows what was left: neither sweep nor unfreeze brings it back.
        stage.twin.run_for(12 * MINUTE).await;
        stage.does("unfreeze someli-production").await;
        stage.twin.run_for(12 * MINUTE).await;
        stage.everything_runs(&good);
        let better = stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of("someli-production/4").await));
        stage.everything_runs(&better);
    });
}

// ---- waits that end ----

#[test]
fn a_release_without_a_way_back_waits_for_a_person() {
    // As before 2024-10-25: ECS kept no service revisions, and no task tells either.
    let forgotten = |seed: &mut SeedService| {
        seed.before_service_revisions = true;
        seed.desired = u32::from(seed.name.service != "Rag");
    };
    let fleet = Fleet { refit: &forgotten, ..Fleet::default() };
    play_on(fleet, 14, SMALL, async |stage| {
        stage.adopt().await;
        stage.push("uapi", "healthy");
        stage.twin.run_for(5 * MINUTE).await;
        let held = stage.release(FIRST).await;
        assert!(matches!(held.phase, Phase::Surveying { held: Some(_), .. }), "{held:?}");
        assert_eq!(stage.kinds(FIRST).await, [NoticeKind::Waiting], "once, not every minute");
        assert!(stage.called("deploy", "UpdateService").is_empty(), "said before anything moves");
        let (exit, status, _) = stage.tidegate("status someli-production").await;
        assert_eq!(exit, 20);
        assert!(status.contains("Rag"), "{status}");
        stage.does("start someli-production/1 --without-way-back --yes").await;
        assert!(is_live(&stage.end_of(FIRST).await));
    });
}

#[test]
fn a_busy_target_is_waited_for() {
    play(15, SMALL, async |stage| {
        stage.apply(SMALL).await; // what runs is the first release
        let theirs = stage.register_another("Carousel", None);
        stage.update("Carousel", json!({ "taskDefinition": theirs }));
        stage.twin.run_for(Duration::from_secs(10)).await; // DescribeServices lags
        let new = stage.push("uapi", "healthy");
        stage.twin.run_for(Duration::from_secs(10)).await;
        let held = stage.release(SECOND).await;
        assert!(matches!(held.phase, Phase::Surveying { .. }), "{held:?}");
        assert!(stage.called("deploy", "UpdateService").is_empty());
        // Their deployment settles by itself; then the release goes on, from their revision.
        assert!(is_live(&stage.end_of(SECOND).await));
        stage.everything_runs(&new);
        let (definition, _) = stage.definition(&stage.revision("Carousel"));
        assert_eq!(definition["cpu"], "1024", "what they changed stays");
    });
}

#[test]
fn a_held_release_gives_way_to_a_newer_push() {
    let codedeploy = |seed: &mut SeedService| {
        if seed.name.service == "Rag" {
            seed.settings = json!({ "deploymentController": { "type": "CODE_DEPLOY" } });
        }
    };
    let fleet = Fleet { refit: &codedeploy, ..Fleet::default() };
    play_on(fleet, 16, SMALL, async |stage| {
        stage.adopt().await;
        stage.push("uapi", "healthy");
        stage.twin.run_for(2 * MINUTE).await;
        assert_eq!(stage.release(FIRST).await.phase.name(), "surveying");
        let said = stage.notices(FIRST).await.pop().expect("a notice").text.join(" ");
        assert!(said.contains("CodeDeploy"), "{said}");
        stage.push("uapi", "healthy");
        assert_eq!(stage.end_of(FIRST).await.phase.name(), "superseded");
        stage.does("abandon someli-production --yes").await;
        assert_eq!(stage.end_of(SECOND).await.phase.name(), "abandoned");
        assert!(stage.called("deploy", "UpdateService").is_empty());
    });
}
