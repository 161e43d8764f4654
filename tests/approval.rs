//! A person's word before anything moves, typed as an operator types it.

#![expect(clippy::expect_used, reason = "a story whose build cannot push has failed")]

use std::time::Duration;

use serde_json::json;
use tidegate_core::model::{NoticeKind, Release};
use tidegate_tests::fleet::is_live;
use tidegate_tests::{Stage, play};

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: &str = "shop/2";

const SHOP: &str = "
version: 1
pipelines:
  shop:
    region: us-west-2
    images:
      api: { repository: shop-api, tag: \"{sha}\" }
      web: { repository: shop-web, tag: \"{sha}\" }
    join_on: sha
    approval: { required: true, expires: 2h, unless_tag: \"v{semver}\" }
    cluster: live-crons
    waves: [[{ service: api, containers: { api: api } }], [{ service: web, containers: { web: web } }]]
    watch: { timeout: 5m, bake: 30s }
";

/// Plays a story on the two, adopted as release 1.
fn shop(seed: u64, story: impl AsyncFnOnce(&Stage)) {
    play(seed, SHOP, async |stage| {
        stage.apply(SHOP).await;
        story(stage).await;
    });
}

/// A build pushes a commit's two images; its release waits for an approval.
async fn builds(stage: &Stage, sha: &str, id: &str) -> [String; 2] {
    let pushed = ["shop-api", "shop-web"]
        .map(|repository| stage.twin.push(repository, &[sha], "healthy").expect("a push"));
    stage.until(id, 2 * MINUTE, |release| release.approval_asked().is_some()).await;
    pushed
}

async fn goes_live(stage: &Stage, id: &str) -> Release {
    let release = stage.end_of(id).await;
    assert!(is_live(&release), "{release:#?}");
    release
}

#[test]
fn a_release_shows_what_it_would_change_and_moves_when_it_is_approved() {
    shop(1, async |stage| {
        let [api, _] = builds(stage, "1a2b3c4", SECOND).await;
        stage.twin.run_for(10 * MINUTE).await;
        assert!(stage.called("deploy", "UpdateService").is_empty(), "nothing moves by itself");
        let notices = stage.notices(SECOND).await;
        let [notice] = &notices[..] else { panic!("{notices:#?}") };
        assert_eq!(notice.kind, NoticeKind::Waiting);
        let change = format!("shop-api@{}", &api["sha256:".len()..][..12]);
        assert!(notice.targets[0].starts_with("api (api:1): "), "{:?}", notice.targets);
        assert!(notice.targets[0].ends_with(&change), "{:?}", notice.targets);
        let typed: Vec<_> = notice.commands.iter().map(|it| it.split("  #").next()).collect();
        assert!(typed.contains(&Some("tidegate approve shop/2")), "{typed:?}");

        let (exit, status, _) = stage.tidegate("status shop").await;
        assert_eq!(exit, 20);
        assert!(status.contains("waits    an approval of shop/2"), "{status}");
        assert!(status.contains("type     tidegate approve shop/2"), "{status}");
        // Nobody approves by accident: nobody can be asked here.
        let (exit, _, talk) = stage.tidegate("approve shop/2").await;
        assert_eq!(exit, 2, "{talk}");
        assert!(talk.contains(&change), "{talk}");

        stage.does("approve shop/2 --yes").await;
        let live = goes_live(stage, SECOND).await;
        let approved = live.approved.expect("who approved it");
        assert!(approved.by.starts_with("arn:aws:"), "{approved:?}");
        let journal = stage.journal(SECOND).await;
        assert!(journal.contains(&format!("plan {}", &approved.plan[..12])), "{journal}");
        let said = stage.refuses("approve shop/2 --yes").await;
        assert!(said.contains("shop/2 is live and does not wait for an approval"), "{said}");
    });
}

#[test]
fn a_service_that_changed_meanwhile_needs_another_approval() {
    shop(2, async |stage| {
        builds(stage, "1a2b3c4", SECOND).await;
        let theirs = stage.register_another("api", None);
        stage.update("api", json!({ "taskDefinition": theirs }));
        stage.twin.run_for(5 * MINUTE).await;
        stage.does("approve shop/2 --yes").await;
        stage.twin.run_for(MINUTE).await;
        assert_eq!(stage.kinds(SECOND).await, [NoticeKind::Waiting; 2]);
        let told = stage.notices(SECOND).await.pop().expect("a notice");
        assert!(!told.targets[0].starts_with("api (api:1): "), "{:?}", told.targets);
        assert!(stage.called("deploy", "UpdateService").is_empty());
        stage.does("approve shop --yes").await;
        goes_live(stage, SECOND).await;
    });
}

#[test]
fn nobody_answers_and_it_expires() {
    shop(3, async |stage| {
        builds(stage, "1a2b3c4", SECOND).await;
        stage.twin.run_for(121 * MINUTE).await;
        let expired = stage.release(SECOND).await;
        assert_eq!(expired.phase.name(), "expired");
        assert_eq!(stage.kinds(SECOND).await, [NoticeKind::Waiting, NoticeKind::Expired]);
        let (exit, ..) = stage.tidegate("show shop/2").await;
        assert_eq!(exit, 1);
        let head = stage.scene("shop").await.head;
        assert_eq!((head.next, head.moving), (3, None), "the sweep does not bring it again");
        builds(stage, "2222222", "shop/3").await;
    });
}

#[test]
fn a_rejected_set_is_not_released_again_but_by_start() {
    shop(4, async |stage| {
        let [api, web] = builds(stage, "1a2b3c4", SECOND).await;
        stage.does("reject shop/2 --reason audit --yes").await;
        assert_eq!(stage.release(SECOND).await.phase.name(), "rejected");
        // The same bytes under a newer sha, and a sweep.
        stage.tag("shop-api", &api, "2222222");
        stage.tag("shop-web", &web, "2222222");
        stage.twin.run_for(12 * MINUTE).await;
        assert_eq!(stage.scene("shop").await.head.next, 3);
        stage.does("start shop/2").await;
        stage.until("shop/3", 2 * MINUTE, |release| release.approval_asked().is_some()).await;
        stage.does("approve shop/3 --yes").await;
        goes_live(stage, "shop/3").await;
    });
}

#[test]
fn a_version_tag_on_every_image_approves() {
    shop(5, async |stage| {
        let [api, web] = builds(stage, "1a2b3c4", SECOND).await;
        stage.tag("shop-api", &api, "v1.2.3");
        stage.twin.run_for(10 * MINUTE).await;
        assert!(stage.release(SECOND).await.approved.is_none(), "one of two is not all");
        stage.tag("shop-web", &web, "v1.2.4");
        stage.twin.run_for(MINUTE).await;
        assert!(stage.release(SECOND).await.approved.is_none(), "two tags are not one");
        stage.tag("shop-web", &web, "v1.2.3");
        let live = goes_live(stage, SECOND).await;
        assert_eq!(live.approved.expect("an approval").by, "ecr");
        let journal = stage.journal(SECOND).await;
        assert!(journal.contains("the tag `v1.2.3` arrived on every image of it"), "{journal}");
        stage.twin.run_for(6 * MINUTE).await;
        assert_eq!(stage.scene("shop").await.head.next, 3, "a version tag starts nothing here");
    });
}

#[test]
fn a_tag_that_was_there_before_approves_nothing() {
    shop(6, async |stage| {
        for repository in ["shop-api", "shop-web"] {
            stage.twin.push(repository, &["v1.2.3", "1a2b3c4"], "healthy").expect("a push");
        }
        stage.until(SECOND, 2 * MINUTE, |release| release.approval_asked().is_some()).await;
        stage.twin.run_for(12 * MINUTE).await;
        assert!(stage.release(SECOND).await.approved.is_none());
    });
}

#[test]
fn a_newer_push_takes_the_place_and_a_rollback_waits_for_nobody() {
    shop(7, async |stage| {
        builds(stage, "1a2b3c4", SECOND).await;
        builds(stage, "2222222", "shop/3").await;
        assert_eq!(stage.release(SECOND).await.phase.name(), "superseded");
        stage.does("approve shop/3 --yes").await;
        goes_live(stage, "shop/3").await;
        stage.does("rollback shop --yes").await;
        goes_live(stage, "shop/4").await;
    });
}
