use super::*;

fn first_task(world: &World) -> String {
    world.ecs.running_tasks(&World::name()).first().unwrap().clone()
}

fn stop_codes(world: &World) -> Vec<Value> {
    let events = world.details("ECS Task State Change");
    let stopped = events.iter().filter(|task| task["lastStatus"] == json!("STOPPED"));
    stopped.map(|task| task["stopCode"].clone()).collect()
}

#[test]
fn spot_takes_a_task_and_it_is_replaced_without_blame() {
    let mut world = World::with(&a_service());
    let task = first_task(&world);
    world.ecs.interrupt_spot(&task, world.now, &world.ecr);
    world.pass(180);
    assert_eq!(stop_codes(&world), [json!("SpotInterruption")]);
    let service = world.service();
    assert_eq!(service["runningCount"], json!(2));
    assert_eq!(service["deployments"][0]["failedTasks"], json!(0));
}

#[test]
fn a_person_stops_a_task() {
    let mut world = World::with(&a_service());
    let task = first_task(&world);
    world.ecs.stop_by_user(&task, world.now, &world.ecr);
    world.pass(120);
    assert_eq!(stop_codes(&world), [json!("UserInitiated")]);
    assert_eq!(world.service()["runningCount"], json!(2));
}

#[test]
fn a_stray_crash_is_replaced_and_counts_nothing() {
    let mut world = World::with(&a_service());
    let task = first_task(&world);
    assert!(world.ecs.exit_task(&task, 1, world.now, &world.ecr));
    assert!(!world.ecs.exit_task(&task, 1, world.now, &world.ecr), "it has ended");
    world.pass(120);
    assert_eq!(stop_codes(&world), [json!("EssentialContainerExited")]);
    assert_eq!(world.primary()["rolloutState"], json!("COMPLETED"));
    assert_eq!(world.primary()["failedTasks"], json!(0));
}

#[test]
fn a_task_that_finds_no_place_is_said_and_tried_again() {
    let mut world = World::with(&a_service());
    world.push("v2", "healthy");
    world.ecs.fail_placement(&World::name(), 2);
    world.deploy("v2");
    world.pass(10);
    assert_eq!(world.primary()["failedTasks"], json!(1));
    let actions = world.details("ECS Service Action");
    assert_eq!(actions[0]["eventName"], json!("SERVICE_TASK_PLACEMENT_FAILURE"));
    assert_eq!(actions[0]["reason"], json!("RESOURCE:FARGATE"));
    world.pass(300);
    assert_eq!(world.primary()["rolloutState"], json!("COMPLETED"));
}

#[test]
fn autoscaling_moves_the_count_and_makes_no_deployment() {
    let mut world = World::with(&a_service());
    let id = world.primary()["id"].clone();
    for desired in [5_u32, 1] {
        world.ecs.autoscale(&World::name(), desired, world.now, &world.ecr);
        world.pass(180);
        let service = world.service();
        assert_eq!(service["runningCount"], json!(desired));
        assert_eq!(service["deployments"][0]["id"], id);
        assert_eq!(service["deployments"][0]["rolloutState"], json!("COMPLETED"));
    }
    assert!(world.deployment_events().is_empty());
}

#[test]
fn other_controllers_refuse_a_new_task_definition() {
    for controller in ["CODE_DEPLOY", "EXTERNAL"] {
        let settings = json!({ "deploymentController": { "type": controller } });
        let mut world = World::with(&SeedService { settings, ..a_service() });
        let revision = world.register(&definition("uapi"));
        let refusal = world.update(json!({ "taskDefinition": revision })).unwrap_err();
        assert_eq!(refusal.code, "InvalidParameterException", "{controller}");
        assert_eq!(world.service()["deploymentController"]["type"], json!(controller));
        assert_eq!(world.service()["deployments"], json!([]), "{controller}");
    }
}

#[test]
fn a_load_balancer_sees_targets_come_and_go() {
    let seed = SeedService { target_group: Some(GROUP.to_owned()), ..a_service() };
    let mut world = World::with(&seed);
    world.push("v2", "unhealthy");
    world.deploy("v2");
    let mut states = Vec::new();
    for _ in 0..120 {
        world.pass(1);
        let input = json!({ "TargetGroupArn": GROUP });
        let answer = crate::elb::call("DescribeTargetHealth", &input, &world.ecs, world.now);
        for target in answer.unwrap()["TargetHealthDescriptions"].as_array().unwrap() {
            states.push(target["TargetHealth"]["State"].as_str().unwrap().to_owned());
        }
    }
    states.sort();
    states.dedup();
    assert_eq!(states, ["draining", "healthy", "initial", "unhealthy"]);
    let unknown = json!({ "TargetGroupArn": "arn:nothing" });
    let refusal = crate::elb::call("DescribeTargetHealth", &unknown, &world.ecs, world.now);
    assert_eq!(refusal.unwrap_err().code, "TargetGroupNotFound");
}
