use super::*;

#[test]
fn members_nobody_knows_are_kept_at_both_levels() {
    let mut world = World::with(&a_service());
    let mut future = definition("uapi");
    future["trustedExecutionConfiguration"] = json!({ "level": 3 });
    future["containerDefinitions"][0]["dreamConfiguration"] = json!(["a", { "b": null }]);
    let arn = world.register(&future);
    let answer = world.call("DescribeTaskDefinition", &json!({ "taskDefinition": arn })).unwrap();
    let found = &answer["taskDefinition"];
    assert_eq!(found["trustedExecutionConfiguration"], json!({ "level": 3 }));
    let container = &found["containerDefinitions"][0];
    assert_eq!(container["dreamConfiguration"], json!(["a", { "b": null }]));
    assert_eq!(container["essential"], json!(true), "ECS writes its defaults");
}

#[test]
fn tags_stand_beside_the_definition_and_only_when_asked_for() {
    let mut world = World::with(&a_service());
    let mut tagged = definition("uapi");
    tagged["tags"] = json!([{ "key": "team", "value": "crons" }]);
    let arn = world.register(&tagged);
    let describe = |include: Value| json!({ "taskDefinition": arn, "include": include });
    let without = world.call("DescribeTaskDefinition", &describe(json!([]))).unwrap();
    assert!(without.get("tags").is_none() && without["taskDefinition"].get("tags").is_none());
    let with = world.call("DescribeTaskDefinition", &describe(json!(["TAGS"]))).unwrap();
    assert_eq!(with["tags"], tagged["tags"]);
}

#[test]
fn what_register_refuses() {
    for (say, member, value, words) in [
        ("an empty list of tags", "tags", json!([]), "Tags can not be empty"),
        ("reserved tags", "tags", json!([{ "key": "aws:x", "value": "" }]), "aws:x"),
        ("no container", "containerDefinitions", json!([]), "cannot be empty"),
        ("no image", "containerDefinitions", json!([{ "name": "app" }]), "Container.image"),
        ("too much", "volumes", json!(["x".repeat(70_000)]), "64 KB"),
    ] {
        let mut world = World::with(&a_service());
        let mut broken = definition("uapi");
        broken[member] = value;
        let refusal = world.call("RegisterTaskDefinition", &broken).unwrap_err();
        assert!(refusal.message.contains(words), "{say}: {refusal}");
    }
}

#[test]
fn numbers_only_grow_and_what_aws_writes_cannot_be_set() {
    let mut world = World::with(&a_service());
    let mut copied = definition("uapi");
    copied["revision"] = json!(99);
    copied["status"] = json!("INACTIVE");
    copied["deregisteredAt"] = json!(1.0);
    let second = world.register(&copied);
    assert!(second.ends_with("task-definition/rag:2"), "{second}");
    world.call("DeregisterTaskDefinition", &json!({ "taskDefinition": second })).unwrap();
    let newest = world.call("DescribeTaskDefinition", &json!({ "taskDefinition": "rag" })).unwrap();
    assert_eq!(newest["taskDefinition"]["revision"], json!(1), "the newest ACTIVE one");
    let third = world.register(&copied);
    assert!(third.ends_with("task-definition/rag:3"), "{third}");
    let by_number = json!({ "taskDefinition": "rag:3" });
    let found = world.call("DescribeTaskDefinition", &by_number).unwrap();
    assert_eq!(found["taskDefinition"]["status"], json!("ACTIVE"));
    assert!(found["taskDefinition"].get("deregisteredAt").is_none());
    let listed =
        world.call("ListTaskDefinitions", &json!({ "familyPrefix": "rag", "sort": "DESC" }));
    assert_eq!(listed.unwrap()["taskDefinitionArns"].as_array().unwrap().len(), 2);
    let unknown = world.call("DescribeTaskDefinition", &json!({ "taskDefinition": "rag:9" }));
    assert_eq!(unknown.unwrap_err().code, "ClientException");
}

#[test]
fn no_service_can_be_brought_to_an_inactive_revision_but_one_that_runs_it_goes_on() {
    let mut world = World::with(&a_service());
    let baseline = world.primary()["taskDefinition"].clone();
    world.push("v2", "healthy");
    world.deploy("v2");
    world.pass(300);
    world.call("DeregisterTaskDefinition", &json!({ "taskDefinition": baseline })).unwrap();
    let refusal = world.update(json!({ "taskDefinition": baseline })).unwrap_err();
    assert_eq!(refusal.message, "TaskDefinition is inactive");

    let current = world.primary()["taskDefinition"].clone();
    world.call("DeregisterTaskDefinition", &json!({ "taskDefinition": current })).unwrap();
    world.update(json!({ "desiredCount": 3 })).unwrap();
    world.pass(120);
    assert_eq!(world.service()["runningCount"], json!(3));
}
