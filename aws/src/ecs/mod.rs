//! ECS: what services run, and the few calls that change it.

mod definition;
mod native;
mod one_off;
mod service;
mod task;

#[cfg(test)]
mod tests;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::StopServiceDeploymentStopType;
use aws_types::SdkConfig;
use tidegate_core::model::Digest;

use crate::attempts::Attempts;
use crate::json::JsonService;
use crate::{Clock, Refusal};

pub use definition::RawTaskDefinition;
pub use native::ServiceRevision;
pub use one_off::{Launch, OneOff};
pub use service::{Look, Seen};
pub use task::{RunningTask, StoppedTask};

/// ECS in one region.
#[derive(Debug, Clone)]
pub struct Ecs {
    client: Client,
    /// For task definitions, which its types would cut down.
    raw: JsonService,
    clock: Clock,
}

/// What runs in one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerImage {
    /// The container's name.
    pub container: String,
    /// The image as the task definition names it.
    pub image: String,
    /// The bytes, where ECS knows them.
    pub digest: Option<Digest>,
}

impl ContainerImage {
    fn new(container: Option<&str>, image: Option<&str>, digest: Option<&str>) -> Self {
        Self {
            container: container.unwrap_or_default().to_owned(),
            image: image.unwrap_or_default().to_owned(),
            digest: digest.and_then(|digest| digest.parse().ok()),
        }
    }
}

impl Ecs {
    /// ECS where `config` points.
    pub fn new(config: &SdkConfig, clock: &Clock) -> Self {
        let target = "AmazonEC2ContainerServiceV20141113";
        let raw = JsonService { config: config.clone(), name: "ecs", target, version: "1.1" };
        let own = aws_sdk_ecs::config::Builder::from(config).interceptor(Attempts).build();
        Self { client: Client::from_conf(own), raw, clock: clock.clone() }
    }

    /// Brings `revision` into the service, and returns the id of the deployment that does it.
    ///
    /// The request names the task definition and nothing else: whatever is left out keeps its value,
    /// and an empty list would remove what is there.
    pub async fn update_service(
        &self,
        cluster: &str,
        service: &str,
        revision: &str,
    ) -> Result<Option<String>, Refusal> {
        let answer = self
            .client
            .update_service()
            .cluster(cluster)
            .service(service)
            .task_definition(revision)
            .send()
            .await
            .map_err(Refusal::of("ecs:UpdateService", in_cluster(cluster, service)))?;
        let deployments = answer.service().map_or(&[][..], |service| service.deployments());
        let primary = deployments.iter().find(|deployment| deployment.status() == Some("PRIMARY"));
        Ok(primary.and_then(|deployment| deployment.id()).map(str::to_owned))
    }

    /// Tells ECS to give up a native deployment in flight and to bring the old revision back.
    pub async fn stop_service_deployment(&self, arn: &str) -> Result<(), Refusal> {
        self.client
            .stop_service_deployment()
            .service_deployment_arn(arn)
            .stop_type(StopServiceDeploymentStopType::Rollback)
            .send()
            .await
            .map_err(Refusal::of("ecs:StopServiceDeployment", arn))?;
        Ok(())
    }
}

fn in_cluster(cluster: &str, name: &str) -> String {
    format!("{cluster}/{name}")
}
