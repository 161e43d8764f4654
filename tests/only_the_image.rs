//! A release changes digests and nothing else, whatever a task definition holds.
//!
//! Compared on the raw JSON that ECS keeps, against what it kept before.

use serde_json::{Value, json};
use tidegate_local::ecs::SeedService;
use tidegate_local::seed::Fleet;
use tidegate_tests::faults::SMALL;
use tidegate_tests::fleet::is_live;
use tidegate_tests::{Stage, play_on};

const REPOSITORY: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons";

/// What AWS may add to task definitions tomorrow: no SDK of today knows these members.
fn as_of_tomorrow(seed: &mut SeedService) {
    let definition = &mut seed.task_definition;
    definition["sustainability"] = json!({ "carbonBudget": 0.25, "hosts": ["a", "b"], "on": true });
    definition["largestNumber"] = json!(u64::MAX);
    definition["tags"] = json!([
        { "key": "team", "value": "platform" },
        { "key": "cost-centre", "value": "" },
    ]);
    let worker = &mut definition["containerDefinitions"][0];
    worker["gpuSharing"] = json!({ "mode": "FRACTIONAL", "share": 0.125 });
    worker["environment"] = json!([{ "name": "B", "value": "2" }, { "name": "A", "value": "1" }]);
    // A repository of the same name in another region is another repository.
    let neighbour = json!({
        "name": "neighbour",
        "image": REPOSITORY.replace("us-west-2", "eu-west-1") + ":uapi",
        "essential": false,
        "secretsV2": [{ "from": "vault" }],
    });
    let [worker, router] = [0, 1].map(|at| definition["containerDefinitions"][at].take());
    definition["containerDefinitions"] = json!([worker, router, neighbour]);
    // Two services of one family, told apart by their commands.
    if seed.name.service == "Carousel" {
        definition["family"] = json!("rag");
    }
}

/// The services' definitions and tags, in the order of the waves.
fn definitions(stage: &Stage) -> Vec<(String, Value, Value)> {
    let services = stage.services().into_iter();
    services
        .map(|service| {
            let (definition, tags) = stage.definition(&stage.revision(&service));
            (service, definition, tags)
        })
        .collect()
}

/// `before` with these bytes in its one container that a release changes.
fn with_image(before: &[(String, Value, Value)], digest: &str) -> Vec<(String, Value)> {
    let changed = before.iter().map(|(service, definition, _)| {
        let mut expected = definition.clone();
        expected["containerDefinitions"][0]["image"] = json!(format!("{REPOSITORY}@{digest}"));
        (service.clone(), expected)
    });
    changed.collect()
}

fn without_tags(definitions: &[(String, Value, Value)]) -> Vec<(String, Value)> {
    definitions.iter().map(|(service, it, _)| (service.clone(), it.clone())).collect()
}

/// A service's tags: the team's own, and Tidegate's two.
fn tags(release: &str, role: &str) -> Value {
    json!([
        { "key": "team", "value": "platform" },
        { "key": "cost-centre", "value": "" },
        { "key": "tidegate:release", "value": release },
        { "key": "tidegate:role", "value": role },
    ])
}

#[test]
fn a_release_a_further_one_and_a_rollback_change_the_image_alone() {
    let fleet = Fleet { refit: &as_of_tomorrow, ..Fleet::default() };
    play_on(fleet, 5, SMALL, async |stage| {
        stage.adopt().await;
        let before = definitions(stage);
        let old = stage.digest("Rag");
        assert_eq!(before[0].1["family"], before[2].1["family"], "one family for two services");
        assert_ne!(
            before[0].1["containerDefinitions"][0]["command"],
            before[2].1["containerDefinitions"][0]["command"],
        );
        assert_eq!(before[0].1["runtimePlatform"]["cpuArchitecture"], "ARM64");

        let good = stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of("someli-production/1").await));
        stage.everything_runs(&good);
        let after = definitions(stage);
        assert_eq!(without_tags(&after), with_image(&before, &good));
        for (service, _, found) in &after {
            assert_eq!(*found, tags("someli-production/1", "release"), "{service}");
        }

        // The next one starts from what the first one made, and does not pile up tags.
        let better = stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of("someli-production/2").await));
        let after = definitions(stage);
        assert_eq!(without_tags(&after), with_image(&before, &better));
        assert_eq!(after[2].2, tags("someli-production/2", "release"));

        stage.push("uapi", "crash");
        assert_eq!(stage.end_of("someli-production/3").await.phase.name(), "rolled_back");
        assert_eq!(without_tags(&definitions(stage)), with_image(&before, &better));
        assert_ne!(old, stage.digest("Rag"));
    });
}

#[test]
fn coming_back_from_the_first_release_changes_the_image_alone() {
    let fleet = Fleet { refit: &as_of_tomorrow, ..Fleet::default() };
    play_on(fleet, 6, SMALL, async |stage| {
        stage.adopt().await;
        let before = definitions(stage);
        let old = stage.digest("Rag");
        stage.push("uapi", "crash");
        assert_eq!(stage.end_of("someli-production/1").await.phase.name(), "rolled_back");

        // Rag named a tag, which means the bad bytes by now: it came back to a pinned twin.
        let after = definitions(stage);
        assert_eq!(without_tags(&after)[0], with_image(&before, &old)[0]);
        assert_eq!(after[0].2, tags("someli-production/1", "baseline"));
        // The others were never touched.
        assert_eq!(after[1..], before[1..]);
        stage.everything_runs(&old);
    });
}

#[test]
fn a_service_is_told_its_revision_and_nothing_else() {
    play_on(Fleet::default(), 7, SMALL, async |stage| {
        stage.adopt().await;
        stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of("someli-production/1").await));
        let calls = stage.called("deploy", "UpdateService");
        assert_eq!(calls.len(), 3);
        for input in calls {
            let members: Vec<_> = input.as_object().expect("members").keys().collect();
            assert_eq!(members, ["cluster", "service", "taskDefinition"]);
        }
    });
}
