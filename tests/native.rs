//! ECS shifts the traffic itself (blue/green): Tidegate drives it, judges it, and stops it.

use serde_json::json;
use tidegate_local::ecs::SeedService;
use tidegate_local::seed::Fleet;
use tidegate_tests::faults::SMALL;
use tidegate_tests::fleet::is_live;
use tidegate_tests::play_on;

const PIPELINE: &str = "someli-production";
const FIRST: &str = "someli-production/1";

/// Two fleets and a bake of a minute, behind a target group of the service's own.
fn blue_green(seed: &mut SeedService) {
    let group = seed.name.service.to_lowercase().replace('_', "-");
    seed.desired = 2;
    seed.target_group = Some(format!(
        "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/{group}/0123456789abcdef"
    ));
    seed.settings = json!({ "deploymentConfiguration": {
        "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1,
    } });
}

const FLEET: Fleet<'_> = Fleet { behaviour: "healthy", refit: &blue_green };

#[test]
fn a_good_release_goes_through_blue_green_to_live() {
    play_on(FLEET, 1, SMALL, async |stage| {
        stage.adopt().await;
        let new = stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of(FIRST).await));
        stage.everything_runs(&new);
        assert!(stage.called("deploy", "StopServiceDeployment").is_empty());
        // Live means that ECS baked and cleaned up: only one fleet is left.
        assert_eq!(stage.tasks("Rag").len(), 2);
    });
}

#[test]
fn a_bad_release_in_flight_is_stopped_and_the_old_fleet_never_left() {
    play_on(FLEET, 2, SMALL, async |stage| {
        stage.adopt().await;
        let old = stage.digest("Rag");
        let bad = stage.push("uapi", "crash");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back");
        stage.everything_runs(&old);
        assert!(stage.is_blocked(PIPELINE, &bad).await);
        let stops = stage.called("deploy", "StopServiceDeployment");
        assert_eq!(stops.len(), 1);
        assert_eq!(stops[0]["stopType"], "ROLLBACK");
        assert_eq!(stage.updates("Rag"), 1, "nobody begins a second blue/green to go back");
    });
}

#[test]
fn what_has_succeeded_already_goes_back_by_a_second_blue_green() {
    play_on(FLEET, 3, SMALL, async |stage| {
        stage.adopt().await;
        let old = stage.digest("Rag");
        stage.push("uapi", "healthy");
        stage.until_service(PIPELINE, "Carousel", "settling").await;
        // Rag is through; Carousel's new fleet falls as soon as it runs.
        let blue = stage.tasks("Carousel");
        let mut fallen = 0;
        while fallen < 2 {
            stage.twin.run_for(std::time::Duration::from_secs(1)).await;
            let green: Vec<_> =
                stage.tasks("Carousel").into_iter().filter(|task| !blue.contains(task)).collect();
            stage.befalls("Carousel", |cloud, _, now| {
                for task in green {
                    fallen += u32::from(cloud.ecs.exit_task(&task, 1, now, &cloud.ecr));
                }
            });
        }
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back");
        stage.everything_runs(&old);
        assert_eq!(stage.updates("Rag"), 2, "there and back");
        assert_eq!(stage.called("deploy", "StopServiceDeployment").len(), 2, "the second wave");
    });
}

#[test]
fn a_tag_that_means_the_bad_bytes_by_now_is_not_what_comes_back() {
    // Every task asks the registry for itself what its tag means.
    let each_for_itself = |seed: &mut SeedService| {
        blue_green(seed);
        let containers = seed.task_definition["containerDefinitions"].as_array_mut();
        for container in containers.into_iter().flatten() {
            container["versionConsistency"] = json!("disabled");
        }
    };
    let fleet = Fleet { refit: &each_for_itself, ..Fleet::default() };
    play_on(fleet, 4, SMALL, async |stage| {
        stage.adopt().await;
        let old = stage.digest("Rag");
        // It falls when ECS has taken the old fleet away already: new tasks are started to go back.
        stage.push("uapi", "crash-after=100s");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back");
        stage.everything_runs(&old);
    });
}
