//! What is there before the story begins: what a config names, running a baseline.

mod definition;
mod images;
mod lent;
mod others;
mod values;

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tidegate_core::config::{Check, PipelineConfig, TargetName};

use self::definition::{
    log_group, network, roles, secret_name, task_definition, task_definition_of_task,
};
use self::images::reference;
use self::lent::lend;
use self::others::{container_service, scheduled};
use crate::api::{ApiError, Place};
use crate::cloud::{Behind, Cloud};
use crate::ecs::{SeedService, ServiceName};

pub use self::images::{build_tag, example_tag, push, put};
pub use self::values::parameters_of;

/// The baseline was pushed the day before: nobody mistakes it for news.
const BASELINE_AGE: Duration = Duration::from_secs(86_400);

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
        self.push(cloud, pipelines, pushed)?;
        lend(cloud, pipelines, now)?;
        for pipeline in pipelines {
            for target in pipeline.waves.iter().flatten() {
                match &target.name {
                    TargetName::Service(name) => {
                        let definition = task_definition(pipeline, target);
                        let mut seed = SeedService::new(&pipeline.cluster, name, definition);
                        seed.settings["networkConfiguration"] = network();
                        (self.refit)(&mut seed);
                        let (ecs, ecr) = cloud.ecs_at(&Place::of(pipeline));
                        ecs.seed_service(&seed, ecr, now)?;
                    }
                    other if Place::of(pipeline) != cloud.place => {
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
                let (ecs, _) = cloud.ecs_at(&Place::of(pipeline));
                ecs.seed_definition(&task_definition_of_task(pipeline, task), now)?;
            }
            around(cloud, pipeline, pushed)?;
            checks(cloud, pipeline, pushed);
        }
        Ok(())
    }

    /// The repositories, each with the image that runs before the story begins.
    fn push(
        &self,
        cloud: &mut Cloud,
        pipelines: &[PipelineConfig],
        pushed: Timestamp,
    ) -> Result<(), ApiError> {
        for image in pipelines.iter().flat_map(|pipeline| pipeline.images.values()) {
            let tag = example_tag(image);
            if cloud.ecr.pull(&reference(image)).is_none() {
                let registry = Place::new(&image.registry.account, &image.registry.region);
                let ecr = cloud.ecr.at(&registry);
                ecr.seed_image(&image.repository, &tag, self.behaviour, pushed)?;
            }
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
                cloud.put_behind(&check.url, &Place::of(pipeline), those);
            }
            Check::Alarm { name } => {
                cloud.cloudwatch_at(&Place::of(pipeline)).seed(name, now);
            }
        }
    }
}
