use super::*;

fn guarded(rollback: bool) -> SeedService {
    let breaker = json!({ "enable": true, "rollback": rollback });
    let settings = json!({ "deploymentConfiguration": { "deploymentCircuitBreaker": breaker } });
    SeedService { settings, ..a_service() }
}

fn rollback_starts(world: &World) -> Vec<Value> {
    let details = world.details("ECS Deployment State Change");
    let own = details.into_iter().filter(|detail| {
        detail["reason"].as_str().unwrap().contains("rolling back to deploymentId")
    });
    own.collect()
}

#[test]
fn three_failures_trip_the_breaker_and_ecs_goes_back_in_either_shape() {
    for shape in [RollbackShape::NewId, RollbackShape::OldId] {
        let mut world = World::with(&guarded(true));
        world.ecs.switches.rollback = shape;
        let before = world.primary();
        let old = world.digests();
        world.push("v2", "crash");
        world.deploy("v2");
        let failed = world.primary()["id"].clone();
        world.pass(600);

        assert_eq!(
            world.deployment_events(),
            [
                "SERVICE_DEPLOYMENT_IN_PROGRESS",
                "SERVICE_DEPLOYMENT_FAILED",
                "SERVICE_DEPLOYMENT_IN_PROGRESS",
                "SERVICE_DEPLOYMENT_COMPLETED"
            ],
            "{shape:?}"
        );
        let primary = world.primary();
        assert_eq!(primary["rolloutState"], json!("COMPLETED"), "{shape:?}");
        assert_eq!(primary["taskDefinition"], before["taskDefinition"], "{shape:?}");
        assert_ne!(primary["id"], failed, "{shape:?}");
        let same_id = primary["id"] == before["id"];
        assert_eq!(same_id, shape == RollbackShape::OldId, "{shape:?}");
        assert_eq!(rollback_starts(&world)[0]["deploymentId"], primary["id"], "{shape:?}");
        assert_eq!(world.digests(), old, "{shape:?}");
        assert_eq!(world.service()["deployments"].as_array().unwrap().len(), 1, "{shape:?}");
    }
}

#[test]
fn the_service_deployment_tells_the_rollback_too() {
    let mut world = World::with(&guarded(true));
    world.push("v2", "no-pull");
    world.deploy("v2");
    let arn = world.service()["currentServiceDeployment"].clone();
    world.pass(600);
    let input = json!({ "serviceDeploymentArns": [arn] });
    let answer = world.call("DescribeServiceDeployments", &input).unwrap();
    let deployment = &answer["serviceDeployments"][0];
    assert_eq!(deployment["status"], json!("ROLLBACK_SUCCESSFUL"));
    assert_eq!(
        deployment["rollback"]["serviceRevisionArn"],
        deployment["sourceServiceRevisions"][0]["arn"]
    );
    assert_eq!(deployment["deploymentCircuitBreaker"]["status"], json!("TRIGGERED"));
    assert_eq!(deployment["deploymentCircuitBreaker"]["threshold"], json!(3));
}

#[test]
fn without_rollback_the_failed_deployment_stays_and_starts_nothing_more() {
    let mut world = World::with(&guarded(false));
    world.push("v2", "crash");
    world.deploy("v2");
    world.pass(600);
    let service = world.service();
    assert_eq!(service["deployments"][0]["rolloutState"], json!("FAILED"));
    assert_eq!(service["deployments"][1]["runningCount"], json!(2), "the old tasks serve");
    world.told.clear();
    world.pass(3600);
    assert!(world.details("ECS Task State Change").is_empty(), "nothing is started any more");
}

#[test]
fn with_nothing_completed_before_it_stalls() {
    let mut world = World::with(&guarded(true));
    world.push("v2", "crash");
    world.push("v3", "crash");
    world.deploy("v2");
    world.pass(50);
    while rollback_starts(&world).is_empty() {
        world.pass(1);
    }
    world.deploy("v3"); // while the rollback is on its way, so there is no completed deployment
    world.pass(600);
    let primary = world.primary();
    assert_eq!(primary["rolloutState"], json!("FAILED"));
    assert_eq!(rollback_starts(&world).len(), 1, "no second rollback");
}

#[test]
fn a_task_that_was_healthy_once_escapes_the_breaker() {
    let mut world = World::with(&guarded(true));
    world.push("v2", "crash-after=50s");
    world.deploy("v2");
    world.pass(1800);
    assert!(!world.deployment_events().contains(&"SERVICE_DEPLOYMENT_FAILED".to_owned()));
}

#[test]
fn a_threshold_of_its_own_and_the_way_by_hand() {
    let mut world = World::with(&a_service());
    let breaker = json!({
        "enable": true, "rollback": false, "thresholdConfiguration": { "type": "COUNT", "value": 1 },
    });
    world
        .update(json!({ "deploymentConfiguration": { "deploymentCircuitBreaker": breaker } }))
        .unwrap();
    let baseline = world.primary()["taskDefinition"].clone();
    world.push("v2", "crash");
    world.deploy("v2");
    world.pass(60);
    assert_eq!(world.primary()["rolloutState"], json!("FAILED"));
    assert_eq!(world.primary()["failedTasks"], json!(1));
    world.update(json!({ "taskDefinition": baseline })).unwrap();
    world.pass(300);
    assert_eq!(world.primary()["rolloutState"], json!("COMPLETED"));
    assert_eq!(world.primary()["taskDefinition"], baseline);
}
