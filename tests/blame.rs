//! Whose fault is it? The image's, and then it is blocked; or capacity's, a person's, nobody's.

use std::time::Duration;

use serde_json::json;
use tidegate_core::model::Phase;
use tidegate_local::ecs::SeedService;
use tidegate_local::seed::Fleet;
use tidegate_tests::faults::SMALL;
use tidegate_tests::fleet::is_live;
use tidegate_tests::{Stage, play, play_on};

const PIPELINE: &str = "someli-production";
const FIRST: &str = "someli-production/1";
const SECOND: &str = "someli-production/2";
const MINUTE: Duration = Duration::from_secs(60);
const GROUP: &str =
    "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/rag/0123456789abcdef";

fn two_tasks(seed: &mut SeedService) {
    seed.desired = 2;
}

fn fleet(refit: &dyn Fn(&mut SeedService)) -> Fleet<'_> {
    Fleet { refit, ..Fleet::default() }
}

/// A bake that is long enough for something to happen in it.
fn long_bake() -> String {
    SMALL.replace("bake: 30s", "bake: 3m")
}

async fn blocks_nothing(stage: &Stage) {
    assert!(stage.scene(PIPELINE).await.blocked.is_empty());
}

// ---- the image's fault ----

#[test]
fn blocked_bytes_under_another_tag_are_refused_and_the_failed_release_is_named() {
    let two_tags = SMALL.replace("tag: [uapi]", "tag: [uapi, \"prod-{sha}\"]");
    play(1, &two_tags, async |stage| {
        stage.adopt().await;
        let bad = stage.push("uapi", "crash");
        assert_eq!(stage.end_of(FIRST).await.phase.name(), "rolled_back");
        assert!(stage.is_blocked(PIPELINE, &bad).await);

        // The sweep looks at the tag every five minutes, and finds nothing new to say.
        stage.twin.run_for(12 * MINUTE).await;
        assert_eq!(stage.kinds_published(), ["started", "rollback_started", "rolled_back"]);

        stage.tag("live_crons", &bad, "prod-0a1b2c3d");
        stage.twin.run_for(MINUTE).await;
        let told = stage.published();
        let [_, _, _, refusal] = &told[..] else { panic!("{told:#?}") };
        assert_eq!(refusal.attributes["kind"], "refused");
        let said = refusal.message["email"].as_str().expect("a text");
        assert!(said.contains("someli-production/1"), "{said}");
        assert!(said.contains("prod-0a1b2c3d"), "{said}");
        assert_eq!(stage.scene(PIPELINE).await.head.next, 2, "no release came of it");

        // Unblocked, the same bytes are released again: they crash again, but a person said so.
        stage.does(&format!("unblock someli-production {bad}")).await;
        stage.does("start someli-production").await;
        assert_eq!(stage.end_of(SECOND).await.phase.name(), "rolled_back");
    });
}

#[test]
fn unblocked_bytes_that_something_newer_followed_come_by_the_command_that_is_named() {
    let by_sha = SMALL.replace("tag: [uapi]", "tag: [\"prod-{sha}\"]");
    play(1, &by_sha, async |stage| {
        stage.adopt().await;
        let bad = stage.push("prod-1a2b3c4", "crash");
        assert_eq!(stage.end_of(FIRST).await.phase.name(), "rolled_back");
        stage.push("prod-5d6e7f8", "healthy");
        assert!(is_live(&stage.end_of(SECOND).await));

        let said = stage.does(&format!("unblock {PIPELINE} {bad}")).await;
        assert!(said.contains("is still the newest that its tags select, the sweep"), "{said}");
        stage.twin.run_for(12 * MINUTE).await;
        assert_eq!(stage.scene(PIPELINE).await.head.next, 3, "the sweep brings the newest alone");

        let start = said.split('`').find_map(|it| it.strip_prefix("tidegate start "));
        stage.does(&format!("start {}", start.expect("a command"))).await;
        let third = stage.end_of("someli-production/3").await;
        assert_eq!(third.images["crons"].digest.to_string(), bad);
    });
}

#[test]
fn blocked_bytes_that_run_are_no_way_back() {
    play(1, SMALL, async |stage| {
        stage.adopt().await;
        let blocked = stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of(FIRST).await));
        let (exit, _, talk) = stage.tidegate(&format!("block {PIPELINE} {blocked}")).await;
        assert_eq!(exit, 0, "{talk}");

        stage.push("uapi", "healthy");
        stage.twin.run_for(2 * MINUTE).await;
        let (_, status, _) = stage.tidegate(&format!("status {PIPELINE}")).await;
        assert!(status.contains("which is blocked since"), "{status}");
        stage.everything_runs(&blocked);
    });
}

#[test]
fn one_task_that_cannot_be_pulled_is_enough() {
    play_on(fleet(&two_tasks), 2, SMALL, async |stage| {
        stage.adopt().await;
        let bad = stage.push("uapi", "no-pull");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back");
        let failure = release.failure.expect("a failure");
        assert!(failure.cause.contains("cannot be pulled"), "{failure}");
        assert_eq!(failure.evidence.len(), 1, "{failure}");
        assert!(stage.is_blocked(PIPELINE, &bad).await);
    });
}

#[test]
fn a_crash_needs_two_tasks_where_two_run_and_one_where_one_does() {
    for (seed, desired, evidence) in [(3, 2, 2), (4, 1, 1)] {
        let refit = move |service: &mut SeedService| service.desired = desired;
        play_on(fleet(&refit), seed, SMALL, async |stage| {
            stage.adopt().await;
            let bad = stage.push("uapi", "crash");
            let release = stage.end_of(FIRST).await;
            assert_eq!(release.phase.name(), "rolled_back");
            assert_eq!(release.failure.expect("a failure").evidence.len(), evidence);
            assert!(stage.is_blocked(PIPELINE, &bad).await);
        });
    }
}

#[test]
fn failing_health_checks_are_the_images_fault() {
    let balanced = |seed: &mut SeedService| {
        // Each service has its own group; Rag's is enough here.
        if seed.name.service == "Rag" {
            seed.target_group = Some(GROUP.to_owned());
        }
    };
    let checked = |seed: &mut SeedService| {
        let check = json!({ "command": ["CMD", "true"], "interval": 10, "retries": 2 });
        seed.task_definition["containerDefinitions"][0]["healthCheck"] = check;
    };
    for (seed, fleet, cause) in [
        (5, fleet(&balanced), "load balancer's health check"),
        (6, fleet(&checked), "own health check"),
    ] {
        play_on(fleet, seed, SMALL, async |stage| {
            stage.adopt().await;
            let old = stage.digest("Rag");
            let bad = stage.push("uapi", "unhealthy");
            let release = stage.end_of(FIRST).await;
            assert_eq!(release.phase.name(), "rolled_back", "{cause}");
            let failure = release.failure.expect("a failure");
            assert!(failure.cause.contains(cause), "{failure}");
            assert_eq!(failure.evidence.len(), 2, "{failure}");
            assert!(stage.is_blocked(PIPELINE, &bad).await, "{cause}");
            assert_eq!(stage.digest("Rag"), old);
            // And a good image passes the same checks.
            stage.push("uapi", "healthy");
            assert!(is_live(&stage.end_of(SECOND).await), "{cause}");
        });
    }
}

#[test]
fn a_crash_in_the_bake_counts() {
    play_on(fleet(&two_tasks), 7, &long_bake(), async |stage| {
        stage.adopt().await;
        let old = stage.digest("Rag");
        let bad = stage.push("uapi", "crash-after=90s");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back");
        assert!(stage.is_blocked(PIPELINE, &bad).await);
        stage.everything_runs(&old);
    });
}

// ---- nobody's fault ----

#[test]
fn spot_and_people_who_stop_tasks_fail_no_release() {
    play_on(fleet(&two_tasks), 8, &long_bake(), async |stage| {
        stage.adopt().await;
        let old = stage.tasks("Rag");
        let new = stage.push("uapi", "healthy");
        stage.until_service(PIPELINE, "Rag", "settling").await;
        for round in 0..3 {
            stage.twin.run_for(Duration::from_secs(30)).await;
            for task in stage.tasks("Rag").into_iter().filter(|task| !old.contains(task)) {
                stage.befalls("Rag", |cloud, _, now| match round {
                    1 => cloud.ecs.stop_by_user(&task, now, &cloud.ecr),
                    _ => cloud.ecs.interrupt_spot(&task, now, &cloud.ecr),
                });
            }
        }
        assert!(is_live(&stage.end_of(FIRST).await));
        stage.everything_runs(&new);
        blocks_nothing(stage).await;
    });
}

#[test]
fn tasks_that_find_no_place_are_waited_for_and_then_inconclusive() {
    play(9, SMALL, async |stage| {
        stage.adopt().await;
        let new = stage.push("uapi", "healthy");
        stage.befalls("Rag", |cloud, name, _| cloud.ecs.fail_placement(name, 4));
        assert!(is_live(&stage.end_of(FIRST).await), "four times no place, then one");
        stage.everything_runs(&new);

        stage.push("uapi", "healthy");
        stage.befalls("Rag", |cloud, name, _| cloud.ecs.fail_placement(name, 26));
        let release = stage.end_of(SECOND).await;
        assert_eq!(release.phase.name(), "rolled_back", "time was up");
        blocks_nothing(stage).await;
    });
}

#[test]
fn a_breaker_that_trips_for_want_of_capacity_blocks_nothing() {
    let guarded = |seed: &mut SeedService| {
        let breaker = json!({ "enable": true, "rollback": true });
        seed.settings =
            json!({ "deploymentConfiguration": { "deploymentCircuitBreaker": breaker } });
    };
    play_on(fleet(&guarded), 18, SMALL, async |stage| {
        stage.adopt().await;
        let old = stage.digest("Rag");
        stage.push("uapi", "healthy");
        stage.befalls("Rag", |cloud, name, _| cloud.ecs.fail_placement(name, 3));
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back");
        let cause = release.failure.expect("a failure").cause;
        assert!(cause.contains("ECS rolled it back"), "{cause}");
        stage.everything_runs(&old);
        blocks_nothing(stage).await;
    });
}

#[test]
fn one_stray_crash_fails_no_release() {
    play_on(fleet(&two_tasks), 10, &long_bake(), async |stage| {
        stage.adopt().await;
        let new = stage.push("uapi", "healthy");
        stage.until_phase(FIRST, "baking").await;
        let victim = stage.tasks("Rag").remove(0);
        stage.befalls("Rag", |cloud, _, now| {
            assert!(cloud.ecs.exit_task(&victim, 1, now, &cloud.ecr), "it ran");
        });
        assert!(is_live(&stage.end_of(FIRST).await));
        stage.everything_runs(&new);
        let journal = stage.journal(FIRST).await;
        assert!(journal.contains("exited 1"), "it is recorded:\n{journal}");
        blocks_nothing(stage).await;
    });
}

#[test]
fn workers_that_end_well_and_are_restarted_fail_no_release() {
    let workers = Fleet { behaviour: "exit-loop", ..Fleet::default() };
    play_on(workers, 11, &long_bake(), async |stage| {
        stage.apply(&long_bake()).await; // what runs is the first release
        stage.twin.run_for(3 * MINUTE).await; // so that some have ended
        let new = stage.push("uapi", "exit-loop");
        let end = stage.end_of(SECOND).await;
        assert!(is_live(&end), "{end:?}\n{}", stage.journal(SECOND).await);
        let running = stage.running();
        let others: Vec<_> = running.values().flatten().filter(|it| **it != new).collect();
        assert!(others.is_empty(), "who is not between two lives runs the new bytes: {others:?}");
    });
}

/// Whether ECS, not the worker, ended an old task of Rag, and the program exited 0 as it was told.
fn an_old_task_exited_0_as_told(stage: &Stage) -> bool {
    let stopped = json!({ "serviceName": "Rag", "desiredStatus": "STOPPED" });
    let tasks = stage.ecs("ListTasks", stopped)["taskArns"].clone();
    let answer = stage.ecs("DescribeTasks", json!({ "tasks": tasks }));
    answer["tasks"].as_array().into_iter().flatten().any(|task| {
        let old = task["taskDefinitionArn"].as_str().is_some_and(|arn| arn.ends_with(":1"));
        old && task["stopCode"] == "ServiceSchedulerInitiated"
            && task["containers"][0]["exitCode"] == 0
    })
}

#[test]
fn a_service_that_begins_to_end_well_is_broken_all_the_same() {
    // How a program ends that is told to is drawn: some exit 0, which is not their normal life.
    let mut met = false;
    for seed in 12..18 {
        met |= play(seed, &long_bake(), async |stage| {
            stage.adopt().await;
            let old = stage.digest("Rag");
            stage.push("uapi", "exit-loop");
            stage.until_phase(FIRST, "rolling_back").await;
            let met = an_old_task_exited_0_as_told(stage);
            assert_eq!(stage.end_of(FIRST).await.phase.name(), "rolled_back", "seed {seed}");
            assert_eq!(stage.digest("Rag"), old);
            met
        });
    }
    assert!(met, "no seed drew what this story is about: take others");
}

// ---- nothing that could prove it ----

#[test]
fn services_that_run_no_task_prove_nothing() {
    let asleep = |seed: &mut SeedService| seed.desired = 0;
    play_on(fleet(&asleep), 16, SMALL, async |stage| {
        stage.adopt().await;
        // ECS resolves no tag where nothing runs: whether that tag can be gone back to is unknown.
        stage.push("uapi", "healthy");
        stage.twin.run_for(MINUTE).await;
        let held = stage.release(FIRST).await;
        assert!(matches!(held.phase, Phase::Surveying { held: Some(_), .. }), "{held:?}");
        stage.does("start someli-production/1 --without-way-back --yes").await;
        let release = stage.end_of(FIRST).await;
        assert!(matches!(release.phase, Phase::Live { unproven: true, .. }), "{release:?}");

        // From then on it is pinned, and nothing needs to run to know the way back.
        stage.push("uapi", "crash");
        let release = stage.end_of(SECOND).await;
        assert!(matches!(release.phase, Phase::Live { unproven: true, .. }), "{release:?}");
        let notice = stage.notices(SECOND).await.pop().expect("a notice");
        let said = format!("{} {}", notice.title, notice.text.join(" "));
        assert!(said.contains("unproven"), "{said}");
    });
}

// ---- what a failed task printed ----

#[test]
fn the_last_lines_of_a_failed_task_are_shown_to_who_asks_and_stored_nowhere() {
    play(17, SMALL, async |stage| {
        stage.adopt().await;
        stage.push("uapi", "crash");
        stage.end_of(FIRST).await;
        let line = format!("show {FIRST} --logs");
        let (_, shown, talk) = stage.tidegate(&line).await;
        assert!(shown.contains("Error: the image says Crash; exit 1"), "{shown}{talk}");
        assert!(shown.contains("(/ecs/live-crons rag/crons/"), "{shown}");
        let (_, without, _) = stage.tidegate(&format!("show {FIRST}")).await;
        assert!(!without.contains("Error: the image says"), "{without}");
        let items = stage.twin.world.look(|cloud| cloud.dynamodb.items(cloud.table()));
        assert!(!format!("{items:?}").contains("the image says"), "logs are not the table's");

        // What CloudWatch does not give is said with action and resource.
        stage.twin.run_for(70 * MINUTE).await;
        let (_, gone, _) = stage.tidegate(&line).await;
        let said = "not read: logs:GetLogEvents on /ecs/live-crons rag/crons/";
        assert!(gone.contains(said) && gone.contains("ResourceNotFoundException"), "{gone}");
    });
}
