//! A pipeline that nobody wants any more: it starts nothing, asks nobody, and its services are free.

use std::time::Duration;

use serde_json::{Value, json};
use tidegate_aws::table::Commit;
use tidegate_core::model::{Cause, Change, Release, Retired};
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_tests::faults::SMALL;
use tidegate_tests::fleet::is_live;
use tidegate_tests::{Stage, play};

const MINUTE: Duration = Duration::from_secs(60);

/// Three pipelines that one repository feeds, the last of them with two images of it.
const THREE: &str = "
version: 1
defaults: { region: us-west-2, cluster: live-crons, watch: { timeout: 5m, bake: 30s } }
pipelines:
  a-first:
    images: { crons: { repository: live_crons, tag: [uapi] } }
    waves: [[Rag]]
  b-second:
    images: { crons: { repository: live_crons, tag: [uapi] } }
    waves: [[AI_CONTENT]]
  c-third:
    images:
      crons: { repository: live_crons, tag: [uapi] }
      others: { repository: live_crons, tag: [other] }
    waves: [[{ service: Carousel, containers: { Carousel: crons } }]]
";

async fn goes_live(stage: &Stage, id: &str) -> Release {
    let release = stage.end_of(id).await;
    assert!(is_live(&release), "{release:#?}");
    release
}

/// The file without the pipeline of this name, which stands last in it.
fn without<'a>(config: &'a str, last: &str) -> &'a str {
    config.split_once(&format!("  {last}:\n")).map_or(config, |(before, _)| before)
}

#[test]
fn a_pipeline_gets_another_name_and_its_services_go_on_under_it() {
    play(1, SMALL, async |stage| {
        stage.apply(SMALL).await;
        let first = stage.push("uapi", "healthy");
        goes_live(stage, "someli-production/2").await;

        let renamed = SMALL.replace("someli-production", "someli-main");
        let (exit, said) = stage.try_apply(&renamed).await;
        assert_eq!(exit, 1, "{said}");
        let ways = "first apply someli-production without it, or `tidegate config retire \
                    someli-production`";
        assert!(said.contains(ways), "{said}");

        let said = stage.does("config retire someli-production --dry-run").await;
        assert!(said.contains("dry run: nothing was written"), "{said}");
        assert!(stage.scene("someli-production").await.head.retired.is_none());
        let said = stage.does("config retire someli-production --reason renamed").await;
        assert!(said.starts_with("someli-production  retired: since "), "{said}");
        let said = stage.does("config retire someli-production").await;
        assert!(said.starts_with("someli-production  unchanged: since "), "{said}");

        let applied = stage.apply(&renamed).await;
        assert!(applied.contains("adopted as someli-main/1; nothing was moved"), "{applied}");
        assert!(!applied.contains("not in this file"), "{applied}");
        stage.everything_runs(&first);
        let pushed = stage.push("uapi", "healthy");
        goes_live(stage, "someli-main/2").await;
        stage.everything_runs(&pushed);
        let old = stage.scene("someli-production").await.head;
        assert_eq!((old.next, old.moving, old.waiting), (3, None, None), "{old:#?}");

        let everywhere = stage.does("status").await;
        assert!(!everywhere.contains("someli-production"), "{everywhere}");
        let status = stage.does("status someli-production").await;
        assert!(status.contains("  retired  since ") && status.contains(": renamed"), "{status}");
        assert!(stage.does("history someli-production").await.contains("retired: renamed"));
    });
}

#[test]
fn what_is_retired_starts_nothing_and_asks_its_registry_nothing() {
    play(2, SMALL, async |stage| {
        stage.apply(SMALL).await;
        stage.push("uapi", "healthy");
        goes_live(stage, "someli-production/2").await;
        stage.does("config retire someli-production").await;
        let said = stage.does("status").await;
        assert!(said.contains("no pipeline is in force"), "{said}");
        // Its repository is not among the stack's parameters any more.
        let refused = FaultRule {
            caller: Some("promote".to_owned()),
            service: Some("ecr".to_owned()),
            ..FaultRule::always(Fault::Deny)
        };
        stage.twin.world.with(|cloud, _| cloud.faults.add(refused));
        stage.twin.run_for(MINUTE).await;
        let told = stage.kinds_published();
        stage.push("uapi", "healthy");
        stage.twin.run_for(12 * MINUTE).await;
        let asked: u64 =
            stage.twin.world.look(|cloud| cloud.faults.fired().iter().map(|it| it.fired).sum());
        assert_eq!(asked, 0, "the sweep asks nothing for it");
        assert_eq!(stage.scene("someli-production").await.head.next, 3);
        assert_eq!(stage.kinds_published(), told);

        for line in [
            "start someli-production",
            "start someli-production/2",
            "rollback someli-production --yes",
            "rollback someli-production --to 1 --yes",
            "plan someli-production",
        ] {
            let said = stage.refuses(line).await;
            assert!(said.contains("someli-production is retired, by "), "{line}: {said}");
            assert!(
                said.contains("`tidegate config apply` of a file that has it"),
                "{line}: {said}"
            );
        }
        assert_eq!(stage.scene("someli-production").await.head.next, 3);
    });
}

/// Bytes that nobody pushed.
fn unknown() -> String {
    format!("sha256:{:0<64}", "bad")
}

#[test]
fn who_looks_at_what_is_retired_is_told_so_and_waits_for_nothing() {
    play(7, SMALL, async |stage| {
        stage.apply(SMALL).await;
        let pushed = stage.push("uapi", "healthy");
        goes_live(stage, "someli-production/2").await;
        let unknown = unknown();
        let wait = format!("wait someli-production --digest {unknown}");
        let retires = async {
            stage.twin.run_for(MINUTE).await;
            stage.does("config retire someli-production").await
        };
        let began = stage.twin.now();
        let ((exit, _, talk), _) = tokio::join!(stage.tidegate(&wait), retires);
        assert_eq!(exit, 1, "{talk}");
        assert!(talk.starts_with("tidegate: someli-production is retired, by "), "{talk}");
        stage.push("uapi", "healthy");
        // The build's push has not come, or comes to another repository by now.
        let tags = ["uapi", "never"].map(|tag| format!("wait someli-production --tag {tag}"));
        for line in [&wait, &tags[0], &tags[1]] {
            let said = stage.refuses(line).await;
            assert_eq!(said.matches("someli-production is retired, by ").count(), 1, "{said}");
        }
        assert!(stage.twin.now() < began + 2 * MINUTE, "nobody waits for what cannot come");
        // What came before it was retired came.
        stage.does(&format!("wait someli-production --digest {pushed}")).await;
        let said = stage.does("wait someli-production").await;
        assert!(said.contains("someli-production is retired, by "), "{said}");
        assert!(stage.does("follow someli-production").await.contains("someli-production/2"));
        stage.does(&format!("block someli-production {unknown}")).await;
        stage.does(&format!("unblock someli-production {unknown}")).await;
        let said = stage.tidegate("verify someli-production").await.2;
        assert!(said.contains("someli-production is retired, by "), "{said}");

        // Its repository is not among what a build may ask.
        let refused = FaultRule {
            caller: Some("operator".to_owned()),
            service: Some("ecr".to_owned()),
            ..FaultRule::always(Fault::Deny)
        };
        stage.twin.world.with(|cloud, _| cloud.faults.add(refused));
        let said = stage.refuses("wait someli-production --tag uapi").await;
        assert!(said.contains("someli-production is retired, by "), "{said}");
    });
}

#[test]
fn what_an_older_program_started_in_a_retired_pipeline_can_go_back() {
    play(8, SMALL, async |stage| {
        stage.apply(SMALL).await;
        stage.push("uapi", "healthy");
        stage.until_phase("someli-production/2", "rolling").await;
        // As if it had not known the mark.
        let mut head = stage.scene("someli-production").await.head;
        let (by, why) = ("ada".to_owned(), "renamed".to_owned());
        (head.step, head.retired) =
            (head.step + 1, Some(Retired { by, why, at: stage.twin.now() }));
        let marks = Change { head: Some(head), ..Change::default() };
        assert_eq!(stage.table.commit(&marks).await.expect("a table"), Commit::Done);

        let (_, status, _) = stage.tidegate("status someli-production").await;
        assert!(status.contains("  type     tidegate rollback someli-production\n"), "{status}");
        let said = stage.refuses("rollback someli-production --to 1 --yes").await;
        assert!(said.contains("`tidegate rollback someli-production` brings it back"), "{said}");
        stage.does("rollback someli-production --yes").await;
        stage.until_phase("someli-production/2", "rolled_back").await;
        let said = stage.refuses("rollback someli-production --to 1 --yes").await;
        assert!(said.contains("someli-production is retired, by ada"), "{said}");
    });
}

#[test]
fn what_moves_waits_or_is_stuck_is_not_retired() {
    let careful = SMALL.replace("on_failure: rollback", "on_failure: freeze");
    play(3, &careful, async |stage| {
        stage.apply(&careful).await;
        stage.push("uapi", "crash");
        stage.until_phase("someli-production/2", "rolling").await;
        let said = stage.refuses("config retire someli-production").await;
        assert!(said.contains("`tidegate follow someli-production` shows when"), "{said}");
        stage.until_phase("someli-production/2", "frozen").await;
        let said = stage.refuses("config retire someli-production").await;
        assert!(said.contains("`tidegate accept someli-production`"), "{said}");
        // Neither is its config changed meanwhile, nor are its services given to another.
        for config in [careful.replace("30s", "45s"), careful.replace("someli-production", "other")]
        {
            let (exit, said) = stage.try_apply(&config).await;
            assert_eq!(exit, 1, "{said}");
        }
        let both = careful.replace("[AI_CONTENT, Carousel]", "[AI_CONTENT]")
            + "  b-other:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi] } }
    cluster: live-crons
    waves: [[Carousel]]
";
        let (_, said) = stage.try_apply(&both).await;
        let ways = "someli-production/2 owns Carousel now; apply the config when it has ended: a person \
                    decides, `tidegate rollback someli-production` or `tidegate accept";
        assert!(said.contains(ways), "{said}");

        stage.push("uapi", "healthy");
        stage.until_phase("someli-production/3", "waiting").await;
        stage.does("rollback someli-production --yes").await;
        stage.until_phase("someli-production/2", "rolled_back").await;
        let said = stage.refuses("config retire someli-production").await;
        let ways = "someli-production/3 waits; retire someli-production when it has ended: `tidegate \
                    unfreeze someli-production` lets it start";
        assert!(said.contains(ways), "{said}");
        stage.does("unfreeze someli-production").await;
        goes_live(stage, "someli-production/3").await;
        stage.does("config retire someli-production").await;
    });
}

#[test]
fn a_file_that_has_it_brings_it_back_also_where_it_is_as_before() {
    play(4, SMALL, async |stage| {
        stage.apply(SMALL).await;
        let first = stage.push("uapi", "healthy");
        goes_live(stage, "someli-production/2").await;
        stage.does("config retire someli-production").await;
        stage.push("uapi", "healthy");
        stage.twin.run_for(6 * MINUTE).await;

        let applied = stage.apply(SMALL).await;
        assert!(applied.contains("someli-production  restored, config version 2\n"), "{applied}");
        assert!(applied.contains("adopted as someli-production/3; nothing was moved"), "{applied}");
        stage.twin.run_for(12 * MINUTE).await;
        stage.everything_runs(&first);
        let head = stage.scene("someli-production").await.head;
        assert_eq!(
            (&head.retired, head.next),
            (&None, 4),
            "what was pushed meanwhile was nobody's"
        );
        assert_eq!(stage.release("someli-production/3").await.cause, Cause::Adopted);
        assert!(stage.apply(SMALL).await.contains("unchanged, config version 2\n"));
        let said = stage.refuses("rollback someli-production --yes").await;
        let ways = "unblocked digests since it came back; `tidegate rollback someli-production --to \
                    NUMBER` reaches those from before; `tidegate history";
        assert!(said.contains(ways), "{said}");
        stage.does("rollback someli-production --to 1 --dry-run").await;

        let pushed = stage.push("uapi", "healthy");
        goes_live(stage, "someli-production/4").await;
        stage.everything_runs(&pushed);
    });
}

#[test]
fn where_nothing_can_be_adopted_what_was_live_before_is_not_told_as_the_last() {
    play(9, SMALL, async |stage| {
        stage.apply(SMALL).await;
        let pushed = stage.push("uapi", "healthy");
        goes_live(stage, "someli-production/2").await;
        stage.does("config retire someli-production").await;
        stage.ecr("BatchDeleteImage", json!({ "imageIds": [{ "imageDigest": pushed }] }));
        let said = stage.apply(SMALL).await;
        assert!(said.contains("restored") && !said.contains("adopted"), "{said}");
        let status = stage.does("status someli-production").await;
        assert!(status.contains("  live     nothing yet\n"), "{status}");
        assert!(!status.contains("someli-production/2"), "{status}");
    });
}

#[test]
fn what_is_not_in_the_file_is_named_until_it_is_retired() {
    play(5, THREE, async |stage| {
        stage.apply(THREE).await;
        let (two, one) = (without(THREE, "c-third"), without(THREE, "b-second"));
        let said = stage.apply(one).await;
        let named = "not in this file, and in force as before: b-second, c-third; to end one of them, \
                     `tidegate config retire b-second`";
        assert!(said.contains(named), "{said}");
        stage.does("config retire c-third").await;
        let said = stage.apply(one).await;
        let named = "in force as before: b-second; to end it, `tidegate config retire b-second`";
        assert!(said.contains(named), "{said}");
        assert!(!stage.apply(two).await.contains("not in this file"));

        // Whoever has its service by then keeps it.
        let taken = one.replace("[[Rag]]", "[[Rag], [Carousel]]");
        assert!(stage.apply(&taken).await.contains("a-first  changed"));
        let third = THREE.split_once("pipelines:\n").map_or("", |(head, _)| head).to_owned()
            + "pipelines:\n  c-third:\n"
            + THREE.split_once("  c-third:\n").map_or("", |(_, last)| last);
        let (exit, said) = stage.try_apply(&third).await;
        assert_eq!(exit, 1, "{said}");
        assert!(said.contains("Carousel stands in pipeline a-first"), "{said}");
        stage.apply(one).await;
        assert!(stage.apply(&third).await.contains("c-third  restored, config version 2"));
    });
}

/// The result of each pipeline of an application, as programs read it.
fn results(out: &str) -> Vec<(String, String)> {
    let said: Value = serde_json::from_str(out).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pipelines = said["pipelines"].as_array().into_iter().flatten();
    pipelines.map(|it| (text(&it["pipeline"]), text(&it["result"]))).collect()
}

#[test]
fn an_error_at_the_second_of_three_tells_of_the_first_and_of_the_third() {
    play(6, THREE, async |stage| {
        let refused = FaultRule {
            caller: Some("operator".to_owned()),
            action: Some("TransactWriteItems".to_owned()),
            nth: Some(2),
            ..FaultRule::always(Fault::Deny)
        };
        stage.twin.world.with(|cloud, _| cloud.faults.add(refused));
        let (words, operator) = (["config", "apply", "--output", "json"], stage.twin.operator());
        let said = operator.types_with(&words, THREE).await.expect("a command");
        assert_eq!(said.exit as u8, 1, "{said:?}");
        let result = |pipeline: &str, result: &str| (pipeline.to_owned(), result.to_owned());
        let came =
            [result("a-first", "new"), result("b-second", "failed"), result("c-third", "untried")];
        assert_eq!(results(&said.out), came);
        assert!(said.talk.contains("AccessDenied"), "{}", said.talk);

        stage.twin.world.with(|cloud, _| cloud.faults.clear());
        let said = operator.types_with(&words, THREE).await.expect("a command");
        let came =
            [result("a-first", "unchanged"), result("b-second", "new"), result("c-third", "new")];
        assert_eq!(results(&said.out), came);
    });
}
