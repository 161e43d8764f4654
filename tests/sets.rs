//! Several images: joined into one release, or each by itself; one repository for two pipelines.

#![expect(clippy::expect_used, reason = "a story whose build cannot push has failed")]

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_core::model::Release;
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_tests::fleet::is_live;
use tidegate_tests::{Stage, play};

const MINUTE: Duration = Duration::from_secs(60);

/// Three repositories that one commit builds.
const SCR: &str = "
version: 1
pipelines:
  scr-staging:
    region: us-west-2
    images:
      api: { repository: scr-api, tag: \"{sha}\" }
      web: { repository: scr-web, tag: \"{sha}\" }
      gateway: { repository: scr-ai-gateway, tag: \"{sha}\" }
    join_on: sha
    cluster: scr-staging
    waves:
      - [{ service: scr-api, containers: { api: api } }]
      - [{ service: scr-ai-gateway, containers: { gateway: gateway } }]
      - [{ service: scr-web, containers: { web: web } }]
    watch: { timeout: 5m, bake: 30s }
";
const REPOSITORIES: [&str; 3] = ["scr-api", "scr-web", "scr-ai-gateway"];
const SCR_PIPELINE: &str = "scr-staging";

/// Plays a story on the three, adopted as release 1.
fn scr(seed: u64, story: impl AsyncFnOnce(&Stage)) {
    play(seed, SCR, async |stage| {
        stage.apply(SCR).await;
        story(stage).await;
    });
}

/// A build pushes one image of a commit, and its event is on its way.
async fn builds(stage: &Stage, repository: &str, sha: &str) -> String {
    let digest = stage.twin.push(repository, &[sha], "healthy").expect("a push");
    stage.twin.run_for(Duration::from_secs(5)).await;
    digest
}

async fn goes_live(stage: &Stage, id: &str) -> Release {
    let release = stage.end_of(id).await;
    assert!(is_live(&release), "{release:#?}");
    release
}

/// Demands that there are so many releases and no more, also after the sweep went by.
async fn and_no_more(stage: &Stage, pipeline: &str, releases: u64) {
    stage.twin.run_for(6 * MINUTE).await;
    let head = stage.scene(pipeline).await.head;
    assert_eq!((head.next, head.moving, head.waiting), (releases + 1, None, None), "{head:#?}");
}

/// The next event of a push is lost.
fn lose_next_event(stage: &Stage) {
    let rule = FaultRule {
        caller: Some("bus".to_owned()),
        service: Some("ecr".to_owned()),
        times: Some(1),
        ..FaultRule::always(Fault::Lose)
    };
    stage.twin.world.with(|cloud, _| cloud.faults.add(rule));
}

/// Which digest each service of the three runs.
fn runs(stage: &Stage) -> BTreeMap<String, String> {
    let one = |(service, digests): (String, std::collections::BTreeSet<String>)| {
        let digests: Vec<_> = digests.into_iter().collect();
        let [only] = &digests[..] else { panic!("{service} runs {digests:?}") };
        (service, only.clone())
    };
    stage.running().into_iter().map(one).collect()
}

/// The services of the three are called like their repositories.
fn expected(digests: &[(&str, String)]) -> BTreeMap<String, String> {
    digests.iter().map(|(name, digest)| ((*name).to_owned(), digest.clone())).collect()
}

#[test]
fn the_last_of_three_pushes_starts_one_release_in_any_order() {
    for (seed, order) in [(1, [0, 1, 2]), (2, [2, 0, 1]), (3, [1, 2, 0])] {
        scr(seed, async |stage| {
            let mut pushed = Vec::new();
            for (before, at) in order.into_iter().enumerate() {
                let next = stage.scene(SCR_PIPELINE).await.head.next;
                assert_eq!(next, 2, "{before} of 3 are there");
                let repository = REPOSITORIES[at];
                pushed.push((repository, builds(stage, repository, "1a2b3c4").await));
            }
            let release = goes_live(stage, "scr-staging/2").await;
            assert_eq!(release.images.len(), 3);
            assert_eq!(runs(stage), expected(&pushed));
            let (_, history, _) = stage.tidegate("history scr-staging").await;
            assert!(history.contains("it waits for "), "{history}");
            assert!(history.contains("it holds no `1a2b3c4` yet"), "{history}");
            and_no_more(stage, SCR_PIPELINE, 2).await;
        });
    }
}

#[test]
fn a_lost_event_costs_a_sweep_and_no_release() {
    scr(4, async |stage| {
        let mut pushed = Vec::new();
        for repository in REPOSITORIES {
            if repository == REPOSITORIES[2] {
                lose_next_event(stage);
            }
            pushed.push((repository, builds(stage, repository, "1a2b3c4").await));
        }
        stage.twin.run_for(Duration::from_secs(10)).await;
        let release = stage.until("scr-staging/2", 7 * MINUTE, |_| true).await;
        assert_eq!(release.by, "sweep");
        goes_live(stage, "scr-staging/2").await;
        assert_eq!(runs(stage), expected(&pushed));
        and_no_more(stage, SCR_PIPELINE, 2).await;
    });
}

#[test]
fn a_whole_set_that_no_event_told_of_is_found_behind_newer_pushes_without_theirs() {
    scr(4, async |stage| {
        let mut pushed = Vec::new();
        for repository in REPOSITORIES {
            lose_next_event(stage);
            pushed.push((repository, builds(stage, repository, "1a2b3c4").await));
        }
        for (repository, sha) in REPOSITORIES.into_iter().zip(["2222222", "3333333", "4444444"]) {
            builds(stage, repository, sha).await;
        }
        let release = stage.until("scr-staging/2", 7 * MINUTE, |_| true).await;
        assert_eq!(release.by, "sweep");
        goes_live(stage, "scr-staging/2").await;
        assert_eq!(runs(stage), expected(&pushed));
        and_no_more(stage, SCR_PIPELINE, 2).await;
    });
}

#[test]
fn an_older_set_that_completes_after_a_newer_one_stays_out() {
    scr(5, async |stage| {
        builds(stage, "scr-api", "1111111").await;
        builds(stage, "scr-web", "1111111").await;
        let mut pushed = Vec::new();
        for repository in REPOSITORIES {
            pushed.push((repository, builds(stage, repository, "2222222").await));
        }
        builds(stage, "scr-ai-gateway", "1111111").await;
        goes_live(stage, "scr-staging/2").await;
        and_no_more(stage, SCR_PIPELINE, 2).await;
        assert_eq!(runs(stage), expected(&pushed));
        let (_, history, _) = stage.tidegate("history scr-staging").await;
        assert!(history.contains("late: scr-api:1111111"), "{history}");
    });
}

#[test]
fn interleaved_sets_come_one_after_the_other() {
    scr(6, async |stage| {
        for sha in ["1111111", "2222222"] {
            builds(stage, "scr-api", sha).await;
        }
        for sha in ["1111111", "2222222"] {
            builds(stage, "scr-web", sha).await;
        }
        for sha in ["1111111", "2222222"] {
            builds(stage, "scr-ai-gateway", sha).await;
        }
        for (id, sha) in [("scr-staging/2", "1111111"), ("scr-staging/3", "2222222")] {
            let release = goes_live(stage, id).await;
            assert!(release.images.values().all(|image| image.tags == [sha]), "{release:#?}");
        }
        and_no_more(stage, SCR_PIPELINE, 3).await;
    });
}

#[test]
fn an_image_that_did_not_change_joins_under_the_new_sha() {
    // A retag may make an image look freshly pushed, or not: AWS does not say.
    for looks_new in [true, false] {
        scr(7, async |stage| {
            stage.twin.world.with(|cloud, _| cloud.ecr.retag_moves_push_time = looks_new);
            let mut pushed = BTreeMap::new();
            for repository in REPOSITORIES {
                pushed.insert(repository, builds(stage, repository, "1111111").await);
            }
            goes_live(stage, "scr-staging/2").await;
            stage.tag("scr-ai-gateway", &pushed["scr-ai-gateway"], "2222222");
            for repository in ["scr-api", "scr-web"] {
                pushed.insert(repository, builds(stage, repository, "2222222").await);
            }
            goes_live(stage, "scr-staging/3").await;
            let pushed: Vec<_> = pushed.into_iter().collect();
            assert_eq!(runs(stage), expected(&pushed));
            and_no_more(stage, SCR_PIPELINE, 3).await;
        });
    }
}

#[test]
fn a_build_that_waits_for_its_push_waits_for_the_whole_set() {
    scr(8, async |stage| {
        let api = builds(stage, "scr-api", "1a2b3c4").await;
        let early = format!("wait scr-staging --digest {api} --timeout 30s");
        let (exit, _, talk) = stage.tidegate(&early).await;
        assert_eq!(exit, 20, "{talk}");
        builds(stage, "scr-web", "1a2b3c4").await;
        builds(stage, "scr-ai-gateway", "1a2b3c4").await;
        let (exit, out, _) = stage.tidegate(&format!("wait scr-staging --digest {api}")).await;
        assert_eq!(exit, 0, "{out}");
        assert!(out.contains("scr-staging/2"), "{out}");
    });
}

#[test]
fn a_build_that_waits_for_a_tag_that_nobody_takes_learns_which_are_taken() {
    scr(9, async |stage| {
        let api = builds(stage, "scr-api", "1a2b3c4").await;
        let (_, _, talk) = stage.tidegate("wait scr-staging --tag 1a2b3c4 --timeout 1s").await;
        assert!(!talk.contains("no tag that"), "{talk}");
        // Its bytes have the tag that is taken too.
        stage.tag("scr-api", &api, "newest");
        let (_, _, talk) = stage.tidegate("wait scr-staging --tag newest --timeout 1s").await;
        assert!(!talk.contains("no tag that"), "{talk}");
        builds(stage, "scr-api", "other").await;
        let (exit, _, talk) = stage.tidegate("wait scr-staging --tag other --timeout 1s").await;
        assert_eq!(exit, 20, "{talk}");
        let expected = ") has no tag that scr-staging takes (`{sha}`): unless it gets one, no release \
                        will bring it";
        assert!(talk.starts_with("scr-api:other (") && talk.contains(expected), "{talk}");
    });
}

#[test]
fn one_repository_feeds_two_pipelines_that_differ_by_tag() {
    let config = "
version: 1
pipelines:
  uat-jobs:
    region: us-west-2
    images: { uapp: { repository: uat, tag: \"uapp-{sha}\" } }
    cluster: UAT
    waves: [[uapp]]
    watch: { timeout: 5m, bake: 30s }
  uat-api:
    region: us-west-2
    images: { uapi: { repository: uat, tag: uapi } }
    cluster: UAT
    waves: [[api]]
    watch: { timeout: 5m, bake: 30s }
";
    play(9, config, async |stage| {
        stage.apply(config).await;
        let jobs = builds(stage, "uat", "uapp-1a2b3c4").await;
        goes_live(stage, "uat-jobs/2").await;
        and_no_more(stage, "uat-api", 1).await;
        let api = builds(stage, "uat", "uapi").await;
        goes_live(stage, "uat-api/2").await;
        and_no_more(stage, "uat-jobs", 2).await;
        assert_eq!(runs(stage), expected(&[("uapp", jobs), ("api", api)]));
    });
}

#[test]
fn a_push_changes_its_own_image_only_in_a_task_of_two() {
    let config = "
version: 1
pipelines:
  zelly-storefront:
    region: us-west-2
    images:
      storefront: { repository: zelly/astro-storefront, tag: \"prod-{sha}\" }
      caddy: { repository: zelly/caddy, tag: \"prod-{sha}\" }
    cluster: zelly-production
    waves: [[zelly-production-storefront]]
    watch: { timeout: 5m, bake: 30s }
";
    play(10, config, async |stage| {
        stage.apply(config).await;
        let service = "zelly-production-storefront";
        let before = stage.running()[service].clone();
        assert_eq!(before.len(), 2);
        let caddy = builds(stage, "zelly/caddy", "prod-1a2b3c4").await;
        goes_live(stage, "zelly-storefront/2").await;
        let after = stage.running()[service].clone();
        assert_eq!(after.len(), 2);
        assert_eq!(after.difference(&before).collect::<Vec<_>>(), [&caddy]);
        and_no_more(stage, "zelly-storefront", 2).await;
    });
}

#[test]
fn five_images_of_one_commit_all_arrive_without_join_on() {
    let names = ["frontend", "backend", "workers", "daemon", "scanner"];
    let images =
        names.map(|it| format!("      {it}: {{ repository: deml-{it}, tag: \"{{sha}}\" }}\n"));
    let waves = names.map(|it| format!("{{ service: {it}, containers: {{ {it}: {it} }} }}"));
    let config = format!(
        "version: 1\npipelines:\n  deml:\n    region: us-west-2\n    cluster: deml-apps\n    \
         images:\n{}    waves: [[{}]]\n    watch: {{ timeout: 5m, bake: 30s }}\n",
        images.concat(),
        waves.join(", ")
    );
    play(11, &config, async |stage| {
        stage.apply(&config).await;
        let mut pushed = Vec::new();
        for name in names {
            let repository = format!("deml-{name}");
            let digest = stage.twin.push(&repository, &["1a2b3c4d5e6f"], "healthy");
            pushed.push((name, digest.expect("a push")));
            stage.twin.run_for(Duration::from_secs(20)).await;
        }
        goes_live(stage, "deml/2").await;
        goes_live(stage, "deml/3").await;
        and_no_more(stage, "deml", 3).await;
        assert_eq!(runs(stage), expected(&pushed));
    });
}
