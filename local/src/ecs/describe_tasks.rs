//! `ListTasks`, `DescribeTasks`, and a task as both the API and its events show it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Ecs;
use super::names::short;
use super::tasks::{Container, Task, TaskStatus};
use crate::api::{ApiError, Input, epoch, present};

impl Ecs {
    pub(super) fn list_tasks(&self, input: Input<'_>) -> Result<Value, ApiError> {
        input.only(
            "ListTasks",
            &[
                "cluster",
                "serviceName",
                "startedBy",
                "desiredStatus",
                "family",
                "launchType",
                "maxResults",
                "nextToken",
            ],
        )?;
        let cluster = self.cluster_named(input)?;
        let service = match input.text("serviceName") {
            None => None,
            Some(reference) => Some(self.service_named(&cluster, reference).ok_or_else(|| {
                ApiError::refused("ServiceNotFoundException", "Service not found.")
            })?),
        };
        let wanted = input.text("desiredStatus").unwrap_or("RUNNING") == "RUNNING";
        let started_by = input.text("startedBy");
        let family = input.text("family");
        let arns: Vec<&str> = self
            .tasks
            .in_cluster(&cluster)
            .filter(|task| task.is_wanted() == wanted)
            .filter(|task| service.as_ref().is_none_or(|service| task.service() == Some(service)))
            .filter(|task| started_by.is_none_or(|id| task.started_by() == Some(id)))
            .filter(|task| family.is_none_or(|family| family_of(&task.definition) == family))
            .map(|task| task.arn.as_str())
            .collect();
        let (arns, next) = input.page(arns, 100)?;
        Ok(present(json!({ "taskArns": arns, "nextToken": next })))
    }

    pub(super) fn describe_tasks(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let cluster = self.cluster_named(input)?;
        let (mut tasks, mut failures) = (Vec::new(), Vec::new());
        for reference in input.limited("tasks", 100)?.iter().filter_map(Value::as_str) {
            let arn = self.arn(&format!("task/{cluster}/{}", short(reference)));
            match self.tasks.get(&arn) {
                Some(task) => tasks.push(self.task_view(task, epoch)),
                None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
            }
        }
        Ok(json!({ "tasks": tasks, "failures": failures }))
    }

    /// A task on the wire; `time` writes its times as the API or as events do.
    pub(super) fn task_view(&self, task: &Task, time: impl Fn(Timestamp) -> Value) -> Value {
        let containers: Vec<Value> =
            task.containers.iter().map(|container| self.container_view(task, container)).collect();
        let containers_of = task.containers.iter().map(|one| one.plan.name.as_str());
        let overrides: Vec<Value> = containers_of.map(|name| task.overrides(name)).collect();
        let definition = self.definitions.find(&task.definition);
        let size = |member| definition.and_then(|own| own.text(member));
        let stop = task.stop.as_ref();
        let when = |at: Option<Timestamp>| at.map(&time);
        present(json!({
            "taskArn": task.arn,
            "clusterArn": self.cluster_arn(task.cluster()),
            "taskDefinitionArn": task.definition,
            "lastStatus": task.status.name(),
            "desiredStatus": if task.is_wanted() { "RUNNING" } else { "STOPPED" },
            "containers": containers,
            "startedBy": task.started_by(),
            "group": task.group(),
            "version": task.version,
            "healthStatus": task_health(task),
            "stopCode": stop.map(|stop| stop.code.name()),
            "stoppedReason": stop.map(|stop| &stop.reason),
            "createdAt": time(task.created_at),
            "pullStartedAt": when(task.pull_started_at),
            "pullStoppedAt": when(task.pull_stopped_at),
            "startedAt": when(task.started_at),
            "stoppingAt": stop.map(|stop| time(stop.at)),
            "executionStoppedAt": when(task.ended_at),
            "stoppedAt": when(task.stopped_at),
            "connectivity": task.started_at.map(|_| "CONNECTED"),
            "connectivityAt": when(task.started_at),
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "availabilityZone": format!("{}a", self.place.region),
            "cpu": size("cpu").unwrap_or("256"),
            "memory": size("memory").unwrap_or("512"),
            "overrides": { "containerOverrides": overrides },
            "attachments": [{
                "id": format!("eni-{}", short(&task.arn)),
                "type": "eni",
                "status": if task.status == TaskStatus::Stopped { "DELETED" } else { "ATTACHED" },
                "details": [{ "name": "privateIPv4Address", "value": task.address }],
            }],
            "attributes": [],
            "enableExecuteCommand": false,
        }))
    }

    fn container_view(&self, task: &Task, container: &Container) -> Value {
        let bytes = container.bytes.as_ref();
        present(json!({
            "containerArn": container.arn,
            "taskArn": task.arn,
            "name": container.plan.name,
            "image": container.plan.image,
            "imageDigest": bytes.map(|bytes| self.shown(bytes)),
            "runtimeId": bytes.map(|_| &container.runtime_id),
            "lastStatus": container_status(task, container),
            "exitCode": container.exit_code,
            "reason": container.reason,
            "healthStatus": container.plan.gives_up_after.map(|_| health(task)),
            "networkInterfaces": [{ "privateIpv4Address": task.address }],
            "cpu": container.plan.cpu,
        }))
    }
}

fn container_status(task: &Task, container: &Container) -> &'static str {
    match task.status {
        TaskStatus::Provisioning | TaskStatus::Pending => "PENDING",
        TaskStatus::Running | TaskStatus::Deactivating if container.exit_code.is_none() => {
            "RUNNING"
        }
        _ => "STOPPED",
    }
}

fn health(task: &Task) -> &'static str {
    let failed = task.stop.as_ref().is_some_and(|stop| stop.reason.contains("health checks"));
    match (task.healthy, failed) {
        (true, _) => "HEALTHY",
        (false, true) => "UNHEALTHY",
        (false, false) => "UNKNOWN",
    }
}

fn task_health(task: &Task) -> &'static str {
    if task.checks_itself() { health(task) } else { "UNKNOWN" }
}

fn family_of(definition: &str) -> &str {
    short(definition).rsplit_once(':').map_or(definition, |(family, _)| family)
}
