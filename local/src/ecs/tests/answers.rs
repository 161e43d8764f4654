use super::*;

#[test]
fn describe_services_names_what_is_missing_and_takes_ten() {
    let mut world = World::with(&a_service());
    let input = json!({ "cluster": "live-crons", "services": ["Rag", "Rug"] });
    let answer = world.call("DescribeServices", &input).unwrap();
    assert_eq!(answer["services"].as_array().unwrap().len(), 1);
    assert_eq!(
        answer["failures"],
        json!([{
            "arn": "arn:aws:ecs:us-west-2:123456789012:service/live-crons/Rug",
            "reason": "MISSING",
        }])
    );
    let eleven = json!({ "cluster": "live-crons", "services": vec!["Rag"; 11] });
    let refusal = world.call("DescribeServices", &eleven).unwrap_err();
    assert_eq!(refusal.code, "InvalidParameterException");
    let elsewhere = json!({ "cluster": "live_crons", "services": ["Rag"] });
    let refusal = world.call("DescribeServices", &elsewhere).unwrap_err();
    assert_eq!(refusal.code, "ClusterNotFoundException");
}

#[test]
fn describe_services_lags_up_to_the_switch_and_update_service_does_not() {
    let mut world = World::with(&a_service());
    world.ecs.switches.lag = Duration::from_secs(5);
    world.pass(60);
    world.push("v2", "healthy");
    let revision = world.register(&definition("v2"));
    let told = world.update(json!({ "taskDefinition": revision })).unwrap();
    assert_eq!(told["service"]["taskDefinition"], json!(revision));
    let fresh = |world: &mut World| {
        (0..40).filter(|_| world.service()["taskDefinition"] == json!(revision)).count()
    };
    world.pass(2);
    let seen = fresh(&mut world);
    assert!((1..40).contains(&seen), "{seen} of 40 looks saw it after two seconds");
    world.pass(4);
    assert_eq!(fresh(&mut world), 40, "after six seconds every look sees it");
}

#[test]
fn lists_come_in_pages() {
    let mut world = World::with(&a_service());
    for number in 0..12 {
        let name = format!("worker-{number}");
        let seed = SeedService::new("live-crons", &name, json!("rag:1"));
        world.ecs.seed_service(&seed, &world.ecr, world.now).unwrap();
    }
    let mut token = None;
    let mut sizes = Vec::new();
    loop {
        let mut input = json!({ "cluster": "live-crons" });
        if let Some(token) = &token {
            input["nextToken"] = json!(token);
        }
        let answer = world.call("ListServices", &input).unwrap();
        sizes.push(answer["serviceArns"].as_array().unwrap().len());
        match answer.get("nextToken") {
            Some(next) => token = Some(next.as_str().unwrap().to_owned()),
            None => break,
        }
    }
    assert_eq!(sizes, [10, 3]);
    let clusters = world.call("ListClusters", &json!({})).unwrap();
    assert_eq!(clusters["clusterArns"].as_array().unwrap().len(), 1);
    let described = world.call("DescribeClusters", &json!({ "clusters": ["live-crons", "x"] }));
    let described = described.unwrap();
    assert_eq!(described["clusters"][0]["activeServicesCount"], json!(13));
    assert_eq!(described["failures"][0]["reason"], json!("MISSING"));
}

#[test]
fn tasks_are_found_by_who_started_them() {
    let mut world = World::with(&a_service());
    world.push("v2", "healthy");
    world.deploy("v2");
    let id = world.primary()["id"].clone();
    let input = json!({ "cluster": "live-crons", "startedBy": id });
    let answer = world.call("ListTasks", &input).unwrap();
    assert_eq!(answer["taskArns"].as_array().unwrap().len(), 2);
    let gone = json!({ "cluster": "live-crons", "tasks": ["0123"] });
    let answer = world.call("DescribeTasks", &gone).unwrap();
    assert_eq!(answer["failures"][0]["reason"], json!("MISSING"));
}

#[test]
fn rates_are_shared_by_the_row_and_can_be_switched_off() {
    let mut world = World::with(&a_service());
    let refused = |world: &mut World| {
        let calls = (0..25).map(|_| world.call("RegisterTaskDefinition", &definition("uapi")));
        let errors: Vec<ApiError> = calls.filter_map(Result::err).collect();
        assert!(errors.iter().all(|error| error.code == "ThrottlingException"));
        errors.len()
    };
    assert_eq!(refused(&mut world), 5, "twenty at once");
    world.pass(3);
    assert_eq!(refused(&mut world), 22, "then one a second");
    world.ecs.switches.throttle = false;
    assert_eq!(refused(&mut world), 0);
}

#[test]
fn unknown_actions_and_members_are_refused_by_name() {
    let mut world = World::with(&a_service());
    let refusal = world.call("StartTask", &json!({})).unwrap_err();
    assert_eq!(refusal.code, "UnknownOperationException");
    let refusal = world.update(json!({ "loadBalancers": [] })).unwrap_err();
    assert!(refusal.message.contains("loadBalancers"), "{refusal}");
}

#[test]
fn the_same_seed_and_calls_tell_the_same_story() {
    let story = || {
        let mut world = World::with(&a_service());
        world.push("v2", "crash");
        world.deploy("v2");
        world.pass(300);
        world.told
    };
    assert_eq!(story(), story());
}

#[test]
fn next_due_is_when_something_happens_next() {
    let mut world = World::with(&a_service());
    world.push("v2", "healthy");
    world.deploy("v2");
    world.pass(0);
    let mut looks = 0;
    while world.primary()["rolloutState"] != json!("COMPLETED") {
        let due = world.ecs.next_due().unwrap();
        assert!(due > world.now, "events were taken, so only the future is left");
        world.now = due;
        world.pass(0);
        looks += 1;
    }
    assert!(looks < 60, "{looks} looks");
}

/// Every key that a task event must have, with its type, as the events reference shows it.
#[test]
fn task_events_have_all_their_keys() {
    let mut world = World::with(&a_service());
    world.push("v2", "crash");
    world.deploy("v2");
    world.pass(60);
    let event = world
        .told
        .iter()
        .find(|event| event.body["detail"]["stopCode"] == json!("EssentialContainerExited"))
        .unwrap();
    for key in ["version", "id", "detail-type", "source", "account", "time", "region"] {
        assert!(event.body[key].is_string(), "{key}");
    }
    let detail = &event.body["detail"];
    assert_eq!(event.body["resources"], json!([detail["taskArn"]]));
    for key in [
        "clusterArn",
        "createdAt",
        "launchType",
        "cpu",
        "memory",
        "desiredStatus",
        "group",
        "lastStatus",
        "taskArn",
        "taskDefinitionArn",
        "platformVersion",
        "startedBy",
        "stopCode",
        "stoppedReason",
        "startedAt",
        "updatedAt",
        "stoppingAt",
    ] {
        assert!(detail[key].is_string(), "{key}");
    }
    assert!(detail["version"].is_u64());
    assert_eq!(detail["group"], json!("service:Rag"));
    assert_eq!(detail["overrides"]["containerOverrides"][0]["name"], json!("app"));
    let container = &detail["containers"][0];
    for key in ["name", "lastStatus", "image", "imageDigest", "cpu", "containerArn"] {
        assert!(container[key].is_string(), "{key}");
    }
    let created = detail["createdAt"].as_str().unwrap();
    assert!(created.ends_with('Z') && created.len() == 24, "{created}");
}
