//! What somebody else does to targets: a console, Terraform, autoscaling, chance.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::acts::Hands;
use super::moves::DEFAULT;
use super::schedule::{Act, CLUSTER, Pipeline, Schedule, Target, TargetKind};
use crate::api::{Input, Place};
use crate::call::Scope;
use crate::cloud::Cloud;
use crate::ecr::{Ecr, digest_of};
use crate::ecs::{Ecs, ServiceName};

impl Hands {
    pub(super) fn acts(&self, schedule: &Schedule, service: &str, act: Act) {
        let Some(pipeline) = schedule.pipeline_of(service) else { return };
        let (place, name) = (pipeline.place(), ServiceName::new(CLUSTER, service));
        let look = |cloud: &Cloud| cloud.ecs_of(&place).running_tasks(&name).pop();
        let task = || self.twin.world.look(look).unwrap_or_default();
        match act {
            Act::Deploys { newest } => self.deploys(schedule, pipeline, &name, newest),
            Act::Forces => self.updates(pipeline, service, json!({ "forceNewDeployment": true })),
            Act::Scales(desired) => {
                self.at(&place, |ecs, ecr, now| ecs.autoscale(&name, desired, now, ecr));
            }
            Act::TakesSpot => {
                let task = task();
                self.at(&place, |ecs, ecr, now| ecs.interrupt_spot(&task, now, ecr));
            }
            Act::StopsTask => {
                let task = task();
                self.at(&place, |ecs, ecr, now| ecs.stop_by_user(&task, now, ecr));
            }
            // A service has no such switch.
            Act::Disables => {}
            Act::FindsNoPlace(tasks) => {
                self.at(&place, |ecs, _, _| ecs.fail_placement(&name, tasks));
            }
            Act::Exits(code) => {
                let task = task();
                self.at(&place, |ecs, ecr, now| {
                    ecs.exit_task(&task, code, now, ecr);
                });
            }
            Act::Deregisters => {
                if let Some(revision) = self.revision(pipeline, &name) {
                    let input = json!({ "taskDefinition": revision });
                    self.calls(self.scope(pipeline), "ecs", "DeregisterTaskDefinition", input);
                }
            }
        }
    }

    /// What happens in ECS without a call.
    fn at(&self, place: &Place, act: impl FnOnce(&mut Ecs, &Ecr, Timestamp)) {
        self.twin.world.with(|cloud, now| {
            let (ecs, ecr) = cloud.ecs_at(place);
            act(ecs, ecr, now);
        });
    }

    fn revision(&self, pipeline: &Pipeline, name: &ServiceName) -> Option<String> {
        let place = pipeline.place();
        self.twin.world.look(|cloud| Some(cloud.ecs_of(&place).primary(name)?.definition))
    }

    fn updates(&self, pipeline: &Pipeline, service: &str, mut input: Value) {
        input["cluster"] = json!(CLUSTER);
        input["service"] = json!(service);
        self.calls(self.scope(pipeline), "ecs", "UpdateService", input);
    }

    /// Brings in what runs with more cpu, and with the newest bytes or the same.
    fn deploys(&self, schedule: &Schedule, pipeline: &Pipeline, name: &ServiceName, newest: bool) {
        let Some(primary) = self.revision(pipeline, name) else { return };
        if let Some(revision) = self.registers(schedule, pipeline, &primary, newest) {
            self.updates(pipeline, &name.service, json!({ "taskDefinition": revision }));
        }
    }

    /// Changes what is no service.
    pub(super) fn changes(&self, schedule: &Schedule, target: &Target, act: Act) {
        let name = &target.name;
        let Some(pipeline) = schedule.pipeline_of(name) else { return };
        match target.kind {
            TargetKind::Lightsail => self.states_anew(name),
            TargetKind::Schedule => {
                let there = |cloud: &Cloud| cloud.scheduled.schedule_of(DEFAULT, name).cloned();
                let Some(mut whole) = self.twin.world.look(there) else { return };
                if act == Act::Disables {
                    whole["State"] = json!("DISABLED");
                } else if !self.names_another(schedule, pipeline, &mut whole["Target"], act) {
                    return;
                }
                self.calls(Scope::default(), "scheduler", "UpdateSchedule", whole);
            }
            TargetKind::Rule => {
                let there = |cloud: &Cloud| cloud.scheduled.rule_target_of(name).cloned();
                let Some(mut target) = self.twin.world.look(there) else { return };
                if self.names_another(schedule, pipeline, &mut target, act) {
                    let input = json!({ "Rule": name, "Targets": [target] });
                    self.calls(Scope::default(), "events", "PutTargets", input);
                }
            }
        }
    }

    /// Another revision of the task that a schedule or a rule runs.
    fn names_another(
        &self,
        schedule: &Schedule,
        pipeline: &Pipeline,
        target: &mut Value,
        act: Act,
    ) -> bool {
        let named = &mut target["EcsParameters"]["TaskDefinitionArn"];
        let newest = act == (Act::Deploys { newest: true });
        let made = self.registers(schedule, pipeline, named.as_str().unwrap_or_default(), newest);
        made.map(|revision| *named = revision).is_some()
    }

    /// A deployment of the same containers, with a newer sidecar.
    fn states_anew(&self, name: &str) {
        let Some(mut active) = self.twin.world.look(|cloud| cloud.lightsail.active(name)) else {
            return;
        };
        active["containers"]["sidecar"]["image"] = json!("docker.io/library/redis:8");
        let input = json!({ "serviceName": name, "containers": active["containers"],
            "publicEndpoint": active["publicEndpoint"] });
        self.calls(Scope::default(), "lightsail", "CreateContainerServiceDeployment", input);
    }

    /// Registers a revision with more cpu, and with the newest bytes or the same; its ARN.
    fn registers(
        &self,
        schedule: &Schedule,
        pipeline: &Pipeline,
        revision: &str,
        newest: bool,
    ) -> Option<Value> {
        let place = pipeline.place();
        let there = |cloud: &Cloud| Some(cloud.ecs_of(&place).definition(revision)?.0.clone());
        let definition = self.twin.world.look(there)?;
        let mut next = registrable(&definition);
        next["cpu"] = json!("512");
        let containers = next["containerDefinitions"].as_array_mut();
        for container in containers.into_iter().flatten().filter(|_| newest) {
            let repository = Input(container).text("name").unwrap_or_default().to_owned();
            let images = schedule.pipelines.iter().flat_map(|pipeline| &pipeline.images);
            let known = images.into_iter().any(|image| image.repository == repository);
            let last = self.pushed.get(&repository).and_then(|pushed| pushed.last());
            if let (true, Some(last)) = (known, last) {
                let image = Input(container).text("image").unwrap_or_default();
                let uri = image.split(['@', ':']).next().unwrap_or_default();
                container["image"] = json!(format!("{uri}@{}", digest_of(last)));
            }
        }
        let made = self.calls(self.scope(pipeline), "ecs", "RegisterTaskDefinition", next)?;
        Some(made["taskDefinition"]["taskDefinitionArn"].clone())
    }
}

/// What of a described definition can be registered again.
fn registrable(definition: &Value) -> Value {
    let taken = [
        "family",
        "networkMode",
        "requiresCompatibilities",
        "runtimePlatform",
        "cpu",
        "memory",
        "taskRoleArn",
        "executionRoleArn",
        "containerDefinitions",
    ];
    taken.into_iter().map(|name| (name.to_owned(), definition[name].clone())).collect()
}
