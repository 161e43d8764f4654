//! One thing's trouble stays its own: what can be read, is judged; who can be answered, is answered.

use std::time::Duration;

use serde_json::json;
use tidegate_local::ecs::SeedService;
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_local::seed::Fleet;
use tidegate_tests::faults::SMALL;
use tidegate_tests::fleet::is_live;
use tidegate_tests::play_on;

const PIPELINE: &str = "someli-production";
const FIRST: &str = "someli-production/1";

/// One service among rolling ones is judged by its service deployments.
fn one_native(seed: &mut SeedService) {
    if seed.name.service == "Carousel" {
        seed.settings = json!({ "deploymentConfiguration": { "strategy": "BLUE_GREEN" } });
        seed.target_group = Some(
            "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/c/0123456789abcdef"
                .to_owned(),
        );
    }
}

#[test]
fn a_service_that_cannot_be_read_blinds_no_other_and_parks_nothing() {
    play_on(Fleet { behaviour: "healthy", refit: &one_native }, 1, SMALL, async |stage| {
        stage.adopt().await;
        let rule = FaultRule {
            caller: Some("watch".to_owned()),
            action: Some("ListServiceDeployments".to_owned()),
            ..FaultRule::always(Fault::Throttle)
        };
        stage.twin.world.with(|cloud, _| cloud.faults.add(rule));
        stage.push("uapi", "healthy");
        // Carousel's sighting fails from the first look on; both others are judged.
        stage.until_service(PIPELINE, "Rag", "healthy").await;
        stage.until_service(PIPELINE, "AI_CONTENT", "healthy").await;
        stage.until_service(PIPELINE, "Carousel", "settling").await;
        stage.twin.run_for(Duration::from_secs(120)).await;
        let struck = stage.twin.world.with(|cloud, _| {
            let fired: u64 = cloud.faults.fired().iter().map(|it| it.fired).sum();
            cloud.faults.clear();
            fired
        });
        assert!(struck > 0, "nothing went wrong");
        assert!(is_live(&stage.end_of(FIRST).await));
        let parked = stage.twin.world.look(|cloud| cloud.queues.parked().len());
        assert_eq!(parked, 0, "throttling is nobody's news");
    });
}
