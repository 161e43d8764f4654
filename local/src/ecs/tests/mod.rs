//! Stories about one service, told in virtual time.

mod answers;
mod breaker;
mod definitions;
mod failures;
mod foreign;
mod native;
mod resolution;
mod rollout;
mod soak;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Ecs, RollbackShape, SeedService, ServiceName, ShownDigest};
use crate::api::{ApiError, BusEvent, Place};
use crate::ecr::Ecr;

const REPOSITORY: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons";
const GROUP: &str =
    "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/rag/0123456789abcdef";

/// ECS and ECR at a moment, and every event so far.
struct World {
    ecs: Ecs,
    ecr: Ecr,
    now: Timestamp,
    told: Vec<BusEvent>,
}

/// The service of most stories: two tasks of an image that was healthy.
fn a_service() -> SeedService {
    SeedService { desired: 2, ..SeedService::new("live-crons", "Rag", definition("uapi")) }
}

fn definition(tag: &str) -> Value {
    json!({
        "family": "rag",
        "containerDefinitions": [{ "name": "app", "image": format!("{REPOSITORY}:{tag}") }],
    })
}

impl World {
    /// A world in which `seed` runs since long ago.
    fn with(seed: &SeedService) -> Self {
        let place = Place::new("123456789012", "us-west-2");
        let mut world = Self {
            ecs: Ecs::new(place.clone(), 11),
            ecr: Ecr::new(place, 11),
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            told: Vec::new(),
        };
        world.ecs.switches.lag = Duration::ZERO;
        world.ecs.switches.image_digest = ShownDigest::Index;
        world.ecs.switches.rollback = RollbackShape::NewId;
        world.push("uapi", "healthy");
        world.ecs.seed_service(seed, &world.ecr, world.now).unwrap();
        world
    }

    fn push(&mut self, tag: &str, behaviour: &str) -> String {
        self.now += Duration::from_secs(1); // so that the bytes differ
        self.ecr.seed_image("live_crons", tag, behaviour, self.now).unwrap()
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.told.extend(self.ecs.advance(self.now, &self.ecr));
    }

    fn call(&mut self, action: &str, input: &Value) -> Result<Value, ApiError> {
        self.ecs.call(action, input, self.now, &self.ecr)
    }

    fn register(&mut self, definition: &Value) -> String {
        let answer = self.call("RegisterTaskDefinition", definition).unwrap();
        answer["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned()
    }

    /// Brings the service to `tag`, by a new revision. Returns the revision's ARN.
    fn deploy(&mut self, tag: &str) -> String {
        let revision = self.register(&definition(tag));
        self.update(json!({ "taskDefinition": revision })).unwrap();
        revision
    }

    fn update(&mut self, mut input: Value) -> Result<Value, ApiError> {
        input["cluster"] = json!("live-crons");
        input["service"] = json!("Rag");
        self.call("UpdateService", &input)
    }

    fn service(&mut self) -> Value {
        let input = json!({ "cluster": "live-crons", "services": ["Rag"] });
        self.call("DescribeServices", &input).unwrap()["services"][0].clone()
    }

    fn primary(&mut self) -> Value {
        self.service()["deployments"][0].clone()
    }

    fn tasks(&mut self, desired: &str) -> Vec<Value> {
        let list =
            json!({ "cluster": "live-crons", "serviceName": "Rag", "desiredStatus": desired });
        let arns = self.call("ListTasks", &list).unwrap()["taskArns"].clone();
        if arns == json!([]) {
            return Vec::new();
        }
        let describe = json!({ "cluster": "live-crons", "tasks": arns });
        self.call("DescribeTasks", &describe).unwrap()["tasks"].as_array().unwrap().clone()
    }

    /// The digests that wanted tasks run, each once.
    fn digests(&mut self) -> Vec<String> {
        let mut digests: Vec<String> = self
            .tasks("RUNNING")
            .iter()
            .map(|task| task["containers"][0]["imageDigest"].as_str().unwrap_or("none").to_owned())
            .collect();
        digests.sort();
        digests.dedup();
        digests
    }

    /// The details of all events of a kind so far.
    fn details(&self, kind: &str) -> Vec<Value> {
        let own = self.told.iter().filter(|event| event.body["detail-type"] == json!(kind));
        own.map(|event| event.body["detail"].clone()).collect()
    }

    /// The names of the deployment events so far.
    fn deployment_events(&self) -> Vec<String> {
        let details = self.details("ECS Deployment State Change");
        details.iter().map(|detail| detail["eventName"].as_str().unwrap().to_owned()).collect()
    }

    fn name() -> ServiceName {
        ServiceName::new("live-crons", "Rag")
    }
}
