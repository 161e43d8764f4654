//! The budgets that repeat on any machine: AWS calls, and virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tidegate_core::model::Phase;
use tidegate_tests::faults::SMALL;
use tidegate_tests::stage::{play, someli};

const MINUTE: Duration = Duration::from_secs(60);

/// A release of nine services that run pinned images: judged included, 40 calls of ECS and ECR.
#[test]
fn a_release_of_nine_pinned_services_costs_at_most_40_calls() {
    play(1, someli(), async |stage| {
        stage.adopt().await;
        for release in ["someli-production/1", "someli-production/2"] {
            let before = stage.twin.world.look(|cloud| cloud.calls().len());
            stage.twin.push("live_crons", &["uapi"], "healthy").expect("a push");
            let ended = stage.until(release, 15 * MINUTE, |r| r.phase.is_ended()).await;
            assert!(matches!(ended.phase, Phase::Live { .. }), "{ended:#?}");
            let calls = stage.twin.world.look(|cloud| {
                let mut calls: BTreeMap<String, usize> = BTreeMap::new();
                for noted in &cloud.calls()[before..] {
                    let call = &noted.call;
                    if call.service == "ecs" || call.service == "ecr" {
                        *calls.entry(format!("{} {}", call.caller, call.action)).or_default() += 1;
                    }
                }
                calls
            });
            let all: usize = calls.values().sum();
            println!("{release}: {all} calls: {calls:#?}");
            assert!(release.ends_with("/1") || all <= 40, "{all} calls: {calls:#?}");
        }
    });
}

/// From the moment that a failing task is stopped to the call that brings the service back, the
/// event's own way included: 5 s where nothing else goes wrong.
#[test]
fn a_task_that_crashes_is_answered_within_five_seconds() {
    const MOST: Duration = Duration::from_secs(5);
    for seed in 1..=5 {
        play(seed, SMALL, async |stage| {
            stage.adopt().await;
            stage.push("uapi", "crash");
            let stopped = json!({ "serviceName": "Rag", "desiredStatus": "STOPPED" });
            let fell = || {
                let tasks = stage.ecs("ListTasks", stopped.clone());
                tasks["taskArns"].as_array().is_some_and(|tasks| !tasks.is_empty())
            };
            while !fell() {
                stage.twin.run_for(Duration::from_millis(50)).await;
            }
            let fell_at = stage.twin.now();
            let before = stage.updates("Rag");
            while stage.updates("Rag") == before {
                stage.twin.run_for(Duration::from_millis(50)).await;
            }
            let took = stage.twin.now().duration_since(fell_at).unsigned_abs();
            println!("seed {seed}: {took:?}");
            assert!(took <= MOST, "seed {seed}: {took:?}");
        });
    }
}
