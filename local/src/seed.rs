//! What is there before the story begins: what a config names, running a baseline.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tidegate_core::config::{
    Check, ImageConfig, Parameters, PipelineConfig, Role, Running, TargetConfig, TargetName,
    TaskConfig,
};
use tidegate_core::model::{TargetKind, repository_uri};

use crate::api::{ApiError, Place};
use crate::cloud::{Behind, Cloud};
use crate::ecr::{digest_of, manifest};
use crate::ecs::{SeedService, ServiceName};
use crate::lightsail::Lightsail;
use crate::places::{self, place_of};
use crate::secrets::Secrets;

/// The baseline was pushed the day before: nobody mistakes it for news.
const BASELINE_AGE: Duration = Duration::from_secs(86_400);

/// The values that the template's parameters must have, for the services that [`fleet`] makes.
pub fn parameters(pipelines: &[PipelineConfig]) -> BTreeMap<String, String> {
    let forwarding = places::forwarding_accounts(pipelines);
    parameters_of(pipelines, None).into_iter().chain(forwarding).collect()
}

/// The same for what the functions reach as `role`.
pub fn parameters_of(
    pipelines: &[PipelineConfig],
    role: Option<&Role>,
) -> BTreeMap<String, String> {
    let mut running = Running::default();
    for pipeline in pipelines.iter().filter(|pipeline| pipeline.role.as_ref() == role) {
        let place = place_of(pipeline);
        let targets = pipeline.waves.iter().flatten();
        let on_ecs = targets.filter(|it| it.name.parts().0 != TargetKind::Lightsail);
        let services = on_ecs.map(|target| family(target.name.parts().1));
        let tasks = pipeline.pre_deploy.iter().map(|task| task.task_definition.clone());
        running.task_definitions.extend(
            services
                .chain(tasks)
                .map(|family| place.arn("ecs", &format!("task-definition/{family}:1"))),
        );
        running.roles.extend(roles(pipeline));
        for (kind, name) in pipeline.waves.iter().flatten().map(|target| target.name.parts()) {
            match kind {
                TargetKind::Service | TargetKind::Task => {}
                TargetKind::Schedule | TargetKind::Rule => {
                    running.schedule_roles.insert(schedule_role(pipeline));
                }
                TargetKind::Lightsail => {
                    running.lightsail.insert(Lightsail::arn(&place, name));
                }
            }
        }
    }
    let values = Parameters::new(pipelines, role, &running);
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
                    let registry = Place::new(&image.registry.account, &image.registry.region);
                    let ecr = cloud.ecr.at(&registry);
                    ecr.seed_image(&image.repository, &tag, self.behaviour, pushed)?;
                }
            }
            for target in pipeline.waves.iter().flatten() {
                match &target.name {
                    TargetName::Service(name) => {
                        let definition = task_definition(pipeline, target);
                        let mut seed = SeedService::new(&pipeline.cluster, name, definition);
                        seed.settings["networkConfiguration"] = network();
                        (self.refit)(&mut seed);
                        let (ecs, ecr) = cloud.ecs_at(&place_of(pipeline));
                        ecs.seed_service(&seed, ecr, now)?;
                    }
                    other if place_of(pipeline) != cloud.place => {
                        let why = format!("the local AWS plays {other} in its own place only");
                        return Err(ApiError::refused("UnknownOperationException", why));
                    }
                    TargetName::Schedule(_) | TargetName::Rule(_) => {
                        scheduled(cloud, pipeline, target, now)?;
                    }
                    TargetName::Lightsail(name) => {
                        container_service(cloud, pipeline, target, name, now);
                    }
                }
            }
            for task in &pipeline.pre_deploy {
                let (ecs, _) = cloud.ecs_at(&place_of(pipeline));
                ecs.seed_definition(&task_definition_of_task(pipeline, task), now)?;
            }
            around(cloud, pipeline, pushed)?;
            checks(cloud, pipeline, pushed);
        }
        Ok(())
    }
}

/// What the task definitions name: roles, a secret, a log group.
fn around(cloud: &mut Cloud, pipeline: &PipelineConfig, now: Timestamp) -> Result<(), ApiError> {
    for role in roles(pipeline) {
        cloud.iam.seed_task_role(&role);
    }
    cloud.logs.seed(&log_group(pipeline), now);
    let secret = json!({ "Name": secret_name(pipeline), "SecretString": "{}" });
    match cloud.secrets.call("CreateSecret", &secret) {
        // Of another pipeline in the same cluster.
        Err(refused) if refused.code == "ResourceExistsException" => Ok(()),
        made => made.map(drop),
    }
}

fn log_group(pipeline: &PipelineConfig) -> String {
    format!("/ecs/{}", pipeline.cluster)
}

fn secret_name(pipeline: &PipelineConfig) -> String {
    format!("{}-config", pipeline.cluster)
}

/// All services of a pipeline stand behind the URLs of its checks; its alarms are quiet.
fn checks(cloud: &mut Cloud, pipeline: &PipelineConfig, now: Timestamp) {
    for check in &pipeline.checks {
        match check {
            Check::Http(check) => {
                let targets = pipeline.waves.iter().flatten();
                let those = targets.filter_map(|target| match &target.name {
                    TargetName::Service(name) => {
                        Some(Behind::Service(ServiceName::new(&pipeline.cluster, name)))
                    }
                    TargetName::Lightsail(name) => Some(Behind::ContainerService(name.clone())),
                    TargetName::Schedule(_) | TargetName::Rule(_) => None,
                });
                let those: Vec<_> = those.collect();
                cloud.put_behind(&check.url, &place_of(pipeline), those);
            }
            Check::Alarm { name } => {
                cloud.cloudwatch_at(&place_of(pipeline)).seed(name, false, now);
            }
        }
    }
}

/// A schedule or a rule of a task that runs every five minutes, beside the pipeline's services.
fn scheduled(
    cloud: &mut Cloud,
    pipeline: &PipelineConfig,
    target: &TargetConfig,
    now: Timestamp,
) -> Result<(), ApiError> {
    let place = Place::new(&pipeline.account, &pipeline.region);
    let cluster = json!({ "clusterName": pipeline.cluster });
    cloud.ecs.call("CreateCluster", &cluster, now, &cloud.ecr)?;
    let definition = task_definition(pipeline, target);
    let revision = cloud.ecs.seed_definition(&definition, now)?;
    let id = pipeline.target_id(&target.name);
    let vpc = network();
    let vpc = &vpc["awsvpcConfiguration"];
    let task = json!({
        "TaskDefinitionArn": revision,
        "TaskCount": 1,
        "LaunchType": "FARGATE",
        "NetworkConfiguration": { "awsvpcConfiguration": {
            "Subnets": vpc["subnets"],
            "SecurityGroups": vpc["securityGroups"],
            "AssignPublicIp": vpc["assignPublicIp"],
        } },
    });
    let input = json!({ "containerOverrides": [] }).to_string();
    let mut run = json!({
        "Arn": place.arn("ecs", &format!("cluster/{}", pipeline.cluster)),
        "RoleArn": schedule_role(pipeline),
        "EcsParameters": task,
        "Input": input,
    });
    if id.kind == TargetKind::Rule {
        run["Id"] = json!("task");
        let rule = json!({ "Name": id.name, "ScheduleExpression": "rate(5 minutes)" });
        cloud.scheduled.call_events("PutRule", &rule, now)?;
        let targets = json!({ "Rule": id.name, "Targets": [run] });
        cloud.scheduled.call_events("PutTargets", &targets, now)?;
    } else {
        let schedule = json!({
            "Name": id.name,
            "GroupName": id.within,
            "Description": "as its owner made it",
            "FlexibleTimeWindow": { "Mode": "OFF" },
            "ScheduleExpression": "rate(5 minutes)",
            "Target": run,
        });
        cloud.scheduled.call_scheduler("CreateSchedule", &schedule, now)?;
    }
    Ok(())
}

/// A container service that runs the pipeline's images beside a sidecar from elsewhere.
fn container_service(
    cloud: &mut Cloud,
    pipeline: &PipelineConfig,
    target: &TargetConfig,
    name: &str,
    now: Timestamp,
) {
    let stated = |image: String| {
        json!({ "image": image, "environment": { "SECRET": "plain text, as Lightsail has it" },
                "ports": { "8080": "HTTP" } })
    };
    let images = images_of(pipeline, target).into_iter();
    let mut containers: Map<String, Value> =
        images.map(|(name, image)| (name.clone(), stated(reference(image)))).collect();
    let first = containers.keys().next().cloned();
    containers.insert("sidecar".to_owned(), stated("docker.io/library/redis:7".to_owned()));
    let endpoint = json!({ "containerName": first, "containerPort": 8080,
        "healthCheck": { "path": "/" } });
    cloud.lightsail.seed(name, containers, endpoint, now);
}

/// The role that schedules and rules run their tasks with.
fn schedule_role(pipeline: &PipelineConfig) -> String {
    format!("arn:aws:iam::{}:role/{}-schedule", pipeline.account, pipeline.cluster)
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
    put(cloud, repository, tags, &manifest, now)
}

/// Pushes the image of this manifest to where the repository is, once for each tag; returns its digest.
pub fn put(
    cloud: &mut Cloud,
    repository: &str,
    tags: &[&str],
    manifest: &str,
    now: Timestamp,
) -> Result<String, ApiError> {
    for tag in tags {
        let put =
            json!({ "repositoryName": repository, "imageManifest": manifest, "imageTag": tag });
        cloud.ecr.holding(repository).call("PutImage", &put, now)?;
    }
    Ok(digest_of(manifest))
}

fn family(name: &str) -> String {
    name.to_lowercase().replace(['_', '/', '.'], "-")
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

/// A tag that the image's first pattern selects: that of what runs before the story begins; any, where
/// it is promoted and none does.
pub fn example_tag(image: &ImageConfig) -> String {
    build_tag(image, 0)
}

/// The tag that build number `build` puts on an image; a literal one is moved each time.
pub fn build_tag(image: &ImageConfig, build: u32) -> String {
    let pattern = image.tags.first().map_or("*".to_owned(), ToString::to_string);
    let version = format!("1.{build}.0");
    pattern
        .replace("{sha}", &format!("{:07x}", 0x0a1_b2c3 + u64::from(build)))
        .replace("{version}", &version)
        .replace("{semver}", &version)
        .replace('*', "seed")
}

/// The network that tasks run in.
fn network() -> Value {
    json!({ "awsvpcConfiguration": {
        "subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"], "assignPublicIp": "DISABLED",
    } })
}

/// What a service runs, container by container. Where the config names no containers, each image has
/// one, called like it: those whose repository the service is named after, or else all of them.
fn images_of<'p>(
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
fn task_definition_of_task(pipeline: &PipelineConfig, task: &TaskConfig) -> Value {
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
fn task_definition(pipeline: &PipelineConfig, target: &TargetConfig) -> Value {
    let place = place_of(pipeline);
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
