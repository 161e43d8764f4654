//! The same bytes, from one pipeline to the next: offered, approved, marked.

#![expect(clippy::expect_used, reason = "a story whose build cannot push has failed")]

use std::time::Duration;

use serde_json::json;
use tidegate_core::model::{Cause, NoticeKind, Release};
use tidegate_local::api::Place;
use tidegate_tests::fleet::{hold_of, is_live};
use tidegate_tests::{Stage, play};

const MINUTE: Duration = Duration::from_secs(60);
const OFFER: &str = "shop-production/2";

const SHOP: &str = "
version: 1
defaults:
  watch: { timeout: 5m, bake: 30s }
  region: us-west-2
pipelines:
  shop-staging:
    images:
      api: { repository: shop-api, tag: \"{sha}\" }
      web: { repository: shop-web, tag: \"{sha}\" }
    join_on: sha
    cluster: staging
    waves: [[{ service: api-staging, containers: { api: api } }, { service: web-staging, containers: { web: web } }]]
  shop-production:
    promote_from: shop-staging
    approval: { required: true, unless_tag: \"v{semver}\" }
    retag: production-latest
    cluster: production
    waves: [[{ service: api, containers: { api: api } }], [{ service: web, containers: { web: web } }]]
";

/// The shop whose production reads what is copied to another region.
fn copied() -> String {
    let from = "    promote_from: shop-staging\n";
    let config = SHOP.replace(from, &format!("{from}    registry: {{ region: eu-central-1 }}\n"));
    // No event tells of a tag on a copy.
    config.replace(", unless_tag: \"v{semver}\"", "")
}

/// Where it reads them.
fn copies() -> Place {
    Place::new("123456789012", "eu-central-1")
}

/// Plays a story on the two pipelines, adopted as releases 1.
fn shop(seed: u64, config: &str, story: impl AsyncFnOnce(&Stage)) {
    play(seed, config, async |stage| {
        stage.apply(config).await;
        story(stage).await;
    });
}

/// A build pushes a commit's two images, and they become live in staging.
async fn staged(stage: &Stage, sha: &str, id: &str) -> [String; 2] {
    let pushed = ["shop-api", "shop-web"]
        .map(|repository| stage.twin.push(repository, &[sha], "healthy").expect("a push"));
    goes_live(stage, id).await;
    pushed
}

async fn goes_live(stage: &Stage, id: &str) -> Release {
    let release = stage.end_of(id).await;
    assert!(is_live(&release), "{release:#?}");
    release
}

async fn is_offered(stage: &Stage, id: &str, within: Duration) -> Release {
    stage.until(id, within, |release| release.approval_asked().is_some()).await
}

/// How many releases a pipeline has.
async fn releases(stage: &Stage, pipeline: &str) -> u64 {
    stage.scene(pipeline).await.head.next - 1
}

#[test]
fn what_is_live_in_staging_is_offered_approved_and_marked() {
    shop(1, SHOP, async |stage| {
        let [api, web] = staged(stage, "1a2b3c4", "shop-staging/2").await;
        // At once: nobody has to wait for the sweep.
        let offer = is_offered(stage, OFFER, MINUTE).await;
        let from = "shop-staging/2".parse().expect("an id");
        assert_eq!(offer.cause, Cause::Promoted { from });
        let digests: Vec<_> = offer.images.values().map(|it| it.digest.as_str()).collect();
        assert_eq!(digests, [&api, &web]);
        stage.does("approve shop-production/2 --yes").await;
        goes_live(stage, OFFER).await;
        stage.twin.run_for(Duration::from_secs(10)).await;
        for (repository, digest) in [("shop-api", &api), ("shop-web", &web)] {
            assert_eq!(stage.shown(repository, "production-latest").as_ref(), Some(digest));
        }
        let journal = stage.journal(OFFER).await;
        assert!(journal.contains("live -> live: `production-latest` is on "), "{journal}");
        let marked = stage.called("deploy", "PutImage").len();
        // Neither its own tag nor the sweep starts or offers anything more.
        stage.twin.run_for(12 * MINUTE).await;
        assert_eq!(releases(stage, "shop-staging").await, 2);
        assert_eq!(releases(stage, "shop-production").await, 2);
        assert_eq!(stage.called("deploy", "PutImage").len(), marked, "it is put once");
    });
}

#[test]
fn a_newer_live_release_takes_the_place_of_the_offer() {
    shop(2, SHOP, async |stage| {
        staged(stage, "1111111", "shop-staging/2").await;
        is_offered(stage, OFFER, MINUTE).await;
        staged(stage, "2222222", "shop-staging/3").await;
        is_offered(stage, "shop-production/3", 3 * MINUTE).await;
        assert_eq!(stage.release(OFFER).await.phase.name(), "superseded");
    });
}

#[test]
fn to_a_retired_pipeline_nothing_is_offered_and_what_is_live_in_one_can_be_started() {
    shop(12, SHOP, async |stage| {
        stage.does("config retire shop-production").await;
        let [api, _] = staged(stage, "1111111", "shop-staging/2").await;
        stage.twin.run_for(6 * MINUTE).await;
        assert_eq!(releases(stage, "shop-production").await, 1);
        let said = stage.apply(SHOP).await;
        let came = ["shop-production  restored", "shop-staging  unchanged"];
        assert!(came.iter().all(|it| said.contains(it)), "{said}");
        // What was live in front of it when it came back is no news, though a push brought it there.
        stage.twin.run_for(6 * MINUTE).await;
        assert_eq!(releases(stage, "shop-production").await, 2);
        stage.does("config retire shop-staging").await;
        stage.does("start shop-production").await;
        let started = is_offered(stage, "shop-production/3", MINUTE).await;
        assert_eq!(started.images["api"].digest.as_str(), api);
    });
}

#[test]
fn a_rejected_or_expired_offer_does_not_come_again() {
    shop(3, SHOP, async |stage| {
        staged(stage, "1111111", "shop-staging/2").await;
        is_offered(stage, OFFER, MINUTE).await;
        stage.does("reject shop-production --yes").await;
        stage.twin.run_for(12 * MINUTE).await;
        assert_eq!(releases(stage, "shop-production").await, 2);
        staged(stage, "2222222", "shop-staging/3").await;
        is_offered(stage, "shop-production/3", MINUTE).await;
        stage.twin.run_for(25 * 60 * MINUTE).await;
        assert_eq!(stage.release("shop-production/3").await.phase.name(), "expired");
        assert_eq!(releases(stage, "shop-production").await, 3);
        stage.does("start shop-production").await;
        is_offered(stage, "shop-production/4", MINUTE).await;
    });
}

#[test]
fn an_offer_that_was_not_made_comes_with_the_sweep() {
    shop(4, SHOP, async |stage| {
        // Whoever makes it live knows of no pipeline to offer it to.
        let alone = SHOP.split("  shop-production:").next().expect("the first pipeline");
        stage.apply(alone).await;
        staged(stage, "1111111", "shop-staging/2").await;
        assert_eq!(releases(stage, "shop-production").await, 1);
        is_offered(stage, OFFER, 6 * MINUTE).await;
    });
}

#[test]
fn without_an_approval_only_start_brings_it() {
    let config = SHOP.replace("    approval: { required: true, unless_tag: \"v{semver}\" }\n", "");
    shop(5, &config, async |stage| {
        let [api, web] = staged(stage, "1a2b3c4", "shop-staging/2").await;
        stage.twin.run_for(12 * MINUTE).await;
        assert_eq!(releases(stage, "shop-production").await, 1);
        stage.does("start shop-production").await;
        let live = goes_live(stage, OFFER).await;
        let digests: Vec<_> = live.images.values().map(|it| it.digest.as_str()).collect();
        assert_eq!(digests, [&api, &web]);
    });
}

#[test]
fn a_version_tag_on_every_image_approves_an_offer() {
    shop(6, SHOP, async |stage| {
        let [api, web] = staged(stage, "1a2b3c4", "shop-staging/2").await;
        is_offered(stage, OFFER, MINUTE).await;
        stage.tag("shop-api", &api, "v1.2.3");
        stage.tag("shop-web", &web, "v1.2.3");
        assert_eq!(goes_live(stage, OFFER).await.approved.expect("an approval").by, "ecr");
        assert_eq!(releases(stage, "shop-staging").await, 2);
    });
}

#[test]
fn an_immutable_tag_elsewhere_is_told_and_fails_nothing() {
    shop(7, SHOP, async |stage| {
        let old = stage.twin.push("shop-api", &["production-latest"], "healthy").expect("a push");
        stage.twin.world.with(|cloud, _| cloud.ecr.fix_tags("shop-api"));
        stage.twin.run_for(MINUTE).await; // bytes of another minute are other bytes
        let [_, web] = staged(stage, "1a2b3c4", "shop-staging/2").await;
        is_offered(stage, OFFER, MINUTE).await;
        stage.does("approve shop-production --yes").await;
        goes_live(stage, OFFER).await;
        stage.twin.run_for(MINUTE).await;
        assert_eq!(stage.shown("shop-api", "production-latest"), Some(old));
        assert_eq!(stage.shown("shop-web", "production-latest"), Some(web));
        assert_eq!(stage.kinds(OFFER).await.last(), Some(&NoticeKind::RetagFailed));
        let told = stage.notices(OFFER).await.pop().expect("a notice").text.join(" ");
        assert!(told.contains("ImageTagAlreadyExistsException"), "{told}");
        assert!(is_live(&stage.release(OFFER).await), "it is live all the same");
    });
}

#[test]
fn an_offer_waits_until_its_digests_are_where_it_is_read() {
    shop(8, &copied(), async |stage| {
        let pushed = staged(stage, "1a2b3c4", "shop-staging/2").await;
        let held = |release: &Release| hold_of(release).is_some();
        let offer = stage.until(OFFER, MINUTE, held).await;
        let what = hold_of(&offer).expect("a hold");
        assert!(what.contains("images have not arrived yet for: api: shop-api:1a2b3c4"), "{what}");
        let there = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop-api yet";
        assert!(what.contains(there), "{what}");
        // It takes long: people are told once, and nothing else comes of it.
        stage.twin.run_for(20 * MINUTE).await;
        assert_eq!(stage.kinds(OFFER).await, [], "replication may take half an hour");
        stage.twin.run_for(60 * MINUTE).await;
        assert_eq!(stage.kinds(OFFER).await, [NoticeKind::Waiting]);
        // One of the two is not enough.
        let [api, web] = pushed;
        stage.replicate("shop-api", &api, &copies());
        stage.twin.run_for(3 * MINUTE).await;
        let what = hold_of(&stage.release(OFFER).await).expect("a hold");
        assert!(what.contains("shop-web:1a2b3c4") && !what.contains("shop-api:"), "{what}");
        stage.replicate("shop-web", &web, &copies());
        is_offered(stage, OFFER, 3 * MINUTE).await;
        stage.does("approve shop-production/2 --yes").await;
        let live = goes_live(stage, OFFER).await;
        assert!(live.images.values().all(|image| image.region == "eu-central-1"), "{live:#?}");
        stage.twin.run_for(MINUTE).await;
        let replica = stage.twin.world.with(|cloud, _| {
            let there = cloud.ecr.at(&copies()).repository("shop-api")?;
            Some(there.tagged("production-latest")?.digest.clone())
        });
        assert_eq!(replica, Some(api), "the tag is put where it is read");
        assert_eq!(stage.shown("shop-api", "production-latest"), None);
    });
}

#[test]
fn what_its_own_pipeline_went_back_from_is_not_approved() {
    shop(9, SHOP, async |stage| {
        let [api, web] = staged(stage, "1a2b3c4", "shop-staging/2").await;
        is_offered(stage, OFFER, MINUTE).await;
        stage.does("rollback shop-staging --yes").await;
        stage.end_of("shop-staging/3").await;
        let why = stage.refuses("approve shop-production/2 --yes").await;
        assert!(why.contains("comes from shop-staging/2, and by now shop-api:1a2b3c4"), "{why}");
        assert!(why.contains("`tidegate reject shop-production/2`"), "{why}");
        stage.tag("shop-api", &api, "v1.2.3");
        stage.tag("shop-web", &web, "v1.2.3");
        stage.twin.run_for(3 * MINUTE).await;
        assert!(stage.release(OFFER).await.approval_asked().is_some(), "no tag approves it either");
        stage.does(&format!("unblock shop-staging {api}")).await;
        stage.does(&format!("unblock shop-staging {web}")).await;
        stage.does("approve shop-production/2 --yes").await;
        goes_live(stage, OFFER).await;
    });
}

#[test]
fn what_was_approved_and_then_gone_back_from_does_not_move() {
    shop(10, SHOP, async |stage| {
        let [api, web] = staged(stage, "1a2b3c4", "shop-staging/2").await;
        is_offered(stage, OFFER, MINUTE).await;
        stage.does("freeze shop-production").await;
        stage.does("approve shop-production/2 --yes").await;
        stage.does("rollback shop-staging --yes").await;
        stage.end_of("shop-staging/3").await;
        stage.does("unfreeze shop-production").await;
        let offer = stage.until(OFFER, 5 * MINUTE, is_withdrawn).await;
        assert!(hold_of(&offer).expect("a hold").contains("`tidegate unblock shop-staging"));
        stage.twin.run_for(5 * MINUTE).await;
        let waiting = [NoticeKind::Waiting, NoticeKind::Waiting];
        assert_eq!(stage.kinds(OFFER).await, waiting, "for an approval, and once for this");
        stage.does(&format!("unblock shop-staging {api}")).await;
        stage.twin.run_for(3 * MINUTE).await;
        assert!(is_withdrawn(&stage.release(OFFER).await), "the other image is blocked as well");
        stage.does(&format!("unblock shop-staging {web}")).await;
        goes_live(stage, OFFER).await;
    });
}

#[test]
fn what_its_own_pipeline_went_back_from_can_be_turned_away() {
    shop(10, SHOP, async |stage| {
        staged(stage, "1a2b3c4", "shop-staging/2").await;
        is_offered(stage, OFFER, MINUTE).await;
        stage.does("freeze shop-production").await;
        stage.does("approve shop-production/2 --yes").await;
        stage.does("rollback shop-staging --yes").await;
        stage.end_of("shop-staging/3").await;
        stage.does("unfreeze shop-production").await;
        stage.until(OFFER, 5 * MINUTE, is_withdrawn).await;
        stage.does("reject shop-production/2 --yes").await;
        assert_eq!(stage.release(OFFER).await.phase.name(), "rejected");
    });
}

fn is_withdrawn(release: &Release) -> bool {
    hold_of(release).is_some_and(|what| what.contains("may not be released there"))
}

#[test]
fn going_back_to_bytes_that_are_gone_waits_for_nothing() {
    shop(11, &copied(), async |stage| {
        for (number, sha) in [(2, "1111111"), (3, "2222222")] {
            let [api, web] = staged(stage, sha, &format!("shop-staging/{number}")).await;
            stage.replicate("shop-api", &api, &copies());
            stage.replicate("shop-web", &web, &copies());
            let id = format!("shop-production/{number}");
            is_offered(stage, &id, 3 * MINUTE).await;
            stage.does(&format!("approve {id} --yes")).await;
            goes_live(stage, &id).await;
        }
        let old = stage.release("shop-production/2").await.images["api"].digest.clone();
        let gone = json!({ "repositoryName": "shop-api", "imageIds": [{ "imageDigest": old }] });
        stage.twin.world.with(|cloud, now| {
            let there = cloud.ecr.at(&copies());
            there.call("BatchDeleteImage", &gone, now).expect("an answer");
        });
        stage.does("rollback shop-production --to 2 --yes").await;
        let held = |release: &Release| hold_of(release).is_some();
        let back = stage.until("shop-production/4", MINUTE, held).await;
        let what = hold_of(&back).expect("a hold");
        assert!(what.contains("is deleted from shop-api or archived"), "{what}");
        assert_eq!(stage.kinds("shop-production/4").await, [NoticeKind::Waiting], "at once");
    });
}
