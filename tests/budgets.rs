//! The budgets that repeat on any machine: AWS calls, and virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_core::model::Phase;
use tidegate_tests::stage::{SOMELI, play};

const MINUTE: Duration = Duration::from_secs(60);

/// A release of nine services that run pinned images: judged included, 40 calls of ECS and ECR.
#[test]
fn a_release_of_nine_pinned_services_costs_at_most_40_calls() {
    play(1, SOMELI, async |stage| {
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
