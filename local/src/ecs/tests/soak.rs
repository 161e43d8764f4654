//! Whatever happens in whatever order, the model keeps its own promises.

use super::*;

const BEHAVIOURS: [&str; 7] =
    ["healthy", "crash", "crash-after=30s", "unhealthy", "slow=40s", "exit-loop", "no-pull"];

fn a_random_service(dice: &mut fastrand::Rng) -> SeedService {
    let strategy = if dice.u8(..4) == 0 { "BLUE_GREEN" } else { "ROLLING" };
    let settings = json!({ "deploymentConfiguration": {
        "strategy": strategy,
        "bakeTimeInMinutes": 1,
        "minimumHealthyPercent": dice.choice([0, 50, 100]),
        "maximumPercent": dice.choice([150, 200]),
        "deploymentCircuitBreaker": { "enable": dice.bool(), "rollback": dice.bool() },
    } });
    let target_group = dice.bool().then(|| GROUP.to_owned());
    SeedService { desired: dice.u32(1..5), settings, target_group, ..a_service() }
}

/// One thing that somebody does, or nothing for a while.
fn something(world: &mut World, dice: &mut fastrand::Rng, number: u32) {
    let name = World::name();
    let running = world.ecs.running_tasks(&name);
    let task = dice.choice(&running).cloned();
    match (dice.u8(..10), task) {
        (0 | 1, _) => {
            let tag = format!("v{number}");
            world.push(&tag, dice.choice(BEHAVIOURS).unwrap());
            world.deploy(&tag);
        }
        (2, _) => world.ecs.autoscale(&name, dice.u32(..5), world.now, &world.ecr),
        (3, _) => world.ecs.fail_placement(&name, dice.u32(1..4)),
        (4, Some(task)) => world.ecs.interrupt_spot(&task, world.now, &world.ecr),
        (5, Some(task)) => {
            world.ecs.exit_task(&task, 1, world.now, &world.ecr);
        }
        (6, _) => {
            let arn = world.service()["currentServiceDeployment"].clone();
            // Refused when it has ended: that is an answer too.
            let _ = world.call("StopServiceDeployment", &json!({ "serviceDeploymentArn": arn }));
        }
        _ => world.pass(dice.u64(1..200)),
    }
}

#[test]
fn versions_rise_events_are_in_order_and_a_good_image_always_wins_in_the_end() {
    for seed in 0..30 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut world = World::with(&a_random_service(&mut dice));
        world.ecs.switches.throttle = false;
        world.ecs.switches.rollback =
            if dice.bool() { RollbackShape::NewId } else { RollbackShape::OldId };
        for number in 0..25 {
            something(&mut world, &mut dice, number);
            world.pass(1);
        }
        world.ecs.autoscale(&World::name(), 2, world.now, &world.ecr);
        // Placement failures that are still to come would trip the breaker on a good image, too.
        let breaker = json!({ "enable": false, "rollback": false });
        world
            .update(json!({ "deploymentConfiguration": { "deploymentCircuitBreaker": breaker } }))
            .unwrap();
        let good = world.push("good", "healthy");
        world.deploy("good");
        world.pass(3600);

        assert_eq!(world.digests(), [good], "seed {seed}");
        let service = world.service();
        assert_eq!(service["runningCount"], json!(2), "seed {seed}");
        assert_eq!(service["deployments"].as_array().unwrap().len(), 1, "seed {seed}");
        let times: Vec<Timestamp> = world.told.iter().map(|event| event.at).collect();
        assert!(times.is_sorted(), "seed {seed}: events out of order");
        let mut versions = std::collections::BTreeMap::new();
        for task in world.details("ECS Task State Change") {
            let version = task["version"].as_u64().unwrap();
            let last = versions.insert(task["taskArn"].to_string(), version).unwrap_or(version - 1);
            assert_eq!(version, last + 1, "seed {seed}: a version was left out");
        }
    }
}
