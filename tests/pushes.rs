//! Pushes come twice, late, out of order, under several names, or not at all: one release for each,
//! and never a step backwards.

use std::time::Duration;

use tidegate_core::model::{Phase, Release};
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_tests::fleet::is_live;
use tidegate_tests::{Stage, play};

const MINUTE: Duration = Duration::from_secs(60);
const PIPELINE: &str = "someli-production";

/// Two services on one image; a story says which tags count.
fn listening_to(tags: &str) -> String {
    format!(
        "
version: 1
pipelines:
  someli-production:
    region: us-west-2
    images: {{ crons: {{ repository: live_crons, tag: {tags} }} }}
    cluster: live-crons
    waves: [[Rag], [Carousel]]
    watch: {{ timeout: 5m, bake: 30s }}
"
    )
}

async fn goes_live(stage: &Stage, number: u64) -> Release {
    let release = stage.end_of(&format!("{PIPELINE}/{number}")).await;
    assert!(is_live(&release), "{release:#?}");
    release
}

/// Demands that there are so many releases and no more, also after the sweep went by.
async fn and_no_more(stage: &Stage, releases: u64) {
    stage.twin.run_for(6 * MINUTE).await;
    let head = stage.scene(PIPELINE).await.head;
    assert_eq!((head.next, head.moving, head.waiting), (releases + 1, None, None), "{head:#?}");
}

/// The next event of a push meets this.
fn strike_next_push(stage: &Stage, fault: Fault) {
    let rule = FaultRule {
        caller: Some("bus".to_owned()),
        service: Some("ecr".to_owned()),
        times: Some(1),
        ..FaultRule::always(fault)
    };
    stage.twin.world.with(|cloud, _| cloud.faults.add(rule));
}

/// How often faults struck.
fn struck(stage: &Stage) -> u64 {
    stage.twin.world.look(|cloud| cloud.faults.fired().iter().map(|it| it.fired).sum())
}

#[test]
fn three_tags_on_one_digest_are_one_release() {
    play(41, &listening_to("[uapi, latest, \"prod-{sha}\"]"), async |stage| {
        stage.adopt().await;
        let tags = ["uapi", "prod-0a1b2c3d", "latest"];
        let pushed = stage.twin.push("live_crons", &tags, "healthy").expect("a push");
        goes_live(stage, 1).await;
        stage.everything_runs(&pushed);
        and_no_more(stage, 1).await;
    });
}

#[test]
fn an_event_that_is_delivered_again_makes_no_second_release() {
    play(42, &listening_to("[\"prod-{sha}\"]"), async |stage| {
        stage.adopt().await;
        strike_next_push(stage, Fault::Duplicate);
        stage.push("prod-0a1b2c3d", "healthy");
        goes_live(stage, 1).await;
        assert_eq!(struck(stage), 1);
        let pushed = stage.push("prod-1a1b2c3d", "healthy");
        goes_live(stage, 2).await;

        // Both once more, when they are long answered.
        let events: Vec<_> = stage.twin.world.look(|cloud| {
            let ended = cloud.ended().iter().filter(|it| it.instance.program == "promote");
            ended.map(|it| it.event.clone()).filter(|it| it["source"] == "aws.ecr").collect()
        });
        assert!(events.len() >= 3, "{events:#?}");
        for event in events {
            stage.twin.world.invoke("promote", event).await.expect("an answer");
        }
        and_no_more(stage, 2).await;
        stage.everything_runs(&pushed);
    });
}

#[test]
fn an_event_that_comes_after_a_newer_one_never_goes_back() {
    for tags in [["uapi", "uapi"], ["prod-0a1b2c3d", "prod-1a1b2c3d"]] {
        play(43, &listening_to("[uapi, \"prod-{sha}\"]"), async |stage| {
            stage.adopt().await;
            strike_next_push(stage, Fault::Reorder(5 * 60 * 1000));
            stage.twin.push("live_crons", &[tags[0]], "healthy").expect("a push");
            stage.twin.run_for(Duration::from_secs(2)).await;
            let newer = stage.twin.push("live_crons", &[tags[1]], "healthy").expect("a push");
            goes_live(stage, 1).await;
            stage.twin.run_for(5 * MINUTE).await;
            assert_eq!(struck(stage), 1);
            and_no_more(stage, 1).await;
            stage.everything_runs(&newer);
        });
    }
}

#[test]
fn a_lost_event_is_found_by_the_sweep() {
    play(44, &listening_to("[uapi, \"prod-{sha}\"]"), async |stage| {
        stage.adopt().await;
        for (number, tag) in [(1, "uapi"), (2, "prod-0a1b2c3d")] {
            stage.twin.world.with(|cloud, _| cloud.faults.clear());
            strike_next_push(stage, Fault::Lose);
            let pushed = stage.push(tag, "healthy");
            let id = format!("{PIPELINE}/{number}");
            let release = stage.until(&id, 7 * MINUTE, |_| true).await;
            assert_eq!((struck(stage), release.by.as_str()), (1, "sweep"), "{tag}");
            goes_live(stage, number).await;
            stage.everything_runs(&pushed);
        }
        and_no_more(stage, 2).await;
    });
}

#[test]
fn a_literal_tag_that_is_moved_back_on_purpose_is_a_release() {
    // A retag may make an image look freshly pushed, or not: AWS does not say.
    for looks_new in [true, false] {
        play(45, &listening_to("[uapi]"), async |stage| {
            stage.twin.world.with(|cloud, _| cloud.ecr.retag_moves_push_time = looks_new);
            stage.adopt().await;
            let first = stage.push("uapi", "healthy");
            goes_live(stage, 1).await;
            stage.push("uapi", "healthy");
            goes_live(stage, 2).await;
            stage.tag("live_crons", &first, "uapi");
            goes_live(stage, 3).await;
            stage.everything_runs(&first);
            and_no_more(stage, 3).await;
        });
    }
}

#[test]
fn a_literal_tag_beside_a_pattern_can_be_moved_back_too() {
    // Each build pushes both tags; either event may come first, or be the only one.
    let events = [Fault::Reorder(5_000), Fault::Lose].into_iter();
    for (fault, late) in events.flat_map(|it| ["prod-1a1b2c3d", "uapi"].map(|late| (it, late))) {
        play(46, &listening_to("[uapi, \"prod-{sha}\"]"), async |stage| {
            stage.adopt().await;
            let first = stage.twin.push("live_crons", &["prod-0a1b2c3d", "uapi"], "healthy");
            let first = first.expect("a push");
            goes_live(stage, 1).await;
            strike_next_push(stage, fault);
            let mut tags = ["prod-1a1b2c3d", "uapi"];
            tags.sort_by_key(|tag| *tag != late);
            stage.twin.push("live_crons", &tags, "healthy").expect("a push");
            let second = goes_live(stage, 2).await;
            assert_eq!(second.images["crons"].tags, [tags[1], late], "{late}: {fault:?}");
            stage.tag("live_crons", &first, "uapi");
            goes_live(stage, 3).await;
            and_no_more(stage, 3).await;
            stage.everything_runs(&first);

            // The next build is a release as ever, and `uapi`, left where it was, is none.
            let third = stage.push("prod-2a1b2c3d", "healthy");
            goes_live(stage, 4).await;
            stage.twin.run_for(6 * MINUTE).await;
            stage.everything_runs(&third);
        });
    }
}

#[test]
fn one_more_tag_on_an_old_digest_never_goes_back() {
    for looks_new in [true, false] {
        play(47, &listening_to("[\"prod-{sha}\"]"), async |stage| {
            stage.twin.world.with(|cloud, _| cloud.ecr.retag_moves_push_time = looks_new);
            stage.adopt().await;
            let first = stage.push("prod-0a1b2c3d", "healthy");
            goes_live(stage, 1).await;
            let second = stage.push("prod-1a1b2c3d", "healthy");
            goes_live(stage, 2).await;
            stage.tag("live_crons", &first, "prod-2a1b2c3d");
            and_no_more(stage, 2).await;
            stage.everything_runs(&second);
        });
    }
}

#[test]
fn the_keep_tag_does_not_make_old_bytes_look_new() {
    let config = listening_to("[uapi, \"prod-{sha}\"]");
    play(52, &config, async |stage| {
        stage.twin.world.with(|cloud, _| cloud.ecr.retag_moves_push_time = true);
        stage.apply(&config).await;
        // `uapi` stays on what runs, which gets its keep tag after this was pushed.
        let pushed = stage.push("prod-0a1b2c3d", "healthy");
        goes_live(stage, 2).await;
        and_no_more(stage, 2).await;
        stage.everything_runs(&pushed);
    });
}

#[test]
fn one_more_tag_on_bytes_that_were_overtaken_hides_no_push_and_starts_nothing() {
    play(49, &listening_to("[\"prod-{sha}\"]"), async |stage| {
        stage.twin.world.with(|cloud, _| cloud.ecr.retag_moves_push_time = true);
        stage.adopt().await;
        // The first one waits, and a newer one takes its place: it never gets a keep tag.
        stage.does("freeze someli-production").await;
        let first = stage.push("prod-0a1b2c3d", "healthy");
        stage.twin.run_for(Duration::from_secs(5)).await;
        let second = stage.push("prod-1a1b2c3d", "healthy");
        stage.twin.run_for(Duration::from_secs(5)).await;
        stage.does("unfreeze someli-production").await;
        goes_live(stage, 1).await;
        stage.everything_runs(&second);
        stage.tag("live_crons", &first, "by-hand");
        stage.does("start someli-production").await;
        goes_live(stage, 2).await;
        stage.everything_runs(&second);

        strike_next_push(stage, Fault::Lose);
        let third = stage.push("prod-2a1b2c3d", "healthy");
        stage.twin.run_for(Duration::from_secs(5)).await;
        stage.tag("live_crons", &first, "by-hand-again");
        goes_live(stage, 3).await;
        stage.everything_runs(&third);
    });
}

#[test]
fn pushes_during_a_release_wait_for_it_and_become_one() {
    play(48, &listening_to("[uapi]"), async |stage| {
        stage.adopt().await;
        stage.push("uapi", "healthy");
        let rolling = |release: &Release| matches!(release.phase, Phase::Rolling { wave: 1, .. });
        stage.until("someli-production/1", 5 * MINUTE, rolling).await;
        stage.push("uapi", "crash");
        stage.twin.run_for(Duration::from_secs(5)).await;
        let waits = stage.release("someli-production/2").await;
        assert!(matches!(waits.phase, Phase::Waiting { .. }), "{waits:#?}");
        let newest = stage.push("uapi", "healthy");
        goes_live(stage, 1).await;
        goes_live(stage, 2).await;
        stage.everything_runs(&newest);
        and_no_more(stage, 2).await;
        assert_eq!(stage.kinds_published(), ["started", "live", "started", "live"]);
    });
}

#[test]
fn three_images_that_are_pushed_during_a_release_are_all_in_the_next() {
    let config = "
version: 1
pipelines:
  someli-production:
    region: us-west-2
    images:
      api: { repository: shop-api, tag: [live] }
      web: { repository: shop-web, tag: [live] }
      jobs: { repository: shop-jobs, tag: [live] }
    cluster: shop
    waves: [[front], [back]]
    watch: { timeout: 5m, bake: 30s }
";
    play(49, config, async |stage| {
        stage.adopt().await;
        stage.twin.push("shop-api", &["live"], "healthy").expect("a push");
        let rolling = |release: &Release| matches!(release.phase, Phase::Rolling { .. });
        stage.until("someli-production/1", 5 * MINUTE, rolling).await;
        let mut pushed = std::collections::BTreeSet::new();
        for repository in ["shop-web", "shop-api", "shop-jobs"] {
            pushed.insert(stage.twin.push(repository, &["live"], "healthy").expect("a push"));
            stage.twin.run_for(Duration::from_secs(3)).await;
        }
        goes_live(stage, 1).await;
        let next = goes_live(stage, 2).await;
        assert_eq!(next.images.keys().collect::<Vec<_>>(), ["api", "jobs", "web"]);
        for (service, digests) in stage.running() {
            assert_eq!(digests, pushed, "{service}");
        }
        and_no_more(stage, 2).await;
    });
}

#[test]
fn the_keep_tag_is_no_push_even_where_every_tag_counts() {
    play(50, &listening_to("[\"*\"]"), async |stage| {
        stage.adopt().await;
        let pushed = stage.push("anything", "healthy");
        goes_live(stage, 1).await;
        let kept = stage.twin.world.look(|cloud| {
            let repository = cloud.ecr.repository("live_crons").expect("a repository");
            let tags = repository.images.values().flat_map(|image| image.tags.clone());
            tags.filter(|tag| tag.starts_with("tidegate-keep-")).count()
        });
        assert_eq!(kept, 2, "what runs and what comes are kept");
        and_no_more(stage, 1).await;
        stage.everything_runs(&pushed);
    });
}

#[test]
fn two_pipelines_share_a_repository_by_their_tags() {
    let config = "
version: 1
pipelines:
  shop-staging:
    region: us-west-2
    images: { app: { repository: shop, tag: [\"staging-{sha}\"] } }
    cluster: staging
    waves: [[shop-staging]]
    watch: { timeout: 5m, bake: 30s }
  shop-production:
    region: us-west-2
    images: { app: { repository: shop, tag: [\"v{semver}\"] } }
    cluster: production
    waves: [[shop-production]]
    watch: { timeout: 5m, bake: 30s }
";
    play(51, config, async |stage| {
        stage.apply(config).await;
        let next = async |pipeline: &str| stage.scene(pipeline).await.head.next;
        let tags = ["staging-0a1b2c3d"];
        let pushed = stage.twin.push("shop", &tags, "healthy").expect("a push");
        assert!(is_live(&stage.end_of("shop-staging/2").await));
        stage.twin.run_for(6 * MINUTE).await;
        assert_eq!((next("shop-staging").await, next("shop-production").await), (3, 2));

        // The same bytes under a name that the other one listens to.
        stage.tag("shop", &pushed, "v1.2.3");
        assert!(is_live(&stage.end_of("shop-production/2").await));
        stage.twin.run_for(6 * MINUTE).await;
        assert_eq!((next("shop-staging").await, next("shop-production").await), (3, 3));
        stage.everything_runs(&pushed);
    });
}
