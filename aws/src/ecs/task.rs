//! Tasks: the proof of what runs, and how others ended.

use aws_sdk_ecs::types::{Container, DesiredStatus, Task};
use jiff::Timestamp;
use tidegate_core::model::{TaskFailure, fell};

use super::{ContainerImage, Ecs, in_cluster};
use crate::Refusal;
use crate::moment::{known, timestamp};

/// `DescribeTasks` takes no more ARNs than this, and a page of `ListTasks` holds no more.
const TASKS_A_CALL: i32 = 100;

/// A task that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningTask {
    /// Its task definition's ARN.
    pub revision: String,
    /// What its containers run.
    pub containers: Vec<ContainerImage>,
    /// When it was created: among equals the oldest counts.
    pub created_at: Timestamp,
}

/// A task that is told to stop or stopped; ECS shows it for about an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedTask {
    /// Its task definition's ARN.
    pub revision: String,
    /// How it ended; whether that is a failure is judged elsewhere.
    pub failure: TaskFailure,
}

/// Which tasks are asked for.
#[derive(Clone)]
pub(super) enum Which<'a> {
    /// Those a deployment (`ecs-svc/…`) started and that should run.
    StartedBy(&'a str),
    /// Those of a service that stopped or are told to.
    StoppedOf(&'a str),
    /// Those of a family of task definitions that should run, or that stopped or are told to.
    OfFamily(&'a str, DesiredStatus),
}

impl Ecs {
    /// The running tasks that the deployment `started_by` (`ecs-svc/…`) started.
    pub async fn running_tasks(
        &self,
        cluster: &str,
        started_by: &str,
    ) -> Result<Vec<RunningTask>, Refusal> {
        let tasks = self.tasks(cluster, Which::StartedBy(started_by)).await?;
        Ok(tasks.iter().filter(|task| task.last_status() == Some("RUNNING")).map(running).collect())
    }

    /// The tasks of a service that stopped within the last hour, or are told to stop.
    pub async fn stopped_tasks(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Vec<StoppedTask>, Refusal> {
        let tasks = self.tasks(cluster, Which::StoppedOf(service)).await?;
        Ok(tasks.iter().map(stopped).collect())
    }

    pub(super) async fn tasks(
        &self,
        cluster: &str,
        which: Which<'_>,
    ) -> Result<Vec<Task>, Refusal> {
        let mut all = Vec::new();
        let mut next = None;
        loop {
            let list = self.client.list_tasks().cluster(cluster).max_results(TASKS_A_CALL);
            let (list, name) = match &which {
                // ECS takes no other filter beside this one.
                Which::StartedBy(deployment) => (list.started_by(*deployment), deployment),
                Which::StoppedOf(service) => {
                    (list.service_name(*service).desired_status(DesiredStatus::Stopped), service)
                }
                Which::OfFamily(family, status) => {
                    (list.family(*family).desired_status(status.clone()), family)
                }
            };
            let page = list
                .set_next_token(next)
                .send()
                .await
                .map_err(Refusal::of("ecs:ListTasks", in_cluster(cluster, name)))?;
            if !page.task_arns().is_empty() {
                let answer = self
                    .client
                    .describe_tasks()
                    .cluster(cluster)
                    .set_tasks(page.task_arns)
                    .send()
                    .await
                    .map_err(Refusal::of("ecs:DescribeTasks", in_cluster(cluster, name)))?;
                // A task that vanished in between is in `failures`: it neither runs nor tells why.
                all.extend(answer.tasks.unwrap_or_default());
            }
            next = page.next_token;
            if next.is_none() {
                return Ok(all);
            }
        }
    }
}

/// The family of a task definition's ARN.
pub(super) fn family_of(revision: &str) -> &str {
    let name = revision.rsplit('/').next().unwrap_or(revision);
    name.rsplit_once(':').map_or(name, |(family, _)| family)
}

fn running(task: &Task) -> RunningTask {
    let containers = task
        .containers()
        .iter()
        .map(|seen| ContainerImage::new(seen.name(), seen.image(), seen.image_digest()));
    RunningTask {
        revision: task.task_definition_arn().unwrap_or_default().to_owned(),
        containers: containers.collect(),
        created_at: timestamp(task.created_at()),
    }
}

fn stopped(task: &Task) -> StoppedTask {
    let exit_code = |container: &Container| container.exit_code().map(i64::from);
    let fell = fell(task.containers(), exit_code, |container| container.reason().is_some());
    let revision = task.task_definition_arn().unwrap_or_default().to_owned();
    StoppedTask { revision, failure: failure(task, fell) }
}

/// How a task ended, told of one of its containers.
pub(super) fn failure(task: &Task, container: Option<&Container>) -> TaskFailure {
    let ended = known(task.stopping_at()).or_else(|| known(task.stopped_at()));
    let started = known(task.started_at());
    let ran = started.zip(ended).map(|(started, ended)| ended.duration_since(started).as_secs());
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    TaskFailure {
        task: text(task.task_arn().and_then(|arn| arn.rsplit('/').next())),
        stop_code: text(task.stop_code().map(|code| code.as_str())),
        reason: text(task.stopped_reason()),
        container: text(container.and_then(|container| container.name())),
        exit_code: container.and_then(|container| container.exit_code()).map(i64::from),
        detail: text(container.and_then(|container| container.reason())),
        ran_seconds: ran.and_then(|seconds| u64::try_from(seconds).ok()),
        at: ended.unwrap_or_else(|| timestamp(task.created_at())),
    }
    .cut()
}
