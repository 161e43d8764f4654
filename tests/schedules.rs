//! Schedules and rules that run a task: they name the release's revision, and their runs prove it.

#![expect(clippy::unwrap_used, reason = "what is not as expected has failed")]

use std::time::Duration;

use serde_json::{Value, json};
use tidegate_core::model::{NoticeKind, SlotPhase};
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_local::seed::Fleet;
use tidegate_tests::fleet::{hold_of, is_live};
use tidegate_tests::stack::TEXT;
use tidegate_tests::{Stage, play, play_with};

const FIRST: &str = "someli-production/2";
const SECOND: &str = "someli-production/3";

/// A worker, and two tasks that run every five minutes with the same image.
const SCHEDULED: &str = r"
version: 1
pipelines:
  someli-production:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi] } }
    cluster: live-crons
    waves: [[Rag], [{ schedule: jobs/nightly-report-of-everything }, { rule: hourly }]]
    watch: { bake: 30s }
";

fn schedule(stage: &Stage) -> Value {
    let named = json!({ "Name": "nightly-report-of-everything", "GroupName": "jobs" });
    stage
        .twin
        .world
        .with(|cloud, now| cloud.scheduled.call_scheduler("GetSchedule", &named, now))
        .unwrap()
}

/// Somebody writes the schedule, with one change.
fn rewrite(stage: &Stage, change: impl FnOnce(&mut Value)) {
    let mut written = schedule(stage);
    for member in ["Arn", "CreationDate", "LastModificationDate"] {
        written.as_object_mut().unwrap().remove(member);
    }
    change(&mut written);
    let scheduler = stage
        .twin
        .world
        .with(|cloud, now| cloud.scheduled.call_scheduler("UpdateSchedule", &written, now));
    scheduler.unwrap();
}

#[test]
fn what_aws_refuses_before_anything_moved_there_is_left_untouched() {
    play(1, SCHEDULED, async |stage| {
        stage.apply(SCHEDULED).await;
        let rule = FaultRule {
            caller: Some("deploy".to_owned()),
            action: Some("UpdateSchedule".to_owned()),
            ..FaultRule::always(Fault::Deny)
        };
        stage.twin.world.with(|cloud, _| cloud.faults.add(rule));
        let before = schedule(stage);
        stage.push("uapi", "healthy");
        let release = stage.end_of(FIRST).await;
        let journal = stage.journal(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back", "{journal}");
        assert_eq!(schedule(stage), before);
    });
}

fn rule(stage: &Stage) -> Value {
    let named = json!({ "Rule": "hourly" });
    stage
        .twin
        .world
        .with(|cloud, now| cloud.scheduled.call_events("ListTargetsByRule", &named, now))
        .unwrap()["Targets"][0]
        .take()
}

fn of_schedule(stage: &Stage) -> String {
    schedule(stage)["Target"]["EcsParameters"]["TaskDefinitionArn"].as_str().unwrap().to_owned()
}

fn of_rule(stage: &Stage) -> String {
    rule(stage)["EcsParameters"]["TaskDefinitionArn"].as_str().unwrap().to_owned()
}

/// What must survive a release: everything but the revision and when it was written.
fn rest(mut written: Value) -> Value {
    for path in ["/Target/EcsParameters/TaskDefinitionArn", "/EcsParameters/TaskDefinitionArn"] {
        if let Some(revision) = written.pointer_mut(path) {
            *revision = Value::Null;
        }
    }
    if let Some(members) = written.as_object_mut() {
        members.remove("LastModificationDate");
    }
    written
}

#[test]
fn they_name_the_release_s_revision_and_nothing_else_of_them_changes() {
    play(1, SCHEDULED, async |stage| {
        stage.apply(SCHEDULED).await;
        let before = [rest(schedule(stage)), rest(rule(stage))];
        let digest = stage.push("uapi", "healthy");
        let release = stage.end_of(FIRST).await;
        assert!(is_live(&release), "{}", stage.journal(FIRST).await);
        assert_eq!([rest(schedule(stage)), rest(rule(stage))], before);
        for revision in [of_schedule(stage), of_rule(stage)] {
            let (definition, _) = stage.definition(&revision);
            let image = definition["containerDefinitions"][0]["image"].as_str().unwrap();
            assert!(image.ends_with(&format!("@{digest}")), "{image}");
        }
        let told = stage.notices(FIRST).await;
        let live = told.last().unwrap();
        assert!(
            live.text.iter().any(|it| it.starts_with("On 1 service, 1 schedule and 1 rule")),
            "{live:#?}"
        );
        assert!(
            live.targets.iter().any(|it| it == "hourly: changed; its next run has to prove it")
        );
    });
}

#[test]
fn a_worker_that_falls_brings_the_schedules_back_to_the_bytes_that_ran() {
    let waves = "[[{ schedule: nightly }], [Rag]]";
    let first = SCHEDULED.replace(
        "[[Rag], [{ schedule: jobs/nightly-report-of-everything }, { rule: hourly }]]",
        waves,
    );
    play(1, &first, async |stage| {
        stage.apply(&first).await;
        stage.push("uapi", "healthy");
        let good = stage.end_of(FIRST).await;
        assert!(is_live(&good), "{}", stage.journal(FIRST).await);
        let named = || {
            let named = json!({ "Name": "nightly" });
            let get = stage
                .twin
                .world
                .with(|cloud, now| cloud.scheduled.call_scheduler("GetSchedule", &named, now));
            get.unwrap()["Target"]["EcsParameters"]["TaskDefinitionArn"].clone()
        };
        let before = named();
        stage.push("uapi", "crash");
        let bad = stage.end_of(SECOND).await;
        let journal = stage.journal(SECOND).await;
        assert_eq!(bad.phase.name(), "rolled_back", "{journal}");
        assert_eq!(named(), before, "{journal}");
        assert!(journal.contains("names ours"), "it had moved before: {journal}");
    });
}

#[test]
fn the_first_run_proves_it() {
    let only = SCHEDULED.replace("[Rag], ", "");
    play(1, &only, async |stage| {
        stage.apply(&only).await;
        stage.push("uapi", "exit=0");
        let release = stage.end_of(FIRST).await;
        let told = stage.notices(FIRST).await;
        let last = told.last().unwrap();
        assert_eq!(release.phase.name(), "live", "{}", stage.journal(FIRST).await);
        assert!(
            last.text.iter().any(|it| it.contains("its next run has to prove it")),
            "{last:#?}"
        );
        stage.twin.run_for(Duration::from_secs(10 * 60)).await;
        let targets: Vec<_> = release.targets().cloned().collect();
        let slots = stage.table.slots(&targets).await.unwrap();
        assert_eq!(slots.len(), 2);
        for slot in slots.values() {
            let proven = matches!(slot.phase, SlotPhase::Healthy { unproven: false, .. });
            assert!(proven, "{}: {:?}", slot.target, slot.phase);
        }
        assert!(stage.journal(FIRST).await.contains("a run of it ended with code 0"));
    });
}

#[test]
fn a_run_that_fails_on_a_live_release_is_told_once_and_moves_nothing() {
    let only = SCHEDULED.replace("[Rag], ", "");
    play(1, &only, async |stage| {
        stage.apply(&only).await;
        stage.push("uapi", "exit=3");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "live", "{}", stage.journal(FIRST).await);
        let before = of_schedule(stage);
        stage.twin.run_for(Duration::from_secs(30 * 60)).await;
        let kinds = stage.kinds(FIRST).await;
        let failed = kinds.iter().filter(|kind| **kind == NoticeKind::RunFailed).count();
        assert_eq!(failed, 2, "one for each: {kinds:?}\n{}", stage.journal(FIRST).await);
        assert_eq!(of_schedule(stage), before);
        let told = stage.notices(FIRST).await;
        let told = told.iter().find(|it| it.kind == NoticeKind::RunFailed).unwrap();
        assert!(told.text[0].contains("exited with code 3"), "{told:#?}");
        assert!(told.commands.iter().any(|it| it.starts_with("tidegate rollback")), "{told:#?}");
    });
}

#[test]
fn a_run_is_told_though_ecs_throttles_for_longer_than_an_invocation_lasts() {
    let only = SCHEDULED.replace("[Rag], ", "").replace(", { rule: hourly }", "");
    play(1, &only, async |stage| {
        stage.apply(&only).await;
        stage.push("uapi", "exit=3");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "live", "{}", stage.journal(FIRST).await);
        // Nothing but this event says whose run it was: no tick looks for runs.
        let rule = FaultRule {
            caller: Some("watch".to_owned()),
            action: Some("DescribeTaskDefinition".to_owned()),
            ..FaultRule::always(Fault::Throttle)
        };
        stage.twin.world.with(|cloud, _| cloud.faults.add(rule));
        let fired = || stage.twin.world.look(|cloud| cloud.faults.fired()[0].fired);
        while fired() == 0 {
            stage.twin.run_for(Duration::from_secs(1)).await;
        }
        stage.twin.run_for(Duration::from_secs(60)).await;
        stage.twin.world.with(|cloud, _| cloud.faults.clear());
        // The schedule's next run is five minutes after this one.
        stage.twin.run_for(Duration::from_secs(120)).await;
        assert!(stage.kinds(FIRST).await.contains(&NoticeKind::RunFailed));
    });
}

#[test]
fn a_run_that_fails_while_the_release_bakes_brings_it_back() {
    let only = SCHEDULED.replace("[Rag], ", "").replace("bake: 30s", "bake: 20m");
    play(1, &only, async |stage| {
        stage.apply(&only).await;
        stage.push("uapi", "healthy");
        let good = stage.end_of(FIRST).await;
        assert_eq!(good.phase.name(), "live", "{}", stage.journal(FIRST).await);
        let before = [of_schedule(stage), of_rule(stage)];
        stage.push("uapi", "exit=3");
        let bad = stage.end_of(SECOND).await;
        let journal = stage.journal(SECOND).await;
        assert_eq!(bad.phase.name(), "rolled_back", "{journal}");
        assert_eq!([of_schedule(stage), of_rule(stage)], before);
        let cause = &bad.failure.as_ref().unwrap().cause;
        assert!(cause.contains("exited with code 3"), "{cause}");
    });
}

/// Somebody has the schedule run its task in this cluster.
fn runs_in(stage: &Stage, cluster: &str) {
    rewrite(stage, |schedule| schedule["Target"]["Arn"] = json!(cluster));
}

/// What a check says of `config`, with the parameters that it needs: whether it can be applied, and the
/// words.
async fn check(stage: &Stage, config: &str) -> (bool, String) {
    let words = ["config", "check", "--live", "--iam"];
    let said = stage.twin.operator().types_with(&words, config).await.unwrap();
    (said.exit as u8 == 0, said.out + &said.talk)
}

/// A worker and a schedule, whose runs have twenty minutes to fail.
fn baking() -> String {
    SCHEDULED.replace(", { rule: hourly }", "").replace("bake: 30s", "bake: 20m")
}

const OTHER: &str = "arn:aws:ecs:us-west-2:123456789012:cluster/batch";

#[test]
fn a_run_that_fails_in_another_cluster_than_the_services_brings_them_back() {
    let clusters = format!("arn:aws:ecs:us-west-2:123456789012:cluster/live-crons,{OTHER}");
    let heard = [("ClusterArns", clusters.as_str())];
    let played = play_with(TEXT, &heard, Fleet::default(), 1, &baking(), async |stage| {
        stage.twin.world.with(|cloud, now| {
            let named = json!({ "clusterName": "batch" });
            cloud.ecs.call("CreateCluster", &named, now, &cloud.ecr).unwrap();
        });
        runs_in(stage, OTHER);
        let (_, said) = check(stage, &baking()).await;
        assert!(said.contains(OTHER), "its events would not be heard: {said}");
        stage.apply(&baking()).await;
        stage.push("uapi", "healthy");
        let good = stage.end_of(FIRST).await;
        assert_eq!(good.phase.name(), "live", "{}", stage.journal(FIRST).await);
        let before = of_schedule(stage);
        stage.push("uapi", "one-off=3");
        let bad = stage.end_of(SECOND).await;
        let journal = stage.journal(SECOND).await;
        assert_eq!(bad.phase.name(), "rolled_back", "{journal}");
        assert!(bad.failure.as_ref().unwrap().cause.contains("exited with code 3"), "{journal}");
        assert_eq!(of_schedule(stage), before);
    });
    played.unwrap();
}

#[test]
fn a_run_that_fails_comes_back_where_the_pipeline_names_no_cluster() {
    let config = baking().replace("[Rag], ", "").replace("    cluster: live-crons\n", "");
    play(1, &config, async |stage| {
        stage.apply(&config).await;
        let (_, said, _) = stage.tidegate("verify someli-production").await;
        assert!(said.contains("nobody is told"), "nobody subscribed here: {said}");
        assert!(said.contains("its alarms ring unheard"), "nor to the alarms: {said}");
        assert!(said.contains(" green, 1 warning, 1 failed"), "nothing else is wrong: {said}");
        stage.push("uapi", "healthy");
        let good = stage.end_of(FIRST).await;
        assert_eq!(good.phase.name(), "live", "{}", stage.journal(FIRST).await);
        let before = of_schedule(stage);
        stage.push("uapi", "exit=3");
        let bad = stage.end_of(SECOND).await;
        assert_eq!(bad.phase.name(), "rolled_back", "{}", stage.journal(SECOND).await);
        assert_eq!(of_schedule(stage), before);
    });
}

#[test]
fn verify_tells_of_a_cluster_whose_runs_are_not_heard() {
    play(1, &baking(), async |stage| {
        stage.apply(&baking()).await;
        runs_in(stage, OTHER);
        let (exit, said, _) = stage.tidegate("verify someli-production").await;
        assert_eq!(exit, 1, "{said}");
        assert!(said.contains(&format!("it lets no event of {OTHER} through")), "{said}");
    });
}

#[test]
fn a_schedule_whose_runs_nobody_hears_is_not_touched() {
    play(1, SCHEDULED, async |stage| {
        stage.apply(SCHEDULED).await;
        runs_in(stage, &OTHER.replace("us-west-2", "eu-west-1"));
        let (applicable, said) = check(stage, SCHEDULED).await;
        assert!(!applicable && said.contains("hears runs in us-west-2"), "{said}");
        stage.push("uapi", "healthy");
        let held = stage.until(FIRST, Duration::from_secs(300), |it| hold_of(it).is_some()).await;
        let why = hold_of(&held).unwrap();
        assert!(why.contains("let it run in a cluster there"), "{why}");
        assert_eq!(stage.updates("Rag"), 0);
    });
}

#[test]
fn a_schedule_without_a_revision_is_not_touched_and_the_release_says_why() {
    play(1, SCHEDULED, async |stage| {
        stage.apply(SCHEDULED).await;
        let revision = of_schedule(stage);
        let family = revision.rsplit_once(':').unwrap().0;
        rewrite(stage, |schedule| {
            schedule["Target"]["EcsParameters"]["TaskDefinitionArn"] = json!(family);
        });
        stage.push("uapi", "healthy");
        let held = stage.until(FIRST, Duration::from_secs(300), |it| hold_of(it).is_some()).await;
        let why = hold_of(&held).unwrap();
        assert!(why.contains("without a revision"), "{why}");
        assert_eq!(stage.updates("Rag"), 0);
    });
}

#[test]
fn blocked_bytes_are_no_way_back_though_the_tag_was_live() {
    let only = SCHEDULED.replace("[Rag], ", "");
    play(1, &only, async |stage| {
        stage.apply(&only).await;
        let ran = stage.shown("live_crons", "uapi").unwrap();
        stage.does(&format!("block someli-production {ran}")).await;
        stage.push("uapi", "healthy");
        let held = stage.until(FIRST, Duration::from_secs(300), |it| hold_of(it).is_some()).await;
        let why = hold_of(&held).unwrap();
        assert!(why.contains("blocked"), "{why}");
    });
}
