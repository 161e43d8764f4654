use super::*;

#[test]
fn a_seeded_service_is_steady_and_has_said_nothing() {
    let mut world = World::with(&a_service());
    world.pass(600);
    let service = world.service();
    assert_eq!(service["runningCount"], json!(2));
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    assert_eq!(service["deployments"][0]["rolloutState"], json!("COMPLETED"));
    assert!(world.told.is_empty(), "{:?}", world.told);
}

#[test]
fn a_good_rollout_replaces_every_task_and_then_is_complete() {
    let mut world = World::with(&a_service());
    let new = world.push("v2", "healthy");
    let revision = world.deploy("v2");
    world.pass(1);
    let service = world.service();
    assert_eq!(service["taskDefinition"], json!(revision));
    assert_eq!(service["deployments"][0]["rolloutState"], json!("IN_PROGRESS"));
    assert_eq!(service["deployments"][0]["pendingCount"], json!(2));
    assert_eq!(service["deployments"][1]["status"], json!("ACTIVE"));
    assert_eq!(service["deployments"][1]["runningCount"], json!(2), "nothing is stopped yet");

    world.pass(180);
    let service = world.service();
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    assert_eq!(service["deployments"][0]["rolloutState"], json!("COMPLETED"));
    assert_eq!(service["runningCount"], json!(2));
    assert_eq!(world.digests(), [new]);
    assert_eq!(
        world.deployment_events(),
        ["SERVICE_DEPLOYMENT_IN_PROGRESS", "SERVICE_DEPLOYMENT_COMPLETED"]
    );
    let actions = world.details("ECS Service Action");
    assert_eq!(actions.len(), 1);
    assert_eq!(actions[0]["eventName"], json!("SERVICE_STEADY_STATE"));
}

#[test]
fn without_health_checks_forty_seconds_pass_with_a_target_group_ten() {
    for (say, group, before, after) in
        [("unchecked", None, 54, 130), ("target group", Some(GROUP.to_owned()), 24, 110)]
    {
        let mut world = World::with(&SeedService { target_group: group, ..a_service() });
        world.push("v2", "healthy");
        world.deploy("v2");
        world.pass(before);
        assert_eq!(world.primary()["rolloutState"], json!("IN_PROGRESS"), "{say}");
        world.pass(after - before);
        assert_eq!(world.primary()["rolloutState"], json!("COMPLETED"), "{say}");
    }
}

#[test]
fn enough_healthy_tasks_remain_all_the_time() {
    for (say, minimum, maximum, least, most) in [
        ("the defaults", 100, 200, 2, 4),
        ("half may go first", 50, 100, 1, 2),
        ("all may go first", 0, 100, 0, 2),
    ] {
        let settings = json!({ "deploymentConfiguration": {
            "minimumHealthyPercent": minimum, "maximumPercent": maximum,
        } });
        let mut world = World::with(&SeedService { settings, ..a_service() });
        world.push("v2", "healthy");
        world.deploy("v2");
        for _ in 0..400 {
            world.pass(1);
            let wanted = world.tasks("RUNNING");
            let running = wanted.iter().filter(|task| task["lastStatus"] == json!("RUNNING"));
            assert!(running.count() >= least, "{say}: too few run");
            assert!(wanted.len() <= most, "{say}: too many wanted");
        }
        assert_eq!(world.primary()["rolloutState"], json!("COMPLETED"), "{say}");
    }
}

#[test]
fn one_task_at_100_to_100_percent_can_never_be_replaced() {
    let settings = json!({ "deploymentConfiguration": {
        "minimumHealthyPercent": 100, "maximumPercent": 100,
    } });
    let mut world = World::with(&SeedService { settings, desired: 1, ..a_service() });
    world.push("v2", "healthy");
    world.deploy("v2");
    world.pass(3600);
    assert_eq!(world.primary()["rolloutState"], json!("IN_PROGRESS"));
    assert_eq!(world.service()["deployments"][1]["runningCount"], json!(1));
}

#[test]
fn the_same_revision_again_makes_no_deployment_unless_forced() {
    let mut world = World::with(&a_service());
    world.push("v2", "healthy");
    let revision = world.deploy("v2");
    let id = world.primary()["id"].clone();
    world.update(json!({ "taskDefinition": revision, "desiredCount": 3 })).unwrap();
    assert_eq!(world.primary()["id"], id);
    world.update(json!({ "forceNewDeployment": true })).unwrap();
    assert_ne!(world.primary()["id"], id);
    assert_eq!(world.primary()["taskDefinition"], json!(revision));
}

#[test]
fn a_newer_update_supersedes_and_the_older_one_is_stopped_not_rolled_back() {
    let mut world = World::with(&a_service());
    world.push("v2", "healthy");
    let third = world.push("v3", "healthy");
    world.deploy("v2");
    let first = world.service()["currentServiceDeployment"].clone();
    world.pass(20);
    world.deploy("v3");
    let describe = json!({ "serviceDeploymentArns": [first] });
    let status = |world: &mut World| {
        world.call("DescribeServiceDeployments", &describe).unwrap()["serviceDeployments"][0]
            ["status"]
            .clone()
    };
    assert_eq!(status(&mut world), json!("STOP_REQUESTED"));
    world.pass(240);
    assert_eq!(status(&mut world), json!("STOPPED"));
    assert_eq!(world.digests(), [third]);
    assert_eq!(world.primary()["rolloutState"], json!("COMPLETED"));
}

#[test]
fn a_service_that_wants_no_task_completes_and_proves_nothing() {
    let mut world = World::with(&SeedService { desired: 0, ..a_service() });
    world.push("v2", "crash");
    world.deploy("v2");
    world.pass(1);
    let primary = world.primary();
    assert_eq!(primary["rolloutState"], json!("COMPLETED"));
    assert_eq!(primary["failedTasks"], json!(0));
    assert!(world.tasks("RUNNING").is_empty());
}

#[test]
fn old_tasks_drain_and_linger_with_the_schedulers_reason() {
    let mut world =
        World::with(&SeedService { target_group: Some(GROUP.to_owned()), ..a_service() });
    world.push("v2", "healthy");
    world.deploy("v2");
    world.pass(300);
    let old = world.tasks("STOPPED");
    assert_eq!(old.len(), 2);
    for task in &old {
        assert_eq!(task["stopCode"], json!("ServiceSchedulerInitiated"));
        assert!(task["stoppedReason"].as_str().unwrap().starts_with("Scaling activity"));
    }
    world.pass(3600);
    assert!(world.tasks("STOPPED").is_empty(), "after an hour nobody remembers them");
}
