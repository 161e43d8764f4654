//! A schedule's services, as ECS has them before the story begins.

use serde_json::json;

use super::{Schedule, Service, Strategy};
use crate::api::Place;
use crate::ecs::SeedService;

impl Schedule {
    /// Makes a seeded service the one that the schedule says.
    pub fn refit(&self, seed: &mut SeedService) {
        let name = &seed.name.service;
        let service = self.services().find(|it| it.name == *name);
        if let (Some(service), Some(pipeline)) = (service, self.pipeline_of(name)) {
            service.refit(&pipeline.place(), seed);
        }
    }
}

impl Service {
    fn refit(&self, place: &Place, seed: &mut SeedService) {
        seed.desired = self.desired;
        seed.before_service_revisions = self.before_revisions;
        seed.target_group = self.balanced.then(|| {
            place
                .arn("elasticloadbalancing", &format!("targetgroup/{}/0123456789abcdef", self.name))
        });
        match self.strategy {
            Strategy::Plain => {}
            Strategy::Breaker { rollback, count } => {
                seed.settings["deploymentConfiguration"] = json!({ "deploymentCircuitBreaker": {
                    "enable": true,
                    "rollback": rollback,
                    "thresholdConfiguration": { "type": "COUNT", "value": count },
                } });
            }
            Strategy::BlueGreen => {
                seed.settings["deploymentConfiguration"] =
                    json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1 });
            }
        }
        if !self.consistent {
            let containers = seed.task_definition["containerDefinitions"].as_array_mut();
            for container in containers.into_iter().flatten() {
                container["versionConsistency"] = json!("disabled");
            }
        }
    }
}
