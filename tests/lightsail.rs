//! Lightsail container services: one container's image changes, everything else is stated as it was.

#![expect(clippy::unwrap_used, reason = "what is not as expected has failed")]

use std::time::Duration;

use serde_json::{Value, json};
use tidegate_core::model::Digest;
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_tests::fleet::{hold_of, is_live};
use tidegate_tests::{Stage, play};

const MINUTE: Duration = Duration::from_mins(1);
const FIRST: &str = "deml/2";
const SECOND: &str = "deml/3";

const DEML: &str = r#"
version: 1
pipelines:
  deml:
    region: us-east-1
    images:
      backend: { repository: deml-backend, tag: "{sha}" }
      frontend: { repository: deml-frontend, tag: "{sha}" }
    waves: [[{ lightsail: deml-apps, containers: { frontend: frontend, backend: backend } }]]
    watch: { bake: 30s }
"#;

/// What the container service shows.
fn shown(stage: &Stage, action: &str) -> Value {
    let named = json!({ "serviceName": "deml-apps" });
    let answer =
        stage.twin.world.with(|cloud, now| cloud.lightsail.call(action, &named, now, &cloud.ecr));
    answer.unwrap()
}

fn active(stage: &Stage) -> Value {
    shown(stage, "GetContainerServices")["containerServices"][0]["currentDeployment"].take()
}

fn image(deployment: &Value, container: &str) -> String {
    deployment["containers"][container]["image"].as_str().unwrap().to_owned()
}

fn versions(stage: &Stage) -> usize {
    shown(stage, "GetContainerServiceDeployments")["deployments"].as_array().unwrap().len()
}

fn push(stage: &Stage, repository: &str, tag: &str, behaviour: &str) -> Digest {
    stage.twin.push(repository, &[tag], behaviour).unwrap().parse().unwrap()
}

/// A deployment without the images that a release may change, its number and its times.
fn rest(mut deployment: Value) -> Value {
    for container in ["frontend", "backend"] {
        deployment["containers"][container]["image"] = Value::Null;
    }
    for member in ["version", "createdAt", "state"] {
        deployment.as_object_mut().unwrap().remove(member);
    }
    deployment
}

/// Somebody states the active deployment anew, with another image in one container.
fn somebody_states(stage: &Stage, container: &str, image: &str) {
    let mut theirs = active(stage);
    theirs["containers"][container]["image"] = json!(image);
    let stated = json!({ "serviceName": "deml-apps", "containers": theirs["containers"],
        "publicEndpoint": theirs["publicEndpoint"] });
    let state = "CreateContainerServiceDeployment";
    let world = &stage.twin.world;
    world.with(|cloud, now| cloud.lightsail.call(state, &stated, now, &cloud.ecr)).unwrap();
}

#[test]
fn a_push_of_one_image_changes_its_container_alone() {
    play(1, DEML, async |stage| {
        stage.apply(DEML).await;
        let before = active(stage);
        let digest = push(stage, "deml-frontend", "1a2b3c4d", "healthy");
        let release = stage.end_of(FIRST).await;
        assert!(is_live(&release), "{}", stage.journal(FIRST).await);
        let after = active(stage);
        assert!(image(&after, "frontend").ends_with(&format!(":{}", digest.keep_tag())));
        assert_eq!(image(&after, "backend"), image(&before, "backend"));
        assert_eq!(rest(after), rest(before), "environment, ports, sidecar, endpoint");
        assert_eq!(versions(stage), 2);
    });
}

#[test]
fn two_pushes_of_one_commit_both_arrive() {
    play(1, DEML, async |stage| {
        stage.apply(DEML).await;
        let frontend = push(stage, "deml-frontend", "1a2b3c4d", "healthy");
        stage.twin.run_for(Duration::from_secs(20)).await;
        let backend = push(stage, "deml-backend", "1a2b3c4d", "healthy");
        let second = stage.end_of(SECOND).await;
        assert!(is_live(&second), "{}", stage.journal(SECOND).await);
        let after = active(stage);
        assert!(image(&after, "frontend").ends_with(&frontend.keep_tag()), "{after}");
        assert!(image(&after, "backend").ends_with(&backend.keep_tag()), "{after}");
    });
}

#[test]
fn a_deployment_that_fails_leaves_the_one_before_it_and_nothing_is_sent_back() {
    play(1, DEML, async |stage| {
        stage.apply(DEML).await;
        let before = active(stage);
        let digest = push(stage, "deml-frontend", "1a2b3c4d", "crash");
        let release = stage.end_of(FIRST).await;
        let journal = stage.journal(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back", "{journal}");
        assert_eq!(active(stage), before);
        assert_eq!(versions(stage), 2, "the one that failed, and the one before: {journal}");
        let failure = release.failure.as_ref().unwrap();
        assert!(failure.cause.contains("Lightsail gave the deployment up"), "{failure}");
        assert!(failure.remedy.contains("get-container-log"), "{failure}");
        assert!(stage.is_blocked("deml", digest.as_str()).await, "the image was all that was new");
    });
}

#[test]
fn a_failure_after_it_was_active_states_the_one_before_again() {
    let checked = format!(
        "{DEML}    checks: [{{ http: \"https://deml.example.com/health\", attempts: 2 }}]\n"
    );
    play(1, &checked, async |stage| {
        stage.apply(&checked).await;
        let before = active(stage);
        let digest = stage.twin.push_serving("deml-backend", &["1a2b3c4d"], "/health=503").unwrap();
        let release = stage.end_of(FIRST).await;
        let journal = stage.journal(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back", "{journal}");
        let after = active(stage);
        assert_eq!(rest(after.clone()), rest(before.clone()));
        let digest: Digest = digest.parse().unwrap();
        assert!(!image(&after, "backend").contains(&digest.keep_tag()), "{after}");
        assert!(
            image(&after, "backend").contains(":tidegate-keep-"),
            "by a tag that stays: {after}"
        );
        assert_eq!(versions(stage), 3, "{journal}");
        let all =
            serde_json::to_string(&stage.scene("deml").await.slots.values().collect::<Vec<_>>());
        assert!(!all.unwrap().contains("plain text"), "an environment value is in the table");
        assert!(!journal.contains("plain text"), "an environment value is in the audit trail");
    });
}

#[test]
fn a_survey_that_is_made_again_still_knows_what_ran() {
    play(1, DEML, async |stage| {
        stage.apply(DEML).await;
        // The first one puts its keep tag on what runs, and with that ECR calls those bytes new.
        stage.twin.world.with(|cloud, _| {
            cloud.ecr.retag_moves_push_time = true;
            cloud.faults.add(FaultRule {
                caller: Some("deploy".to_owned()),
                action: Some("TransactWriteItems".to_owned()),
                times: Some(1),
                ..FaultRule::always(Fault::KillBefore)
            });
        });
        push(stage, "deml-frontend", "1a2b3c4d", "healthy");
        let release = stage.end_of(FIRST).await;
        assert!(is_live(&release), "{}", stage.journal(FIRST).await);
        let struck = stage.twin.world.look(|cloud| cloud.faults.fired()[0].fired);
        assert_eq!(struck, 1, "there was one survey only");
    });
}

#[test]
fn the_tag_that_the_deployment_names_is_pushed_anew() {
    play(1, DEML, async |stage| {
        stage.apply(DEML).await;
        let before = active(stage);
        let tag = image(&before, "frontend").rsplit_once(':').unwrap().1.to_owned();
        push(stage, "deml-frontend", &tag, "crash");
        let release = stage.end_of(FIRST).await;
        let journal = stage.journal(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back", "{journal}");
        assert!(journal.contains("live in this pipeline before"), "{journal}");
    });
}

#[test]
fn what_a_tag_showed_before_it_came_to_the_release_s_bytes_is_not_guessed() {
    let literal = DEML.replacen("\"{sha}\"", "\"live\"", 2);
    play(1, &literal, async |stage| {
        // Else the tag's own time tells that it came later.
        stage.twin.world.with(|cloud, _| cloud.ecr.retag_moves_push_time = false);
        stage.apply(&literal).await;
        stage.does("freeze deml --reason audit").await;
        let older = push(stage, "deml-frontend", "live", "healthy");
        stage.twin.run_for(MINUTE).await;
        push(stage, "deml-frontend", "live", "healthy");
        let named = image(&active(stage), "frontend");
        let (uri, _) = named.rsplit_once(':').unwrap();
        somebody_states(stage, "frontend", &format!("{uri}:live"));
        stage.twin.run_for(10 * MINUTE).await;
        stage.tag("deml-frontend", older.as_str(), "live");
        stage.twin.run_for(MINUTE).await;
        stage.does("unfreeze deml").await;
        let held = stage.until(FIRST, 5 * MINUTE, |it| hold_of(it).is_some()).await;
        let hold = hold_of(&held).unwrap();
        assert!(hold.contains("no way back"), "{hold}");
    });
}

#[test]
fn somebody_else_s_deployment_is_waited_for() {
    play(1, DEML, async |stage| {
        stage.apply(DEML).await;
        somebody_states(stage, "sidecar", "docker.io/library/redis:8");
        push(stage, "deml-frontend", "1a2b3c4d", "healthy");
        let held = stage.until(FIRST, Duration::from_secs(80), |it| hold_of(it).is_some()).await;
        assert!(hold_of(&held).unwrap().contains("deml-apps"), "{:?}", held.phase);
        let release = stage.end_of(FIRST).await;
        assert!(is_live(&release), "{}", stage.journal(FIRST).await);
        assert_eq!(image(&active(stage), "sidecar"), "docker.io/library/redis:8");
    });
}

#[test]
fn what_somebody_else_stated_in_mid_release_is_drift() {
    let slow = DEML.replace("bake: 30s", "bake: 10m");
    play(1, &slow, async |stage| {
        stage.apply(&slow).await;
        push(stage, "deml-frontend", "1a2b3c4d", "healthy");
        stage.until_phase(FIRST, "baking").await;
        somebody_states(stage, "frontend", "docker.io/library/nginx:1");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "drifted", "{}", stage.journal(FIRST).await);
    });
}
