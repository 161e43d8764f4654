//! Other regions and accounts: what is pushed there is heard here, and what runs there is released
//! from here, as a role and within what that role allows.
#![expect(clippy::unwrap_used, reason = "a story that cannot be told has failed")]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use tidegate_core::model::{Phase, Release};
use tidegate_local::api::Place;
use tidegate_local::call::Noted;
use tidegate_local::cloud::Cloud;
use tidegate_local::ecs::ServiceName;
use tidegate_local::operator::Said;
use tidegate_local::places;
use tidegate_local::seed::Fleet;
use tidegate_tests::fleet::hold_of;
use tidegate_tests::stack::TEXT;
use tidegate_tests::{Stage, play, play_with};

/// The account of the installation.
const HOME: &str = "123456789012";
/// Longer than anything here takes, the sweep's five minutes before it among them.
const LONG: Duration = Duration::from_secs(40 * 60);

/// Another account: no other number than the example's may be written down.
fn other() -> String {
    HOME.chars().rev().collect()
}

/// A cluster here that runs what is pushed to another region; one of another region, and one of another
/// account, which run what is pushed here.
fn config() -> String {
    format!(
        "version: 1\n\
         defaults: {{ cluster: shop, watch: {{ bake: 30s }} }}\n\
         pipelines:\n  \
           shop-api:\n    \
             images: {{ api: {{ repository: shop-api, tag: \"prod-{{sha}}\", registry: {{ region: \
             ap-south-1 }} }} }}\n    \
             waves: [[api]]\n  \
           shop-jobs:\n    \
             region: eu-central-1\n    \
             images: {{ jobs: {{ repository: shop-jobs, tag: \"prod-{{sha}}\" }} }}\n    \
             waves: [[jobs]]\n  \
           shop-web:\n    \
             region: eu-west-1\n    \
             role: arn:aws:iam::{}:role/tidegate-target\n    \
             external_id: shop-2026\n    \
             images: {{ web: {{ repository: shop-web, tag: \"prod-{{sha}}\" }} }}\n    \
             waves: [[web-a], [web-b]]\n",
        other()
    )
}

/// Where `shop-web` runs.
fn there() -> Place {
    Place::new(&other(), "eu-west-1")
}

/// The digests that the tasks of a service show, wherever it is.
fn runs(stage: &Stage, place: &Place, service: &str) -> BTreeSet<String> {
    let name = ServiceName::new("shop", service);
    stage.twin.world.with(|cloud, _| {
        let images = cloud.ecs_at(place).0.running_images(&name);
        let ours = images.into_iter().filter(|(container, _)| container != "log-router");
        ours.map(|(_, digest)| digest).collect()
    })
}

/// The calls of one action so far.
fn calls(stage: &Stage, action: &str) -> Vec<Noted> {
    let all = stage.twin.world.look(|cloud| cloud.calls().to_vec());
    all.into_iter().filter(|noted| noted.call.name() == action).collect()
}

async fn applied(stage: &Stage, config: &str) -> Said {
    stage.twin.operator().applies(config).await.unwrap()
}

async fn ended(stage: &Stage, id: &str) -> Release {
    stage.until(id, LONG, |release| release.phase.is_ended() || release.phase.is_stuck()).await
}

/// How long after its push a release began.
fn heard_after(release: &Release, pushed: jiff::Timestamp) -> SignedDuration {
    release.at.duration_since(pushed)
}

#[test]
fn a_push_in_another_region_is_heard_where_its_events_are_sent_on_and_found_where_not() {
    for forwarded in [true, false] {
        play(11, &config(), async |stage| {
            let said = applied(stage, &config()).await;
            assert_eq!(said.exit as u8, 0, "{said:?}");
            if !forwarded {
                stage.twin.world.with(|cloud, _| cloud.forward_nothing());
            }
            let pushed = stage.twin.now();
            let digest = stage.twin.push("shop-api", &["prod-1111111"], "healthy").unwrap();
            let release = ended(stage, "shop-api/2").await;
            assert_eq!(release.phase.name(), "live", "{:?}", release.phase);
            assert_eq!(runs(stage, &Place::new(HOME, "us-west-2"), "api"), [digest].into());
            let heard = heard_after(&release, pushed);
            let soon = heard < SignedDuration::from_secs(10);
            assert_eq!(soon, forwarded, "heard after {heard}");
            assert!(heard < SignedDuration::from_mins(7), "a sweep is five minutes, and one late");
        });
    }
}

#[test]
fn a_cluster_of_another_account_is_released_to_and_brought_back_as_a_role() {
    released_and_brought_back(&[], true);
    // Sent, but the bus at home takes nothing from that account: then a look finds it.
    released_and_brought_back(&[("ForwardingAccounts", "")], false);
}

fn released_and_brought_back(parameters: &[(&str, &str)], heard: bool) {
    play_with(TEXT, parameters, Fleet::default(), 12, &config(), async |stage| {
        let said = applied(stage, &config()).await;
        assert_eq!(said.exit as u8, 0, "{said:?}");
        let good = stage.twin.push("shop-web", &["prod-1111111"], "healthy").unwrap();
        let release = ended(stage, "shop-web/2").await;
        assert_eq!(release.phase.name(), "live", "{}", stage.journal("shop-web/2").await);
        for service in ["web-a", "web-b"] {
            assert_eq!(runs(stage, &there(), service), [good.clone()].into(), "{service}");
        }
        let fell = stage.twin.now();
        stage.twin.push("shop-web", &["prod-2222222"], "crash").unwrap();
        let release = ended(stage, "shop-web/3").await;
        let failed = release.failure.as_ref().unwrap().at.duration_since(fell);
        // Events tell of the first task; without them a look finds it, by ECS's count of failed tasks.
        assert_eq!(failed < SignedDuration::from_secs(60), heard, "failed after {failed}");
        assert_eq!(release.phase.name(), "rolled_back", "{}", stage.journal("shop-web/3").await);
        for service in ["web-a", "web-b"] {
            assert_eq!(runs(stage, &there(), service), [good.clone()].into(), "{service}");
        }
        let updates = calls(stage, "ecs:UpdateService");
        assert!(updates.iter().all(|it| it.call.scope.session.is_some()), "as the role alone");
        assert!(updates.len() >= 4, "two went, one went and came back: {}", updates.len());
    })
    .unwrap();
}

#[test]
fn a_pipeline_of_another_account_that_pulls_from_home_hides_no_cluster_of_it() {
    // Pipelines are looked at in the order of their names: the one with the role comes first.
    let config = format!(
        "version: 1\n\
         defaults: {{ cluster: shop, watch: {{ bake: 30s }} }}\n\
         pipelines:\n  \
           a-web:\n    \
             region: eu-west-1\n    \
             role: arn:aws:iam::{}:role/tidegate-target\n    \
             external_id: shop-2026\n    \
             images: {{ web: {{ repository: shop-web, tag: \"prod-{{sha}}\" }} }}\n    \
             waves: [[web]]\n  \
           b-jobs:\n    \
             images: {{ jobs: {{ repository: shop-jobs, tag: \"prod-{{sha}}\" }} }}\n    \
             waves: [[jobs]]\n",
        other()
    );
    play(18, &config, async |stage| {
        let said = applied(stage, &config).await;
        assert_eq!(said.exit as u8, 0, "{said:?}");
    });
}

#[test]
fn a_cluster_of_another_region_is_released_to_without_a_role() {
    play(17, &config(), async |stage| {
        assert_eq!(applied(stage, &config()).await.exit as u8, 0);
        let digest = stage.twin.push("shop-jobs", &["prod-1111111"], "healthy").unwrap();
        let release = ended(stage, "shop-jobs/2").await;
        assert_eq!(release.phase.name(), "live", "{}", stage.journal("shop-jobs/2").await);
        assert_eq!(runs(stage, &Place::new(HOME, "eu-central-1"), "jobs"), [digest].into());
        let updates = calls(stage, "ecs:UpdateService");
        let own = |it: &Noted| it.call.scope.session.is_none();
        assert!(!updates.is_empty() && updates.iter().all(own), "nobody took a role on for it");
    });
}

/// From now on the role asks for this external id.
fn asks_for(stage: &Stage, id: &str) {
    let role = stage.pipelines.iter().find_map(|pipeline| pipeline.role.clone()).unwrap();
    let trust = |cloud: &mut Cloud, _| places::trust(cloud, &stage.pipelines, &role, id);
    stage.twin.world.with(trust).unwrap();
}

#[test]
fn who_applies_a_config_is_told_that_its_role_is_refused() {
    let wrong_id = config().replace("shop-2026", "shop-2025");
    let unnamed = config().replace("role/tidegate-target", "role/somebody-else");
    for mistaken in [wrong_id, unnamed] {
        play(13, &config(), async |stage| {
            let said = applied(stage, &mistaken).await;
            let role = mistaken.lines().find_map(|line| line.trim().strip_prefix("role: "));
            let refused = format!("sts:AssumeRole on {}: AccessDenied", role.unwrap());
            assert_eq!(said.exit as u8, 1, "{said:?}");
            assert!(said.talk.contains(&refused), "{}", said.talk);
            assert!(said.talk.contains("target-role.yaml"), "{}", said.talk);
        });
    }
}

#[test]
fn a_release_whose_role_is_refused_waits_by_name_until_it_is_mended() {
    play(14, &config(), async |stage| {
        assert_eq!(applied(stage, &config()).await.exit as u8, 0);
        asks_for(stage, "another");
        let before = runs(stage, &there(), "web-a");
        let digest = stage.twin.push("shop-web", &["prod-1111111"], "healthy").unwrap();
        stage.twin.run_for(Duration::from_secs(10 * 60)).await;
        let release = stage.release("shop-web/2").await;
        let Phase::Surveying { held: Some(held), .. } = &release.phase else {
            panic!("{:?}", release.phase)
        };
        let held = held.to_string();
        let role = format!("arn:aws:iam::{}:role/tidegate-target", other());
        assert!(held.contains(&format!("sts:AssumeRole on {role}: AccessDenied")), "{held}");
        assert!(held.contains("`external_id`"), "{held}");
        assert_eq!(runs(stage, &there(), "web-a"), before);
        let told: Vec<_> =
            stage.notices("shop-web/2").await.into_iter().map(|it| it.kind).collect();
        assert_eq!(told.len(), 1, "people are told once: {told:?}");
        // Once it is mended a person starts it again, as with any target that could not be released.
        asks_for(stage, "shop-2026");
        assert_eq!(stage.tidegate("start shop-web/2 --yes").await.0, 0);
        assert_eq!(ended(stage, "shop-web/3").await.phase.name(), "live");
        assert_eq!(runs(stage, &there(), "web-a"), [digest].into());
    });
}

#[test]
fn a_role_that_is_refused_on_the_way_back_is_a_result_that_people_are_told() {
    // What the functions hold serves them for an hour; the image falls after it.
    let config = config().replace("bake: 30s", "bake: 2h, failed_tasks: 1");
    play(15, &config, async |stage| {
        assert_eq!(applied(stage, &config).await.exit as u8, 0);
        stage.twin.push("shop-web", &["prod-1111111"], "crash-after=5000s").unwrap();
        stage.until("shop-web/2", LONG, |release| release.phase.name() == "baking").await;
        asks_for(stage, "another");
        stage.twin.run_for(Duration::from_secs(4_000)).await;
        let release = ended(stage, "shop-web/2").await;
        let journal = stage.journal("shop-web/2").await;
        assert_eq!(release.phase.name(), "rollback_failed", "{journal}");
        assert!(journal.contains("sts:AssumeRole on "), "{journal}");
    });
}

#[test]
fn credentials_of_a_role_are_asked_for_again_before_they_expire() {
    play(16, &config(), async |stage| {
        assert_eq!(applied(stage, &config()).await.exit as u8, 0);
        for build in 1..=3 {
            let tag = format!("prod-{build}111111");
            stage.twin.push("shop-web", &[tag.as_str()], "healthy").unwrap();
            let release = ended(stage, &format!("shop-web/{}", build + 1)).await;
            assert_eq!(release.phase.name(), "live");
            stage.twin.run_for(Duration::from_secs(50 * 60)).await;
        }
        let all = stage.twin.world.look(|cloud| cloud.calls().to_vec());
        let refused: Vec<_> = all.iter().filter(|it| it.refusal.is_some()).collect();
        let expired = |it: &&&Noted| it.refusal.as_deref() == Some("ExpiredTokenException");
        assert_eq!(refused.iter().filter(expired).count(), 0);
        let asked = calls(stage, "sts:AssumeRole");
        let names: BTreeSet<_> = asked.iter().map(|it| it.call.caller.clone()).collect();
        assert!(asked.len() > names.len(), "nobody asked again: {}", asked.len());
        let used = all.iter().filter(|it| it.call.scope.session.is_some()).count();
        assert!(used > 5 * asked.len(), "{used} calls took {} roles on", asked.len());
        for session in asked.iter().map(|it| &it.call.input["RoleSessionName"]) {
            let session = session.as_str().unwrap();
            assert!(session.starts_with("tidegate-"), "{session}");
        }
    });
}

/// Staging at home; production in another account, which has a copy of the registry and is released to as
/// its role.
fn promoted() -> String {
    let other = other();
    format!(
        "version: 1\n\
         defaults: {{ cluster: shop }}\n\
         pipelines:\n  \
           shop-staging:\n    \
             images: {{ web: {{ repository: shop-web, tag: \"{{sha}}\" }} }}\n    \
             waves: [[web-staging]]\n    \
             watch: {{ bake: 30s }}\n  \
           shop-production:\n    \
             promote_from: shop-staging\n    \
             registry: {{ account: \"{other}\", region: eu-west-1 }}\n    \
             region: eu-west-1\n    \
             role: arn:aws:iam::{other}:role/tidegate-target\n    \
             external_id: shop-2026\n    \
             approval: {{ required: true }}\n    \
             retag: production-latest\n    \
             waves: [[web-a], [web-b]]\n    \
             watch: {{ bake: 10m, failed_tasks: 1 }}\n"
    )
}

/// Staging's build is copied to the other account once it is offered there, and approved.
async fn copied_and_approved(stage: &Stage, number: u32, digest: &str) {
    assert_eq!(ended(stage, &format!("shop-staging/{number}")).await.phase.name(), "live");
    let id = format!("shop-production/{number}");
    let offer = stage.until(&id, LONG, |offer| hold_of(offer).is_some()).await;
    let held = hold_of(&offer).unwrap();
    let missing = format!("{}.dkr.ecr.eu-west-1.amazonaws.com/shop-web yet", other());
    assert!(held.contains("have not arrived yet") && held.contains(&missing), "{held}");
    stage.replicate("shop-web", digest, &there());
    stage.until(&id, LONG, |offer| offer.approval_asked().is_some()).await;
    stage.does(&format!("approve {id} --yes")).await;
}

#[test]
fn what_is_live_here_is_offered_in_another_account_once_its_copy_is_there() {
    play(19, &promoted(), async |stage| {
        assert_eq!(applied(stage, &promoted()).await.exit as u8, 0);
        let good = stage.twin.push("shop-web", &["1111111"], "healthy").unwrap();
        copied_and_approved(stage, 2, &good).await;
        let live = ended(stage, "shop-production/2").await;
        assert_eq!(live.phase.name(), "live", "{}", stage.journal("shop-production/2").await);
        // Staging's bake is over before it falls; production's is longer.
        let bad = stage.twin.push("shop-web", &["2222222"], "crash-after=400s").unwrap();
        copied_and_approved(stage, 3, &bad).await;
        let back = ended(stage, "shop-production/3").await;
        assert_eq!(
            back.phase.name(),
            "rolled_back",
            "{}",
            stage.journal("shop-production/3").await
        );
        for service in ["web-a", "web-b"] {
            assert_eq!(runs(stage, &there(), service), [good.clone()].into(), "{service}");
        }
        assert!(stage.is_blocked("shop-production", &bad).await);
        stage.twin.run_for(Duration::from_secs(60)).await;
        let marked = stage.twin.world.with(|cloud, _| {
            let copies = cloud.ecr.at(&there()).repository("shop-web")?;
            Some(copies.tagged("production-latest")?.digest.clone())
        });
        assert_eq!(marked, Some(good), "the copy that is live is marked, and no other");
        let role = |it: &Noted| it.call.scope.session.is_some();
        let there = |it: &&Noted| it.call.input["registryId"] == other().as_str();
        let asked = stage.twin.world.look(|cloud| cloud.calls().to_vec());
        let there: Vec<_> = asked.iter().filter(there).collect();
        assert!(
            !there.is_empty() && there.into_iter().all(role),
            "the copies are read as the role"
        );
    });
}

/// What runs here comes from a repository of another account.
fn borrowed() -> String {
    format!(
        "version: 1\n\
         defaults: {{ cluster: shop, watch: {{ bake: 30s }} }}\n\
         pipelines:\n  \
           shop-api:\n    \
             images: {{ api: {{ repository: shop-api, tag: \"prod-{{sha}}\", registry: {{ account: \
             \"{}\" }} }} }}\n    \
             waves: [[api]]\n",
        other()
    )
}

/// From now on the policy of the other account's repository allows this account these actions alone.
fn allows(stage: &Stage, actions: &[&str]) {
    let principal = format!("arn:aws:iam::{HOME}:root");
    let statement =
        json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": actions });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let set = json!({ "repositoryName": "shop-api", "policyText": policy });
    stage.twin.world.with(|cloud, now| {
        let there = cloud.ecr.at(&Place::new(&other(), "us-west-2"));
        there.call("SetRepositoryPolicy", &set, now).unwrap();
    });
}

/// What the functions ask, and what a task's pull needs beside it.
const ASKS: [&str; 2] = ["ecr:DescribeImages", "ecr:BatchGetImage"];
const PULLS: [&str; 3] = [ASKS[0], ASKS[1], "ecr:GetDownloadUrlForLayer"];

#[test]
fn a_repository_of_another_account_is_read_and_pulled_from_where_its_policy_lets_one() {
    play(20, &borrowed(), async |stage| {
        assert_eq!(applied(stage, &borrowed()).await.exit as u8, 0);
        let good = stage.twin.push("shop-api", &["prod-1111111"], "healthy").unwrap();
        assert_eq!(ended(stage, "shop-api/2").await.phase.name(), "live");
        let home = Place::new(HOME, "us-west-2");
        assert_eq!(runs(stage, &home, "api"), [good.clone()].into());
        // It may be looked at, and not pulled, neither what is new nor what ran.
        allows(stage, &ASKS);
        let next = stage.twin.push("shop-api", &["prod-2222222"], "healthy").unwrap();
        stage.until_phase("shop-api/3", "rolling_back").await;
        let (_, shown, _) = stage.tidegate("show shop-api/3").await;
        assert!(shown.contains("api: the image cannot be pulled: access denied"), "{shown}");
        assert!(shown.contains("and check the repository's policy"), "{shown}");
        allows(stage, &PULLS);
        let back = ended(stage, "shop-api/3").await;
        assert_eq!(back.phase.name(), "rolled_back", "{}", stage.journal("shop-api/3").await);
        assert_eq!(runs(stage, &home, "api"), [good].into());
        assert!(!stage.is_blocked("shop-api", &next).await, "no image is to blame for that");
    });
}

#[test]
fn a_repository_of_another_account_that_lets_nobody_in_is_said_by_name_and_asked_again() {
    const REFUSED: &str = "because no resource-based policy allows the ecr:DescribeImages action";
    play(21, &borrowed(), async |stage| {
        allows(stage, &[]);
        let said = applied(stage, &borrowed()).await;
        assert_eq!(said.exit as u8, 1, "{said:?}");
        let what = format!("ecr:DescribeImages on shop-api in {}/us-west-2: ", other());
        assert!(said.talk.contains(&what) && said.talk.contains(REFUSED), "{}", said.talk);
        allows(stage, &PULLS);
        let said = applied(stage, &borrowed()).await;
        assert_eq!(said.exit as u8, 0, "{said:?}");
        assert!(said.talk.contains("ecr:DescribeRepositories"), "it lists nothing: {}", said.talk);
        // Somebody takes it away: the push is told, and cannot be looked at.
        allows(stage, &[]);
        let digest = stage.twin.push("shop-api", &["prod-1111111"], "healthy").unwrap();
        stage.twin.run_for(Duration::from_secs(10 * 60)).await;
        assert_eq!(stage.scene("shop-api").await.head.next, 2, "nothing came of it yet");
        let (_, verified, _) = stage.tidegate("verify shop-api").await;
        let remedy = format!("own policy of {} in {}/us-west-2 allow", "shop-api", other());
        assert!(verified.contains(REFUSED) && verified.contains(&remedy), "{verified}");
        allows(stage, &PULLS);
        assert_eq!(ended(stage, "shop-api/2").await.phase.name(), "live");
        assert_eq!(runs(stage, &Place::new(HOME, "us-west-2"), "api"), [digest].into());
    });
}
