//! One-off tasks: started beside a service, looked at until they end.

use aws_sdk_ecs::types::{
    CapacityProviderStrategyItem, ContainerOverride, DesiredStatus, LaunchType,
    NetworkConfiguration, Task, TaskOverride,
};
use tidegate_core::marks::{self, TASK_GROUP};
use tidegate_core::sighting::TaskSighting;

use super::task::{Which, failure, family_of};
use super::{Ecs, in_cluster};
use crate::Refusal;

/// Where and how a service's tasks run: what a task takes that runs beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    network: Option<NetworkConfiguration>,
    launch_type: Option<LaunchType>,
    providers: Vec<CapacityProviderStrategyItem>,
    platform: Option<String>,
}

/// A one-off task to be started.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOff<'a> {
    /// The ECS cluster's name.
    pub cluster: &'a str,
    /// The task's name in the config.
    pub name: &'a str,
    /// The ARN of the revision it runs from.
    pub revision: &'a str,
    /// The container that gets the command.
    pub container: &'a str,
    /// What it runs there.
    pub command: &'a [String],
    /// The same token is the same task, however often it is sent.
    pub token: &'a str,
}

impl Ecs {
    /// How a service's tasks are launched. ECS shows a launch type or providers, never both.
    pub async fn launch_of(&self, cluster: &str, service: &str) -> Result<Launch, Refusal> {
        const ACTION: &str = "ecs:DescribeServices";
        let resource = in_cluster(cluster, service);
        let call = self.client.describe_services().cluster(cluster).services(service);
        let answer = call.send().await.map_err(Refusal::of(ACTION, &resource))?;
        let service = answer.services.unwrap_or_default().pop().ok_or_else(|| {
            let words = "the service whose network the task takes is not there";
            Refusal::in_answer(ACTION, &resource, "ServiceNotFoundException", words)
        })?;
        Ok(Launch {
            network: service.network_configuration,
            launch_type: service.launch_type,
            providers: service.capacity_provider_strategy.unwrap_or_default(),
            platform: service.platform_version,
        })
    }

    /// Starts a task and returns its ARN; the same token again returns the same one.
    pub async fn run_task(&self, task: &OneOff<'_>, launch: Launch) -> Result<String, Refusal> {
        const ACTION: &str = "ecs:RunTask";
        let OneOff { cluster, name, revision, container, command, token } = *task;
        let Launch { network, launch_type, providers, platform } = launch;
        let container = ContainerOverride::builder()
            .name(container)
            .set_command(Some(command.to_vec()))
            .build();
        let answer = self
            .client
            .run_task()
            .cluster(cluster)
            .task_definition(revision)
            .count(1)
            .client_token(token)
            .group(format!("{TASK_GROUP}{name}"))
            .started_by(marks::started_by(token))
            .overrides(TaskOverride::builder().container_overrides(container).build())
            .set_network_configuration(network)
            .set_capacity_provider_strategy(Some(providers).filter(|them| !them.is_empty()))
            .set_launch_type(launch_type)
            .set_platform_version(platform)
            .send()
            .await
            .map_err(Refusal::of(ACTION, in_cluster(cluster, name)))?;
        if let Some(arn) = answer.tasks().first().and_then(|task| task.task_arn()) {
            return Ok(arn.to_owned());
        }
        let failure = answer.failures().first();
        let reason = failure.and_then(|failure| failure.reason()).unwrap_or("no reason given");
        let detail = failure.and_then(|failure| failure.detail()).unwrap_or_default();
        Err(Refusal::in_answer(ACTION, in_cluster(cluster, name), reason, detail))
    }

    /// A look at a one-off task, judged by `container`. `None` while ECS does not show it, and about an
    /// hour after its end.
    pub async fn one_off(
        &self,
        cluster: &str,
        arn: &str,
        container: &str,
    ) -> Result<Option<TaskSighting>, Refusal> {
        let call = self.client.describe_tasks().cluster(cluster).tasks(arn);
        let answer = call.send().await.map_err(Refusal::of("ecs:DescribeTasks", arn))?;
        Ok(answer.tasks().first().map(|task| sighting(task, container)))
    }

    /// The same of the task that a call with this token started from `revision`, where nobody saw its ARN.
    pub async fn one_off_of(
        &self,
        cluster: &str,
        revision: &str,
        token: &str,
        container: &str,
    ) -> Result<Option<TaskSighting>, Refusal> {
        let started_by = marks::started_by(token);
        for status in [DesiredStatus::Running, DesiredStatus::Stopped] {
            let tasks = self.tasks(cluster, Which::OfFamily(family_of(revision), status)).await?;
            let own = tasks.iter().find(|task| task.started_by() == Some(&started_by));
            if let Some(task) = own {
                return Ok(Some(sighting(task, container)));
            }
        }
        Ok(None)
    }
}

fn sighting(task: &Task, container: &str) -> TaskSighting {
    let status = task.last_status().unwrap_or("UNKNOWN").to_owned();
    let judged = task.containers().iter().find(|it| it.name() == Some(container));
    // Its exit code is there when the task is being taken apart, its reason with it.
    let over = ["DEPROVISIONING", "STOPPED"].contains(&status.as_str());
    TaskSighting { ended: over.then(|| failure(task, judged)), status }
}
