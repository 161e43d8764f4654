use super::*;

/// What the tasks of an image that does not work say, and when.
#[test]
fn how_each_behaviour_ends() {
    let checked = Some(GROUP.to_owned());
    let elb = "Task failed ELB health checks in (target-group";
    for (behaviour, group, code, reason, exit) in [
        ("crash", None, "EssentialContainerExited", "Essential container", json!(1)),
        ("crash-after=30s", None, "EssentialContainerExited", "Essential container", json!(1)),
        ("exit=3", None, "EssentialContainerExited", "Essential container", json!(3)),
        ("no-pull", None, "TaskFailedToStart", "CannotPullContainerError", Value::Null),
        ("unhealthy", checked, "ServiceSchedulerInitiated", elb, Value::Null),
    ] {
        let mut world = World::with(&SeedService { target_group: group, ..a_service() });
        world.push("v2", behaviour);
        let revision = world.deploy("v2");
        world.pass(100);
        let events = world.details("ECS Task State Change");
        let first = events
            .iter()
            .find(|task| {
                task["taskDefinitionArn"] == json!(revision) && task.get("stopCode").is_some()
            })
            .unwrap_or_else(|| panic!("{behaviour}: no event carries a stop code"));
        assert_eq!(first["stopCode"], json!(code), "{behaviour}");
        let said = first["stoppedReason"].as_str().unwrap();
        assert!(said.starts_with(reason), "{behaviour}: {said}");
        assert_eq!(first["desiredStatus"], json!("STOPPED"), "{behaviour}");
        let found = first["containers"][0].get("exitCode").cloned().unwrap_or_default();
        assert_eq!(found, exit, "{behaviour}");
        assert_ne!(first["lastStatus"], json!("STOPPED"), "{behaviour}: told before the end");
        assert!(world.primary()["failedTasks"].as_u64().unwrap() > 0, "{behaviour}");
    }
}

#[test]
fn a_container_health_check_kills_by_its_own_rhythm() {
    let mut seed = a_service();
    let check =
        json!({ "command": ["CMD", "true"], "interval": 5, "retries": 2, "startPeriod": 5 });
    seed.task_definition["containerDefinitions"][0]["healthCheck"] = check.clone();
    let mut world = World::with(&seed);
    world.push("v2", "unhealthy");
    let mut bad = definition("v2");
    bad["containerDefinitions"][0]["healthCheck"] = check;
    let revision = world.register(&bad);
    world.update(json!({ "taskDefinition": revision })).unwrap();
    world.pass(100);
    let events = world.details("ECS Task State Change");
    let killed = events.iter().find(|task| task.get("stopCode").is_some()).unwrap();
    assert_eq!(killed["stoppedReason"], json!("Task failed container health checks"));
    assert_eq!(killed["healthStatus"], json!("UNHEALTHY"));
}

#[test]
fn nobody_notices_an_unhealthy_image_that_nobody_checks() {
    let mut world = World::with(&a_service());
    world.push("v2", "unhealthy");
    world.deploy("v2");
    world.pass(200);
    assert_eq!(world.primary()["rolloutState"], json!("COMPLETED"));
}

#[test]
fn a_crashing_task_is_told_first_as_deprovisioning_then_as_stopped() {
    let mut world = World::with(&SeedService { desired: 1, ..a_service() });
    world.push("v2", "crash");
    let revision = world.deploy("v2");
    world.pass(90);
    let events = world.details("ECS Task State Change");
    let task = events.iter().find(|task| task["taskDefinitionArn"] == json!(revision)).unwrap();
    let story: Vec<(&str, u64)> = events
        .iter()
        .filter(|event| event["taskArn"] == task["taskArn"])
        .map(|event| (event["lastStatus"].as_str().unwrap(), event["version"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        story,
        [
            ("PROVISIONING", 1),
            ("PENDING", 2),
            ("RUNNING", 3),
            ("DEPROVISIONING", 4),
            ("STOPPED", 5)
        ]
    );
}

#[test]
fn without_a_breaker_a_crash_loop_goes_on_for_ever_and_ever_slower() {
    let mut world = World::with(&SeedService { desired: 1, ..a_service() });
    world.push("v2", "crash");
    world.deploy("v2");
    let starts = |world: &World| {
        let events = world.details("ECS Task State Change");
        events.iter().filter(|task| task["version"] == json!(1)).count()
    };
    world.pass(600);
    let early = starts(&world);
    world.pass(6_600);
    let later = starts(&world) - early;
    assert!(early >= 4, "{early} starts in the first ten minutes");
    assert!(later < early * 4, "{later} starts in the next hundred and ten");
    let service = world.service();
    assert_eq!(service["deployments"][0]["rolloutState"], json!("IN_PROGRESS"));
    assert_eq!(service["deployments"][1]["runningCount"], json!(1), "the old task still serves");
    assert!(!world.deployment_events().contains(&"SERVICE_DEPLOYMENT_FAILED".to_owned()));
}

#[test]
fn a_worker_that_ends_well_is_started_again_and_the_rollout_completes() {
    let mut world = World::with(&a_service());
    world.push("v2", "exit-loop");
    world.deploy("v2");
    world.pass(600);
    assert_eq!(world.primary()["failedTasks"], json!(0));
    let ended = world.tasks("STOPPED");
    let own = ended.iter().filter(|task| task["stopCode"] == json!("EssentialContainerExited"));
    let codes: Vec<&Value> = own.map(|task| &task["containers"][0]["exitCode"]).collect();
    assert!(codes.len() > 4, "{} ends", codes.len());
    assert!(codes.iter().all(|code| **code == json!(0)));
    assert!(world.deployment_events().contains(&"SERVICE_DEPLOYMENT_COMPLETED".to_owned()));
}

#[test]
fn a_slow_image_is_only_late() {
    let mut world = World::with(&a_service());
    world.push("v2", "slow=300s");
    world.deploy("v2");
    world.pass(300);
    assert_eq!(world.primary()["pendingCount"], json!(2));
    world.pass(200);
    assert_eq!(world.primary()["rolloutState"], json!("COMPLETED"));
}

#[test]
fn a_sidecar_that_is_not_essential_may_end() {
    let mut world = World::with(&a_service());
    world.push("v2", "healthy");
    world.push("side", "crash");
    let mut two = definition("v2");
    two["containerDefinitions"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "name": "side", "image": format!("{REPOSITORY}:side"), "essential": false }));
    let revision = world.register(&two);
    world.update(json!({ "taskDefinition": revision })).unwrap();
    world.pass(200);
    assert_eq!(world.primary()["rolloutState"], json!("COMPLETED"));
    let tasks = world.tasks("RUNNING");
    assert_eq!(tasks[0]["containers"][1]["exitCode"], json!(1));
    assert_eq!(tasks[0]["containers"][0]["lastStatus"], json!("RUNNING"));
}

#[test]
fn an_image_that_is_gone_from_the_registry_cannot_be_pulled() {
    let mut world = World::with(&a_service());
    let digest = world.push("v2", "healthy");
    world.deploy("v2");
    world.ecr.delete_image("live_crons", &digest, world.now);
    world.pass(60);
    let failed = world.tasks("STOPPED");
    assert_eq!(failed[0]["stopCode"], json!("TaskFailedToStart"));
    assert!(failed[0].get("startedAt").is_none(), "it never ran");
}
