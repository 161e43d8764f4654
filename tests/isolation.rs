//! One thing's trouble stays its own: what can be read, is judged; who can be answered, is answered.

use std::time::Duration;

use serde_json::json;
use tidegate_local::ecs::SeedService;
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_local::seed::Fleet;
use tidegate_tests::faults::SMALL;
use tidegate_tests::fleet::is_live;
use tidegate_tests::{play, play_on};

const PIPELINE: &str = "someli-production";
const FIRST: &str = "someli-production/1";

/// One service among rolling ones is judged by its service deployments.
fn one_native(seed: &mut SeedService) {
    if seed.name.service == "Carousel" {
        seed.settings = json!({ "deploymentConfiguration": {
            "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1,
        } });
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
        let release = stage.end_of(FIRST).await;
        assert!(is_live(&release), "{}", stage.journal(FIRST).await);
        let parked = stage.twin.world.look(|cloud| cloud.queues.parked().len());
        assert_eq!(parked, 0, "throttling is nobody's news");
    });
}

/// Two pipelines that one repository feeds; the broken one is asked first.
const TWO: &str = "
version: 1
pipelines:
  a-broken:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi] } }
    cluster: live-crons
    waves: [[AI_CONTENT]]
  b-whole:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi] } }
    cluster: live-crons
    waves: [[Rag]]
";

#[test]
fn a_push_reaches_every_pipeline_that_can_be_read() {
    play(2, TWO, async |stage| {
        stage.adopt().await;
        stage.twin.world.with(|cloud, now| {
            let update = json!({
                "TableName": cloud.table(),
                "Key": { "pk": { "S": "pipeline#a-broken" }, "sk": { "S": "head" } },
                "UpdateExpression": "SET #step = :nonsense",
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeNames": { "#step": "step" },
                "ExpressionAttributeValues": { ":nonsense": { "S": "nonsense" } },
            });
            let (answer, _) = cloud.dynamodb.call("UpdateItem", &update, now);
            assert_eq!(answer.status, 200, "{answer:?}");
        });
        stage.push("uapi", "healthy");
        // Well before the sweep, which asks each pipeline by itself, would come by.
        stage.twin.run_for(Duration::from_secs(20)).await;
        let moving = stage.scene("b-whole").await.moving.expect("a release of the whole one");
        assert_eq!(moving.id.number, 1);
    });
}
