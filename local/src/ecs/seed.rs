//! What runs before the story begins.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Ecs;
use super::deployments::Rollout;
use super::names::ServiceName;
use super::tasks::TaskStatus;
use crate::api::{ApiError, Input};
use crate::ecr::Ecr;

/// A service that has run for a while.
#[derive(Debug, Clone)]
pub struct SeedService {
    /// Where it runs, and its name; the cluster is made if it is missing.
    pub name: ServiceName,
    /// A task definition to register, or the ARN or `family:revision` of one that is registered.
    pub task_definition: Value,
    /// How many tasks it runs.
    pub desired: u32,
    /// The target group it registers with.
    pub target_group: Option<String>,
    /// Further members of `CreateService`.
    pub settings: Value,
    /// Whether it was deployed before ECS kept service revisions: none can be described.
    pub before_service_revisions: bool,
}

impl SeedService {
    /// One task, no load balancer, ECS's defaults.
    pub fn new(cluster: &str, service: &str, task_definition: Value) -> Self {
        Self {
            name: ServiceName::new(cluster, service),
            task_definition,
            desired: 1,
            target_group: None,
            settings: json!({}),
            before_service_revisions: false,
        }
    }
}

impl Ecs {
    /// Makes a service with a completed deployment and all its tasks running and healthy, as if it had been
    /// so for long: no event is told, no rate is used up. Returns its task definition's ARN.
    pub fn seed_service(
        &mut self,
        seed: &SeedService,
        ecr: &Ecr,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        self.run(now, ecr);
        let told = self.bus.len();
        let SeedService { name, desired, .. } = seed;
        self.clusters.entry(name.cluster.clone()).or_default();
        let definition = self.seed_definition(&seed.task_definition, now)?;
        let mut input = seed.settings.clone();
        input["cluster"] = json!(name.cluster);
        input["serviceName"] = json!(name.service);
        input["taskDefinition"] = json!(definition);
        input["desiredCount"] = json!(desired);
        if let Some(group) = &seed.target_group {
            let plans = self.definitions.usable(&definition)?.containers();
            let container = plans.first().map(|plan| plan.name.as_str());
            input["loadBalancers"] = json!([{
                "targetGroupArn": group, "containerName": container, "containerPort": 80,
            }]);
        }
        self.create_service(Input(&input), now, ecr)?;
        self.start_missing(name, Some(usize::MAX), now); // native strategies would start them later
        if seed.before_service_revisions {
            for revision in self.revisions.values_mut().filter(|own| own.is_of(name)) {
                revision.forgotten = true;
            }
        }
        let own = self.tasks.of(name);
        for arn in own.map(|task| task.arn.clone()).collect::<Vec<_>>() {
            self.settle_task(&arn, now, ecr)?;
        }
        let reached = |service: &super::Service| {
            service.deployments.first().is_some_and(|own| own.rollout == Rollout::InProgress)
        };
        if self.services.get(name).is_some_and(reached) {
            self.complete(name, now);
        }
        if let Some(service) = self.services.get_mut(name) {
            service.steady = true;
            service.seen.clear();
        }
        self.remember(name, now);
        self.bus.truncate(told);
        Ok(definition)
    }

    /// Registers a task definition, or finds the one that is named, and returns its ARN.
    pub fn seed_definition(
        &mut self,
        definition: &Value,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        if let Some(reference) = definition.as_str() {
            return Ok(self.definitions.usable(reference)?.arn.clone());
        }
        let answer = self.register_task_definition(Input(definition), now)?;
        Ok(answer["taskDefinition"]["taskDefinitionArn"].as_str().unwrap_or_default().to_owned())
    }

    /// Lets a task have started long ago.
    fn settle_task(&mut self, arn: &str, now: Timestamp, ecr: &Ecr) -> Result<(), ApiError> {
        let images = self.look_up(arn, ecr);
        let Some(task) = self.tasks.get_mut(arn) else { return Ok(()) };
        for (container, bytes) in task.containers.iter_mut().zip(images) {
            let image = &container.plan.image;
            let missing = || {
                let why = format!("a seeded service cannot run {image}: push that image first");
                ApiError::refused("InvalidParameterException", why)
            };
            container.bytes = Some(bytes.ok_or_else(missing)?);
        }
        task.status = TaskStatus::Running;
        task.pull_started_at = Some(now);
        task.pull_stopped_at = Some(now);
        task.started_at = Some(now);
        self.plan_life(arn, now);
        self.pass(arn, now);
        Ok(())
    }
}
