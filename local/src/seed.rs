//! What is there before the story begins: what a config names, running a baseline.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_core::config::{ImageConfig, Parameters, PipelineConfig, Running, TargetConfig};
use tidegate_core::model::repository_uri;

use crate::api::{ApiError, Place};
use crate::cloud::Cloud;
use crate::ecr::{digest_of, manifest};
use crate::ecs::SeedService;

/// The baseline was pushed the day before: nobody mistakes it for news.
const BASELINE_AGE: Duration = Duration::from_secs(86_400);

/// The values that the template's parameters must have, for the services that [`fleet`] makes.
pub fn parameters(pipelines: &[PipelineConfig]) -> BTreeMap<String, String> {
    let mut running = Running::default();
    for pipeline in pipelines {
        let place = Place::new(&pipeline.account, &pipeline.region);
        for target in pipeline.waves.iter().flatten() {
            let family = family(&target.service);
            let revision = place.arn("ecs", &format!("task-definition/{family}:1"));
            running.task_definitions.insert(revision);
        }
        running.roles.extend(roles(pipeline));
    }
    let values = Parameters::new(pipelines, &running);
    let join = |arns: &BTreeSet<String>| arns.iter().cloned().collect::<Vec<_>>().join(",");
    values.all().into_iter().map(|(name, arns)| (name.to_owned(), join(arns))).collect()
}

/// Makes the repositories, clusters and services that `pipelines` name, each service running the
/// image that its pipeline's first tag pattern would select.
pub fn fleet(
    cloud: &mut Cloud,
    pipelines: &[PipelineConfig],
    now: Timestamp,
) -> Result<(), ApiError> {
    Fleet::default().launch(cloud, pipelines, now)
}

/// What is different about a fleet.
#[derive(Clone, Copy)]
pub struct Fleet<'a> {
    /// How its images behave.
    pub behaviour: &'a str,
    /// What is changed about each service before it runs.
    pub refit: &'a dyn Fn(&mut SeedService),
}

impl Default for Fleet<'_> {
    fn default() -> Self {
        Self { behaviour: "healthy", refit: &|_| () }
    }
}

impl fmt::Debug for Fleet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("behaviour", &self.behaviour).finish_non_exhaustive()
    }
}

impl Fleet<'_> {
    /// Makes what `pipelines` name.
    pub fn launch(
        &self,
        cloud: &mut Cloud,
        pipelines: &[PipelineConfig],
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let pushed = now - BASELINE_AGE;
        for pipeline in pipelines {
            for image in pipeline.images.values() {
                let tag = example_tag(image);
                if cloud.ecr.pull(&reference(image)).is_none() {
                    cloud.ecr.seed_image(&image.repository, &tag, self.behaviour, pushed)?;
                }
            }
            for target in pipeline.waves.iter().flatten() {
                let definition = task_definition(pipeline, target);
                let mut seed = SeedService::new(&pipeline.cluster, &target.service, definition);
                (self.refit)(&mut seed);
                cloud.ecs.seed_service(&seed, &cloud.ecr, now)?;
            }
        }
        Ok(())
    }
}

/// Pushes an image that behaves so, once for each tag, as a build does; returns its digest.
pub fn push(
    cloud: &mut Cloud,
    repository: &str,
    tags: &[&str],
    behaviour: &str,
    now: Timestamp,
) -> Result<String, ApiError> {
    let manifest = manifest(&format!("{repository} {behaviour} {now}"), behaviour);
    for tag in tags {
        let put =
            json!({ "repositoryName": repository, "imageManifest": manifest, "imageTag": tag });
        cloud.ecr.call("PutImage", &put, now)?;
    }
    Ok(digest_of(&manifest))
}

fn family(service: &str) -> String {
    service.to_lowercase().replace('_', "-")
}

fn roles(pipeline: &PipelineConfig) -> [String; 2] {
    ["task", "execution"]
        .map(|kind| format!("arn:aws:iam::{}:role/{}-{kind}", pipeline.account, pipeline.cluster))
}

fn reference(image: &ImageConfig) -> String {
    let registry = &image.registry;
    let uri = repository_uri(&registry.account, &registry.region, &image.repository);
    format!("{uri}:{}", example_tag(image))
}

/// A tag that the image's first pattern selects; any, where it is promoted and none does.
pub fn example_tag(image: &ImageConfig) -> String {
    let pattern = image.tags.first().map_or("*".to_owned(), ToString::to_string);
    pattern
        .replace("{sha}", "0a1b2c3")
        .replace("{version}", "1.0.0")
        .replace("{semver}", "1.0.0")
        .replace('*', "seed")
}

/// A task definition as teams have them: one image for many services, told apart by `command`; a
/// secret, a log configuration, and a sidecar that no release may touch.
fn task_definition(pipeline: &PipelineConfig, target: &TargetConfig) -> Value {
    let place = Place::new(&pipeline.account, &pipeline.region);
    let [task_role, execution_role] = roles(pipeline);
    let family = family(&target.service);
    let log = json!({
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": format!("/ecs/{}", pipeline.cluster),
            "awslogs-region": pipeline.region,
            "awslogs-stream-prefix": family,
        },
    });
    let secret = place.arn("secretsmanager", &format!("secret:{}-config-AbCdEf", pipeline.cluster));
    // Where the config names no containers, each image of the pipeline has one, called like it.
    let own = target
        .containers
        .iter()
        .filter_map(|(name, image)| pipeline.images.get(image).map(|image| (name, image)));
    let named: Vec<_> = own.collect();
    let images = if named.is_empty() { pipeline.images.iter().collect() } else { named };
    let mut containers: Vec<Value> = images
        .into_iter()
        .map(|(name, image)| {
            json!({
                "name": name,
                "image": reference(image),
                "essential": true,
                "command": ["node", "worker.js", target.service],
                "environment": [{ "name": "SERVICE", "value": target.service }],
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
