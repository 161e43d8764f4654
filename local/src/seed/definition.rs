//! Task definitions as teams have them, and the names of what stands around them.

use serde_json::{Value, json};
use tidegate_core::config::{ImageConfig, PipelineConfig, TargetConfig, TaskConfig};

use super::images::reference;
use crate::api::Place;
use crate::secrets::Secrets;

pub(super) fn log_group(pipeline: &PipelineConfig) -> String {
    format!("/ecs/{}", pipeline.cluster)
}

pub(super) fn secret_name(pipeline: &PipelineConfig) -> String {
    format!("{}-config", pipeline.cluster)
}

pub(super) fn family(name: &str) -> String {
    name.to_lowercase().replace(['_', '/', '.'], "-")
}

pub(super) fn roles(pipeline: &PipelineConfig) -> [String; 2] {
    ["task", "execution"]
        .map(|kind| format!("arn:aws:iam::{}:role/{}-{kind}", pipeline.account, pipeline.cluster))
}

/// The role that schedules and rules run their tasks with.
pub(super) fn schedule_role(pipeline: &PipelineConfig) -> String {
    format!("arn:aws:iam::{}:role/{}-schedule", pipeline.account, pipeline.cluster)
}

/// The cluster that schedules and rules run their tasks in: the pipeline's, or the one that every
/// account has.
pub(super) fn schedule_cluster(pipeline: &PipelineConfig) -> &str {
    if pipeline.cluster.is_empty() { "default" } else { &pipeline.cluster }
}

/// The network that tasks run in.
pub(super) fn network() -> Value {
    json!({ "awsvpcConfiguration": {
        "subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"], "assignPublicIp": "DISABLED",
    } })
}

/// What a service runs, container by container. Where the config names no containers, each image has
/// one, called like it: those whose repository the service is named after, or else all of them.
pub(super) fn images_of<'p>(
    pipeline: &'p PipelineConfig,
    target: &'p TargetConfig,
) -> Vec<(&'p String, &'p ImageConfig)> {
    let named = target.containers.iter();
    let named: Vec<_> =
        named.filter_map(|(name, image)| Some((name, pipeline.images.get(image)?))).collect();
    if !named.is_empty() {
        return named;
    }
    let own =
        pipeline.images.iter().filter(|(_, image)| is_named_after(target.name.parts().1, image));
    let own: Vec<_> = own.collect();
    if own.is_empty() { pipeline.images.iter().collect() } else { own }
}

/// `scr-api-migrate` and `scr-api-production` are named after `scr-api`.
fn is_named_after(name: &str, image: &ImageConfig) -> bool {
    name.contains(image.repository.rsplit('/').next().unwrap_or_default())
}

/// A task definition of a one-off task: one container, of the image that its family is named after.
pub(super) fn task_definition_of_task(pipeline: &PipelineConfig, task: &TaskConfig) -> Value {
    let named = pipeline.images.values().find(|image| is_named_after(&task.task_definition, image));
    let image = named.or_else(|| pipeline.images.values().next()).map(reference);
    let target = TargetConfig::service(&task.task_definition);
    let mut definition = task_definition(pipeline, &target);
    definition["family"] = json!(task.task_definition);
    if let Some(containers) = definition["containerDefinitions"].as_array_mut() {
        containers.truncate(1);
        containers[0]["name"] = json!(task.container);
        containers[0]["image"] = json!(image);
    }
    definition
}

/// A task definition as teams have them: one image for many services, told apart by `command`; a
/// secret, a log configuration, and a sidecar that no release may touch.
pub(super) fn task_definition(pipeline: &PipelineConfig, target: &TargetConfig) -> Value {
    let place = Place::of(pipeline);
    let [task_role, execution_role] = roles(pipeline);
    let name = target.name.parts().1;
    let family = family(name);
    let log = json!({
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": log_group(pipeline),
            "awslogs-region": pipeline.region,
            "awslogs-stream-prefix": family,
        },
    });
    let secret = Secrets::new(&place).arn(&secret_name(pipeline));
    let images = images_of(pipeline, target);
    let mut containers: Vec<Value> = images
        .into_iter()
        .map(|(container, image)| {
            json!({
                "name": container,
                "image": reference(image),
                "essential": true,
                "command": ["node", "worker.js", name],
                "environment": [{ "name": "SERVICE", "value": name }],
                "secrets": [{ "name": "CONFIG", "valueFrom": secret }],
                "logConfiguration": log,
                "mountPoints": [],
                "portMappings": [],
                "volumesFrom": [],
            })
        })
        .collect();
    containers.push(json!({
        "name": "log-router",
        "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable",
        "essential": false,
        "firelensConfiguration": { "type": "fluentbit" },
    }));
    json!({
        "family": family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "runtimePlatform": { "cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX" },
        "cpu": "256",
        "memory": "512",
        "taskRoleArn": task_role,
        "executionRoleArn": execution_role,
        "containerDefinitions": containers,
        "tags": [{ "key": "team", "value": "platform" }],
    })
}
