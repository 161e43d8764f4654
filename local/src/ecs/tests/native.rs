use super::*;

fn blue_green() -> SeedService {
    let settings = json!({ "deploymentConfiguration": {
        "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5,
    } });
    SeedService { settings, target_group: Some(GROUP.to_owned()), ..a_service() }
}

fn service_deployment(world: &mut World) -> Value {
    let list = json!({ "cluster": "live-crons", "service": "Rag" });
    let newest = world.call("ListServiceDeployments", &list).unwrap()["serviceDeployments"][0]
        ["serviceDeploymentArn"]
        .clone();
    let describe = json!({ "serviceDeploymentArns": [newest] });
    world.call("DescribeServiceDeployments", &describe).unwrap()["serviceDeployments"][0].clone()
}

#[test]
fn blue_green_goes_through_its_stages_bakes_and_cleans_up() {
    let mut world = World::with(&blue_green());
    let new = world.push("v2", "healthy");
    let revision = world.deploy("v2");
    let mut stages = Vec::new();
    for _ in 0..600 {
        world.pass(1);
        if let Some(stage) = service_deployment(&mut world).get("lifecycleStage").cloned() {
            stages.push(stage.as_str().unwrap().to_owned());
        }
    }
    let baked = stages.iter().filter(|stage| *stage == "BAKE_TIME").count();
    assert!((295..=305).contains(&baked), "{baked} seconds of bake");
    stages.dedup();
    assert_eq!(stages.len(), 11, "{stages:?}");
    assert_eq!(stages.last().unwrap(), "CLEAN_UP");
    let done = service_deployment(&mut world);
    assert_eq!(done["status"], json!("SUCCESSFUL"));
    let target = json!({ "serviceRevisionArns": [done["targetServiceRevision"]["arn"]] });
    let revisions = world.call("DescribeServiceRevisions", &target).unwrap();
    assert_eq!(revisions["serviceRevisions"][0]["taskDefinition"], json!(revision));
    assert_eq!(world.digests(), [new]);
    assert!(world.primary().get("rolloutState").is_none(), "native strategies have none");
}

#[test]
fn both_fleets_stand_while_it_bakes_and_a_stop_goes_back() {
    let mut world = World::with(&blue_green());
    let old = world.digests();
    let baseline = world.primary()["taskDefinition"].clone();
    world.push("v2", "healthy");
    world.deploy("v2");
    world.pass(120);
    assert_eq!(world.tasks("RUNNING").len(), 4);
    let moving = service_deployment(&mut world);
    assert_eq!(moving["lifecycleStage"], json!("BAKE_TIME"));
    let stop =
        json!({ "serviceDeploymentArn": moving["serviceDeploymentArn"], "stopType": "ROLLBACK" });
    world.call("StopServiceDeployment", &stop).unwrap();
    assert_eq!(service_deployment(&mut world)["status"], json!("ROLLBACK_REQUESTED"));
    world.pass(10);
    assert_eq!(service_deployment(&mut world)["status"], json!("ROLLBACK_IN_PROGRESS"));
    world.pass(120);
    assert_eq!(service_deployment(&mut world)["status"], json!("ROLLBACK_SUCCESSFUL"));
    assert_eq!(world.primary()["taskDefinition"], baseline);
    assert_eq!(world.digests(), old);
    let again = world.call("StopServiceDeployment", &stop).unwrap_err();
    assert_eq!(again.code, "ConflictException");
}

#[test]
fn a_crashing_green_fleet_never_leaves_scale_up_and_blue_serves() {
    let mut world = World::with(&blue_green());
    let old = world.digests();
    world.push("v2", "crash");
    world.deploy("v2");
    world.pass(1800);
    let moving = service_deployment(&mut world);
    assert_eq!(moving["lifecycleStage"], json!("SCALE_UP"));
    assert_eq!(moving["status"], json!("IN_PROGRESS"));
    let running = world.ecs.running_tasks(&World::name());
    assert!(running.len() >= 2);
    let stop = json!({ "serviceDeploymentArn": moving["serviceDeploymentArn"] });
    world.call("StopServiceDeployment", &stop).unwrap();
    world.pass(60);
    assert_eq!(service_deployment(&mut world)["status"], json!("ROLLBACK_SUCCESSFUL"));
    assert_eq!(world.digests(), old);
}

#[test]
fn a_rolling_deployment_can_be_stopped_too() {
    let mut world = World::with(&a_service());
    let old = world.digests();
    world.push("v2", "crash");
    world.deploy("v2");
    world.pass(60);
    let arn = service_deployment(&mut world)["serviceDeploymentArn"].clone();
    for (say, input, code) in [
        (
            "another stop type",
            json!({ "serviceDeploymentArn": arn, "stopType": "ABORT" }),
            "InvalidParameterException",
        ),
        (
            "an unknown one",
            json!({ "serviceDeploymentArn": "arn:nothing" }),
            "ServiceDeploymentNotFoundException",
        ),
    ] {
        let refusal = world.call("StopServiceDeployment", &input).unwrap_err();
        assert_eq!(refusal.code, code, "{say}");
    }
    world.call("StopServiceDeployment", &json!({ "serviceDeploymentArn": arn })).unwrap();
    world.pass(300);
    assert_eq!(service_deployment(&mut world)["status"], json!("ROLLBACK_SUCCESSFUL"));
    assert_eq!(world.primary()["rolloutState"], json!("COMPLETED"));
    assert_eq!(world.digests(), old);
}
