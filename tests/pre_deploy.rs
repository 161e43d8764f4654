//! One-off tasks before the first wave: once, to a good end, or no service is touched.

use std::time::Duration;

use serde_json::{Value, json};
use tidegate_core::model::NoticeKind;
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_tests::fleet::{hold_of, is_live};
use tidegate_tests::{Stage, play};

const PIPELINE: &str = "someli-production";
const FIRST: &str = "someli-production/1";

/// A migration, then two waves.
const MIGRATING: &str = r#"
version: 1
pipelines:
  someli-production:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi] } }
    cluster: live-crons
    pre_deploy:
      - { name: migrate, task_definition: rag-migrate, container: api, command: [alembic, upgrade, head],
          network_from: Rag, timeout: 2m, down: [alembic, downgrade, "-1"] }
    waves: [[Rag], [AI_CONTENT]]
    watch: { bake: 30s }
"#;

fn runs(stage: &Stage) -> Vec<Value> {
    stage.called("deploy", "RunTask")
}

#[test]
fn it_runs_once_where_the_service_runs_and_the_waves_follow() {
    play(1, MIGRATING, async |stage| {
        stage.adopt().await;
        let digest = stage.push("uapi", "healthy");
        stage.until_service(PIPELINE, "migrate", "settling").await;
        assert_eq!(stage.updates("Rag"), 0, "a service moved before the migration had ended");
        let release = stage.end_of(FIRST).await;
        assert!(is_live(&release), "{}", stage.journal(FIRST).await);
        let calls = runs(stage);
        let [call] = &calls[..] else { panic!("{calls:#?}") };
        let container = &call["overrides"]["containerOverrides"][0];
        assert_eq!(container["name"], json!("api"));
        assert_eq!(container["command"], json!(["alembic", "upgrade", "head"]));
        let network = &call["networkConfiguration"]["awsvpcConfiguration"];
        assert_eq!(network["subnets"], json!(["subnet-0a1b2c3d"]));
        let (definition, _) = stage.definition(call["taskDefinition"].as_str().expect("an ARN"));
        let image = definition["containerDefinitions"][0]["image"].as_str().expect("an image");
        assert!(image.ends_with(&format!("@{digest}")), "{image}");
        for service in ["Rag", "AI_CONTENT"] {
            assert_eq!(stage.digest(service), digest);
        }
        assert_eq!(stage.kinds(FIRST).await, [NoticeKind::Started, NoticeKind::Live]);
    });
}

#[test]
fn another_end_than_code_0_stops_the_release_and_nothing_is_rolled() {
    play(1, MIGRATING, async |stage| {
        stage.adopt().await;
        let before = stage.revision("Rag");
        let digest = stage.push("uapi", "exit=3");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back", "{}", stage.journal(FIRST).await);
        let cause = &release.failure.as_ref().expect("a failure").cause;
        assert!(cause.starts_with("migrate: container `api` exited with code 3"), "{cause}");
        for service in ["Rag", "AI_CONTENT"] {
            assert_eq!(stage.updates(service), 0, "{service} was touched");
        }
        assert_eq!(stage.revision("Rag"), before);
        assert_eq!(runs(stage).len(), 1);
        // What a migration meets is often mended in the database: then the same bytes are right.
        assert!(!stage.is_blocked(PIPELINE, &digest).await);
        let told = stage.notices(FIRST).await;
        let last = told.last().expect("a notice");
        assert_eq!(last.kind, NoticeKind::RolledBack);
        assert!(last.text.iter().any(|it| it.contains("undoes no migration")), "{last:#?}");
    });
}

#[test]
fn a_call_whose_answer_is_lost_runs_no_second_one() {
    for fault in [Fault::AnswerLost, Fault::KillAfter] {
        play(1, MIGRATING, async |stage| {
            stage.adopt().await;
            let rule = FaultRule {
                caller: Some("deploy".to_owned()),
                action: Some("RunTask".to_owned()),
                times: Some(1),
                ..FaultRule::always(fault)
            };
            stage.twin.world.with(|cloud, _| cloud.faults.add(rule));
            stage.push("uapi", "healthy");
            let release = stage.end_of(FIRST).await;
            assert!(is_live(&release), "{fault:?}: {}", stage.journal(FIRST).await);
            let fired: u64 =
                stage.twin.world.look(|cloud| cloud.faults.fired().iter().map(|it| it.fired).sum());
            assert_eq!(fired, 1, "nothing went wrong");
            let input = json!({ "family": "rag-migrate", "desiredStatus": "STOPPED" });
            let tasks = stage.ecs("ListTasks", input)["taskArns"].clone();
            assert_eq!(tasks.as_array().map(Vec::len), Some(1), "{fault:?}: {tasks}");
        });
    }
}

#[test]
fn one_that_does_not_end_in_time_is_no_success_and_is_not_stopped() {
    play(1, MIGRATING, async |stage| {
        stage.adopt().await;
        stage.push("uapi", "slow=600s");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back", "{}", stage.journal(FIRST).await);
        let failure = release.failure.as_ref().expect("a failure");
        assert!(failure.cause.contains("did not end in time"), "{failure}");
        assert_eq!(stage.updates("Rag"), 0);
        // The next one waits for it: two of them would work in one database.
        stage.push("uapi", "healthy");
        let second = "someli-production/2";
        stage.until(second, Duration::from_secs(120), |it| hold_of(it).is_some()).await;
        stage.twin.run_for(Duration::from_secs(120)).await;
        let hold = hold_of(&stage.release(second).await).expect("a hold");
        assert!(hold.contains("of someli-production/1 has not ended ("), "{hold}");
        assert_eq!(runs(stage).len(), 1);
        let release = stage.end_of(second).await;
        assert!(is_live(&release), "{}", stage.journal(second).await);
        assert_eq!(runs(stage).len(), 2);
    });
}

#[test]
fn a_rollback_in_the_middle_waits_for_its_end_and_touches_nothing() {
    play(1, MIGRATING, async |stage| {
        stage.adopt().await;
        stage.push("uapi", "slow=60s");
        stage.until_service(PIPELINE, "migrate", "settling").await;
        stage.does("rollback someli-production --yes").await;
        stage.twin.run_for(Duration::from_secs(5)).await;
        let status = stage.tidegate("status someli-production").await.1;
        assert!(status.contains("a task that runs is not stopped"), "{status}");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back", "{}", stage.journal(FIRST).await);
        let journal = stage.journal(FIRST).await;
        assert!(journal.contains("exited with code 0"), "{journal}");
        assert_eq!(stage.updates("Rag"), 0);
    });
}

#[test]
fn going_back_runs_no_task_and_down_undoes_it_once() {
    play(1, MIGRATING, async |stage| {
        stage.adopt().await;
        stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of(FIRST).await));
        // The second one migrates, and crashes in its services.
        stage.twin.run_for(Duration::from_secs(60)).await;
        let good = stage.digest("Rag");
        let second = stage.twin.push("live_crons", &["uapi"], "healthy").expect("a push");
        let release = stage.end_of("someli-production/2").await;
        assert!(is_live(&release), "{}", stage.journal("someli-production/2").await);
        assert_eq!(runs(stage).len(), 2);
        let why = stage.refuses("rollback someli-production --down --yes").await;
        assert!(why.contains("someli-production/2 is live"), "{why}");
        stage.does("rollback someli-production --to 1 --yes").await;
        let back = stage.end_of("someli-production/3").await;
        assert!(is_live(&back), "{}", stage.journal("someli-production/3").await);
        assert_eq!(stage.digest("Rag"), good);
        assert_eq!(runs(stage).len(), 2, "earlier bytes do not know the newer schema");

        stage.does("rollback someli-production --down --yes").await;
        let down = stage.end_of("someli-production/4").await;
        let journal = stage.journal("someli-production/4").await;
        assert_eq!(down.phase.name(), "rolled_back", "{journal}");
        let calls = runs(stage);
        let command = &calls[2]["overrides"]["containerOverrides"][0]["command"];
        assert_eq!(*command, json!(["alembic", "downgrade", "-1"]));
        // From the bytes that did it, though they are blocked by now: the earlier ones lack the script.
        let (definition, _) =
            stage.definition(calls[2]["taskDefinition"].as_str().expect("an ARN"));
        let image = definition["containerDefinitions"][0]["image"].as_str().expect("an image");
        assert!(image.ends_with(&second), "{image}");
        assert_eq!(stage.scene(PIPELINE).await.head.live, Some(3));
        let why = stage.refuses("rollback someli-production --down --yes").await;
        assert!(why.contains("undid the one-off tasks of 2 already"), "{why}");
    });
}

#[test]
fn no_url_is_asked_before_a_service_was_touched() {
    // What it answers then is not the release's doing: a site that is down may be what it mends.
    let config = format!("{MIGRATING}    checks: [{{ http: \"https://api.example.com/\" }}]\n");
    play(1, &config, async |stage| {
        stage.adopt().await;
        stage.push("uapi", "healthy");
        let release = stage.end_of(FIRST).await;
        assert!(is_live(&release), "{}", stage.journal(FIRST).await);
        let (asked, moved) = stage.twin.world.look(|cloud| {
            let updates = cloud.calls().iter().filter(|it| it.call.action == "UpdateService");
            (cloud.asked().iter().map(|it| it.at).min(), updates.map(|it| it.at).min())
        });
        assert!(asked.expect("a question") > moved.expect("an update"), "{asked:?} {moved:?}");
    });
}

#[test]
fn a_down_that_fails_says_so_and_can_be_tried_again() {
    play(1, MIGRATING, async |stage| {
        stage.adopt().await;
        stage.push("uapi", "exit=3");
        stage.end_of(FIRST).await;
        let told = stage.notices(FIRST).await;
        let commands = told.last().map(|notice| notice.commands.join("\n")).unwrap_or_default();
        assert!(!commands.contains("--down"), "what failed needs a look first: {commands}");
        for id in ["someli-production/2", "someli-production/3"] {
            stage.does("rollback someli-production --down --yes").await;
            let down = stage.end_of(id).await;
            assert_eq!(down.phase.name(), "rollback_failed", "{}", stage.journal(id).await);
            let told = stage.notices(id).await;
            let title = &told.last().expect("a notice").title;
            assert_eq!(*title, format!("{id} FAILED to undo migrate"));
            stage.does("accept someli-production --yes").await;
            stage.does("unfreeze someli-production").await;
        }
        assert_eq!(stage.scene(PIPELINE).await.head.live, None, "an undo is never what is live");
        assert_eq!(runs(stage).len(), 3);
    });
}

/// A second task, after the migration.
fn backfilling() -> String {
    let second = "      - { name: backfill, task_definition: rag-backfill, container: api, command: [fill], \
                  network_from: Rag, down: [empty] }\n    waves";
    MIGRATING.replacen("    waves", second, 1)
}

#[test]
fn what_a_failed_down_had_not_come_to_is_undone_by_the_next() {
    play(1, &backfilling(), async |stage| {
        stage.adopt().await;
        stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of(FIRST).await));
        stage.twin.run_for(Duration::from_secs(60)).await;
        stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of("someli-production/2").await));
        stage.does("rollback someli-production --to 1 --yes").await;
        assert!(is_live(&stage.end_of("someli-production/3").await));
        let rule = FaultRule {
            action: Some("RunTask".to_owned()),
            times: Some(1),
            ..FaultRule::always(Fault::Deny)
        };
        stage.twin.world.with(|cloud, _| cloud.faults.add(rule));
        stage.does("rollback someli-production --down --yes").await;
        let down = stage.end_of("someli-production/4").await;
        assert_eq!(down.phase.name(), "rollback_failed");
        stage.does("accept someli-production --yes").await;
        stage.does("unfreeze someli-production").await;
        let before = runs(stage).len();
        stage.does("rollback someli-production --down --yes").await;
        let down = stage.end_of("someli-production/5").await;
        let journal = stage.journal("someli-production/5").await;
        assert_eq!(down.phase.name(), "rolled_back", "{journal}");
        assert_eq!(runs(stage).len(), before + 2, "{journal}");
        let why = stage.refuses("rollback someli-production --down --yes").await;
        assert!(why.contains("undid the one-off tasks of 2 already"), "{why}");
    });
}

#[test]
fn what_never_ran_is_not_undone() {
    play(1, &backfilling(), async |stage| {
        stage.adopt().await;
        stage.push("uapi", "exit=3");
        stage.end_of(FIRST).await;
        assert_eq!(runs(stage).len(), 1, "the second task runs only after the first");
        stage.does("rollback someli-production --down --yes").await;
        stage.end_of("someli-production/2").await;
        let calls = runs(stage);
        let commands: Vec<_> = calls[1..]
            .iter()
            .map(|it| &it["overrides"]["containerOverrides"][0]["command"])
            .collect();
        assert_eq!(commands, [&json!(["alembic", "downgrade", "-1"])]);
    });
}

#[test]
fn a_url_that_is_red_holds_no_one_who_goes_back() {
    let config = MIGRATING.replacen("    pre_deploy:", "    x-pre_deploy:", 1)
        + "    checks: [{ http: \"https://api.example.com/\", attempts: 2 }]\n";
    play(1, &config, async |stage| {
        stage.adopt().await;
        stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of(FIRST).await));
        let good = stage.digest("Rag");
        stage.twin.run_for(Duration::from_secs(60)).await;
        stage.twin.push_serving("live_crons", &["uapi"], "503 for 1s").expect("a push");
        let second = stage.end_of("someli-production/2").await;
        assert!(is_live(&second), "{}", stage.journal("someli-production/2").await);
        // While the first wave of the way back is there, the second still serves the bad bytes.
        stage.does("rollback someli-production --to 1 --yes").await;
        let back = stage.end_of("someli-production/3").await;
        let journal = stage.journal("someli-production/3").await;
        assert!(is_live(&back), "{journal}");
        let opened = journal.find("wave 2 of 2 opens").expect("a second wave");
        assert!(!journal[..opened].contains("check"), "{journal}");
        assert_eq!(stage.digest("Rag"), good);
    });
}
