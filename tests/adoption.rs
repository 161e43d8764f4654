//! A config is put in force over services that run: nothing moves, and what runs is the way back.

use std::collections::BTreeSet;
use std::time::Duration;

use tidegate_core::model::{Cause, Phase, Release};
use tidegate_tests::faults::SMALL;
use tidegate_tests::fleet::is_live;
use tidegate_tests::stage::someli;
use tidegate_tests::{Stage, play};

const MINUTE: Duration = Duration::from_secs(60);

async fn goes_live(stage: &Stage, id: &str) -> Release {
    let release = stage.end_of(id).await;
    assert!(is_live(&release), "{release:#?}");
    release
}

#[test]
fn a_config_over_nine_running_services_moves_nothing_and_is_a_state_to_go_back_to() {
    play(21, someli(), async |stage| {
        let before = stage.shown("live_crons", "uapi").expect("what runs");
        let applied = stage.apply(someli()).await;
        assert!(applied.contains("adopted as someli-production/1; nothing was moved"), "{applied}");

        stage.twin.run_for(10 * MINUTE).await;
        assert_eq!(stage.writes(), [""; 0], "ten minutes, and no write to ECS");
        assert_eq!(stage.kinds_published(), [""; 0], "nothing happened, and nobody is told of it");
        let adopted = stage.release("someli-production/1").await;
        assert_eq!(adopted.cause, Cause::Adopted);
        assert_eq!(adopted.images["crons"].digest.as_str(), before);

        let pushed = stage.push("uapi", "healthy");
        goes_live(stage, "someli-production/2").await;
        stage.everything_runs(&pushed);

        let (exit, out, talk) = stage.tidegate("rollback someli-production --yes").await;
        assert_eq!(exit, 0, "{out}{talk}");
        let back = goes_live(stage, "someli-production/3").await;
        assert_eq!(back.cause, Cause::Rollback { to: 1 });
        stage.everything_runs(&before);

        // `uapi` still shows the bytes that were left: neither the sweep nor a redelivery brings them.
        stage.twin.run_for(10 * MINUTE).await;
        stage.everything_runs(&before);
        let scene = stage.scene("someli-production").await;
        let blocked: Vec<_> = scene.blocked.keys().map(|digest| digest.as_str()).collect();
        assert_eq!(blocked, [pushed]);
        assert!(scene.head.freeze.is_some(), "{:#?}", scene.head);

        // The next push waits for a person, and then goes its way.
        let next = stage.push("uapi", "healthy");
        stage.twin.run_for(2 * MINUTE).await;
        let waits = stage.release("someli-production/4").await;
        assert!(matches!(waits.phase, Phase::Waiting { .. }), "{waits:#?}");
        assert_eq!(stage.tidegate("status someli-production").await.0, 20);
        let (exit, out, talk) = stage.tidegate("unfreeze someli-production").await;
        assert_eq!(exit, 0, "{out}{talk}");
        goes_live(stage, "someli-production/4").await;
        stage.everything_runs(&next);
    });
}

#[test]
fn a_file_that_is_applied_again_writes_nothing() {
    play(22, SMALL, async |stage| {
        stage.apply(SMALL).await;
        let writes = || {
            stage.twin.world.look(|cloud| {
                let calls = cloud.calls().iter().map(|noted| noted.call.action.as_str());
                calls
                    .filter(|action| action.starts_with("Transact") || *action == "PutItem")
                    .count()
            })
        };
        let before = writes();
        let again = stage.apply(SMALL).await;
        assert!(again.contains("unchanged, config version 1\n  nothing to do"), "{again}");
        assert_eq!(writes(), before);
    });
}

#[test]
fn a_tag_that_was_never_pushed_is_a_warning_and_its_first_push_the_first_release() {
    play(23, SMALL, async |stage| {
        let before = stage.shown("live_crons", "uapi").expect("what runs");
        let config = SMALL.replace("[uapi]", "[\"release-{semver}\"]");
        let applied = stage.apply(&config).await;
        assert!(
            applied.contains("release-{semver}"),
            "a pattern that matches nothing is said: {applied}"
        );
        let adopted = stage.release("someli-production/1").await;
        assert_eq!(adopted.images["crons"].digest.as_str(), before, "what runs, whatever its tag");

        // Other tags are nobody's.
        stage.push("uapi", "healthy");
        stage.twin.run_for(6 * MINUTE).await;
        assert_eq!(stage.scene("someli-production").await.head.next, 2);

        let pushed = stage.push("release-1.0.0", "healthy");
        goes_live(stage, "someli-production/2").await;
        stage.everything_runs(&pushed);
    });
}

#[test]
fn a_service_that_joins_between_releases_is_left_alone_until_the_next_push() {
    play(24, SMALL, async |stage| {
        let before = stage.shown("live_crons", "uapi").expect("what runs");
        let two = SMALL.replace(", Carousel", "");
        stage.apply(&two).await;
        let first = stage.push("uapi", "healthy");

        // While a release moves, its targets cannot be given to anybody else.
        let rolling = |release: &Release| matches!(release.phase, Phase::Rolling { .. });
        stage.until("someli-production/2", 5 * MINUTE, rolling).await;
        let (exit, said) = stage.try_apply(SMALL).await;
        assert_eq!(exit, 1, "{said}");
        assert!(said.contains("someli-production/2 is rolling and owns its targets"), "{said}");
        goes_live(stage, "someli-production/2").await;
        let runs = |service: &str| stage.runs(service);
        let only = |digest: &str| BTreeSet::from([digest.to_owned()]);
        assert_eq!(runs("Carousel"), only(&before), "nobody's target");

        let writes = stage.writes();
        let applied = stage.apply(SMALL).await;
        assert!(applied.contains("changed, config version 2: waves"), "{applied}");
        stage.twin.run_for(10 * MINUTE).await;
        assert_eq!(stage.writes(), writes, "a new target is not moved by joining");
        assert_eq!((runs("Rag"), runs("Carousel")), (only(&first), only(&before)));

        let second = stage.push("uapi", "crash");
        let last = stage.scene("someli-production").await.head.next;
        let id = format!("someli-production/{last}");
        let release = stage.end_of(&id).await;
        assert!(matches!(release.phase, Phase::RolledBack { .. }), "{release:#?}");
        assert_eq!(
            (runs("Rag"), runs("Carousel")),
            (only(&first), only(&before)),
            "each to its own"
        );

        let third = stage.push("uapi", "healthy");
        goes_live(stage, &format!("someli-production/{}", last + 1)).await;
        stage.everything_runs(&third);
        assert_ne!(second, third);
    });
}

#[test]
fn a_pattern_that_is_added_counts_the_pushes_that_are_there_as_answered() {
    play(25, SMALL, async |stage| {
        stage.apply(SMALL).await;
        let before = stage.digest("Rag");
        stage.push("prod-0a1b2c3d", "healthy");
        stage.twin.run_for(6 * MINUTE).await;
        assert_eq!(stage.scene("someli-production").await.head.next, 2, "nobody's tag");

        let both = SMALL.replace("[uapi]", "[uapi, \"prod-{sha}\"]");
        let applied = stage.apply(&both).await;
        stage.twin.run_for(10 * MINUTE).await;
        assert_eq!(stage.writes(), [""; 0], "a new pattern moves nothing by itself");
        stage.everything_runs(&before);
        assert!(applied.contains("only pushes after prod-0a1b2c3d"), "{applied}");
        assert!(applied.contains("adopted as someli-production/2"), "{applied}");

        let pushed = stage.push("prod-1a1b2c3d", "healthy");
        goes_live(stage, "someli-production/3").await;
        stage.everything_runs(&pushed);
    });
}
