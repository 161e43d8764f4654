//! What really runs, asked of the models as any client would.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_core::config::{ImageConfig, PipelineConfig, TargetName};
use tidegate_core::definition::{NamedImage, images};

use super::Cloud;
use crate::api::Place;
use crate::ecs::ServiceName;

impl Cloud {
    /// The digests of a pipeline's images that each of its targets runs, or, of a schedule, would run
    /// next; of those repositories only.
    pub fn running(
        &mut self,
        pipeline: &PipelineConfig,
        repositories: &[&str],
        now: Timestamp,
    ) -> BTreeMap<String, BTreeSet<String>> {
        let released = pipeline.images.values();
        let uris: Vec<_> = released
            .filter(|image| repositories.contains(&&*image.repository))
            .map(ImageConfig::uri)
            .collect();
        let mut running = BTreeMap::new();
        for target in pipeline.waves.iter().flatten() {
            let ours = |image: &NamedImage| {
                let all = target.containers.is_empty();
                (all || target.containers.contains_key(&image.container))
                    && uris.iter().any(|uri| image.repository() == uri)
            };
            let digests = match &target.name {
                TargetName::Service(name) => {
                    let service = ServiceName::new(&pipeline.cluster, name);
                    self.of_service(&Place::of(pipeline), &service, ours, now)
                }
                other => {
                    let named = self.named(pipeline, other, now);
                    let pulled = named.iter().filter(|image| ours(image));
                    pulled.filter_map(|image| Some(self.ecr.pull(&image.image)?.digest)).collect()
                }
            };
            running.insert(target.name.to_string(), digests);
        }
        running
    }

    /// What the running tasks of a service show.
    fn of_service(
        &mut self,
        place: &Place,
        service: &ServiceName,
        ours: impl Fn(&NamedImage) -> bool,
        now: Timestamp,
    ) -> BTreeSet<String> {
        let (ecs, ecr) = self.ecs_at(place);
        let tasks = ecs.running_tasks(service);
        if tasks.is_empty() {
            return BTreeSet::new(); // ECS refuses to describe no task
        }
        let input = json!({ "cluster": service.cluster, "tasks": tasks });
        let described = ecs.call("DescribeTasks", &input, now, ecr).unwrap_or_default();
        let tasks = described["tasks"].as_array().cloned().unwrap_or_default();
        let containers = tasks.iter().filter_map(|task| task["containers"].as_array()).flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        containers
            .filter(|it| {
                ours(&NamedImage { container: text(&it["name"]), image: text(&it["image"]) })
            })
            .filter_map(|it| it["imageDigest"].as_str().map(str::to_owned))
            .collect()
    }

    /// The images that a schedule's revision, or a container service's deployment, names.
    fn named(
        &mut self,
        pipeline: &PipelineConfig,
        name: &TargetName,
        now: Timestamp,
    ) -> Vec<NamedImage> {
        let id = pipeline.target_id(name);
        let revision = match name {
            TargetName::Service(_) => return Vec::new(),
            TargetName::Schedule(_) => {
                let named = json!({ "Name": id.name, "GroupName": id.within });
                let shown = self.scheduled.call_scheduler("GetSchedule", &named, now);
                shown.unwrap_or_default()["Target"]["EcsParameters"].take()
            }
            TargetName::Rule(_) => {
                let named = json!({ "Rule": id.name });
                let shown = self.scheduled.call_events("ListTargetsByRule", &named, now);
                shown.unwrap_or_default()["Targets"][0]["EcsParameters"].take()
            }
            TargetName::Lightsail(_) => {
                let named = json!({ "serviceName": id.name });
                let shown = self.lightsail.call("GetContainerServices", &named, now, &self.ecr);
                let shown = shown.unwrap_or_default();
                let containers = &shown["containerServices"][0]["currentDeployment"]["containers"];
                let containers = containers.as_object().into_iter().flatten();
                let named = containers.filter_map(|(name, stated)| {
                    let image = stated["image"].as_str()?.to_owned();
                    Some(NamedImage { container: name.clone(), image })
                });
                return named.collect();
            }
        };
        let input = json!({ "taskDefinition": revision["TaskDefinitionArn"] });
        let shown = self.ecs.call("DescribeTaskDefinition", &input, now, &self.ecr);
        images(&shown.unwrap_or_default()["taskDefinition"])
    }
}
