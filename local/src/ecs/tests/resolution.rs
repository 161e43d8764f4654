use super::*;

/// The digest that the primary's service revision names for its first container.
fn revision_digest(world: &mut World) -> Value {
    let arn = world.service()["currentServiceRevisions"][0]["arn"].clone();
    let input = json!({ "serviceRevisionArns": [arn] });
    let answer = world.call("DescribeServiceRevisions", &input).unwrap();
    answer["serviceRevisions"][0]["containerImages"][0]
        .get("imageDigest")
        .cloned()
        .unwrap_or_default()
}

#[test]
fn a_moved_tag_means_the_new_bytes_only_after_another_deployment() {
    let mut world = World::with(&a_service());
    let old = world.digests();
    let new = world.push("uapi", "healthy");
    world.update(json!({ "desiredCount": 3 })).unwrap();
    world.pass(120);
    assert_eq!(world.digests(), old, "a further task runs the bytes of its service revision");
    assert_eq!(revision_digest(&mut world), json!(old[0]));

    world.update(json!({ "forceNewDeployment": true })).unwrap();
    world.pass(300);
    assert_eq!(revision_digest(&mut world), json!(new));
    assert_eq!(world.digests(), [new]);
}

#[test]
fn going_back_to_an_old_definition_by_its_tag_starts_the_new_bytes() {
    let mut world = World::with(&a_service());
    let baseline = world.primary()["taskDefinition"].clone();
    let moved = world.push("uapi", "healthy");
    world.push("v2", "healthy");
    world.deploy("v2");
    world.pass(300);
    world.update(json!({ "taskDefinition": baseline })).unwrap();
    world.pass(300);
    assert_eq!(world.digests(), [moved]);
}

#[test]
fn a_rollback_by_ecs_returns_to_the_bytes_of_then() {
    let breaker = json!({ "enable": true, "rollback": true });
    let settings = json!({ "deploymentConfiguration": { "deploymentCircuitBreaker": breaker } });
    let mut world = World::with(&SeedService { settings, ..a_service() });
    let old = world.digests();
    world.push("uapi", "crash");
    world.update(json!({ "forceNewDeployment": true })).unwrap();
    world.pass(600);
    assert_eq!(world.digests(), old, "the tag means other bytes by now");
}

#[test]
fn where_nothing_is_resolved() {
    let loose = {
        let mut seed = a_service();
        seed.task_definition["containerDefinitions"][0]["versionConsistency"] = json!("disabled");
        seed
    };
    for (say, seed) in [
        ("version consistency disabled", loose),
        ("no task wanted", SeedService { desired: 0, ..a_service() }),
    ] {
        let mut world = World::with(&seed);
        assert_eq!(revision_digest(&mut world), Value::Null, "{say}");
        let new = world.push("uapi", "healthy");
        world.update(json!({ "desiredCount": 3 })).unwrap();
        world.pass(120);
        assert!(world.digests().contains(&new), "{say}: a further task asks the registry itself");
    }
}

#[test]
fn a_service_from_before_has_no_service_revision_to_describe() {
    let seed = SeedService { before_service_revisions: true, ..a_service() };
    let mut world = World::with(&seed);
    assert!(world.service().get("currentServiceRevisions").is_none());
}

#[test]
fn an_index_shows_either_digest_by_switch() {
    use crate::ecr::{digest_of, index_manifest, manifest};
    let mut world = World::with(&a_service());
    let child = manifest("child", "healthy");
    let index = index_manifest(&[digest_of(&child)]);
    for (text, tag) in [(&child, None), (&index, Some("multi"))] {
        let mut put = json!({ "repositoryName": "live_crons", "imageManifest": text });
        if let Some(tag) = tag {
            put["imageTag"] = json!(tag);
        }
        world.ecr.call("PutImage", &put, world.now).unwrap();
    }
    world.deploy("multi");
    world.pass(300);
    for (shown, expected) in
        [(ShownDigest::Index, digest_of(&index)), (ShownDigest::Platform, digest_of(&child))]
    {
        world.ecs.switches.image_digest = shown;
        assert_eq!(world.digests(), [expected]);
    }
}

#[test]
fn a_pinned_image_stays_what_it_is() {
    let mut world = World::with(&a_service());
    let digest = world.push("v2", "healthy");
    let mut pinned = definition("v2");
    let image = format!("{REPOSITORY}@{digest}");
    pinned["containerDefinitions"][0]["image"] = json!(image);
    let revision = world.register(&pinned);
    world.update(json!({ "taskDefinition": revision })).unwrap();
    world.push("v2", "crash");
    world.pass(300);
    assert_eq!(world.digests(), [digest]);
    assert_eq!(world.primary()["rolloutState"], json!("COMPLETED"));
}
