//! `DescribeServices`: what a service looks like, a few seconds late.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::deployments::{Deployment, Rollout};
use super::names::{ServiceName, short};
use super::services::Service;
use super::tasks::Task;
use super::{Ecs, pace};
use crate::api::{ApiError, Input, epoch, present};

impl Ecs {
    pub(super) fn describe_services(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let cluster = self.cluster_named(input)?;
        let tagged = input.texts("include").contains(&"TAGS");
        let (mut services, mut failures) = (Vec::new(), Vec::new());
        for reference in input.limited("services", 10)?.iter().filter_map(Value::as_str) {
            let Some(name) = self.service_named(&cluster, reference) else {
                let arn = self.service_arn(&ServiceName::new(&cluster, short(reference)));
                failures.push(json!({ "arn": arn, "reason": "MISSING" }));
                continue;
            };
            let mut seen = self.seen(&name, now);
            if let Some(service) = self.services.get(&name).filter(|_| tagged) {
                seen["tags"] = json!(service.tags);
            }
            services.push(seen);
        }
        Ok(json!({ "services": services, "failures": failures }))
    }

    /// The service as it was a moment ago: how long, the dice say.
    fn seen(&mut self, name: &ServiceName, now: Timestamp) -> Value {
        let longest = u64::try_from(self.switches.lag.as_millis()).unwrap_or(u64::MAX);
        let then = now - pace::draw(&mut self.dice, 0..=longest);
        let Some(service) = self.services.get(name) else { return Value::Null };
        let known = service.seen.iter().rev().find(|(at, _)| *at <= then);
        let known = known.or(service.seen.front());
        let newest = service.seen.back();
        self.lagged += u64::from(known.map(|(at, _)| at) != newest.map(|(at, _)| at));
        known.map(|(_, view)| view.clone()).unwrap_or_default()
    }

    /// Keeps how the service looks now, and forgets what no lag can show any more.
    pub(super) fn remember(&mut self, name: &ServiceName, at: Timestamp) {
        let view = self.service_view(name);
        let lag: Duration = self.switches.lag;
        let Some(service) = self.services.get_mut(name) else { return };
        if service.seen.back().is_some_and(|(_, last)| *last == view) {
            return;
        }
        service.seen.push_back((at, view));
        while service.seen.get(1).is_some_and(|(second, _)| *second + lag < at) {
            service.seen.pop_front();
        }
    }

    /// The service as it is.
    pub(super) fn service_view(&self, name: &ServiceName) -> Value {
        let Some(service) = self.services.get(name) else { return Value::Null };
        let tasks: Vec<&Task> = self.tasks.of(name).collect();
        let managed = service.controller == "ECS";
        let deployments: Vec<Value> = service
            .deployments
            .iter()
            .enumerate()
            .filter(|_| managed) // CodeDeploy and others have task sets, which are not modelled
            .map(|(rank, deployment)| deployment_view(service, deployment, rank == 0, &tasks))
            .collect();
        let revisions: Vec<Value> = service
            .deployments
            .iter()
            .filter(|own| self.revisions.get(&own.revision).is_some_and(|own| !own.forgotten))
            .map(|own| self.revision_counts(name, &own.revision))
            .collect();
        let mut view = service.shown.clone();
        let told = json!({
            "serviceArn": self.service_arn(name),
            "serviceName": name.service,
            "clusterArn": self.cluster_arn(&name.cluster),
            "loadBalancers": service.load_balancers,
            "status": "ACTIVE",
            "desiredCount": service.desired,
            "runningCount": tasks.iter().filter(|task| task.is_running()).count(),
            "pendingCount": tasks.iter().filter(|task| task.is_starting()).count(),
            "launchType": "FARGATE",
            "platformVersion": "LATEST",
            "platformFamily": "Linux",
            "taskDefinition": service.deployments.first().map(|primary| &primary.task_definition),
            "deploymentConfiguration": service.configuration.view(),
            "deployments": deployments,
            "events": service.messages,
            "createdAt": epoch(service.created_at),
            "healthCheckGracePeriodSeconds":
                (!service.load_balancers.is_empty()).then_some(service.grace.as_secs()),
            "schedulingStrategy": service.scheduling,
            "deploymentController": { "type": service.controller },
            "currentServiceDeployment": service.newest_change,
            "currentServiceRevisions": (!revisions.is_empty()).then_some(revisions),
        });
        for (member, value) in told.as_object().into_iter().flatten() {
            view[member] = value.clone();
        }
        present(view)
    }

    /// How many tasks of a service revision are asked for and there.
    pub(super) fn revision_counts(&self, name: &ServiceName, revision: &str) -> Value {
        let own = || {
            self.tasks
                .of(name)
                .filter(|task| task.of_service().is_some_and(|own| own.revision == revision))
        };
        let service = self.services.get(name);
        let primary = service.and_then(|service| service.deployments.first());
        let asked = match primary {
            Some(primary) if primary.revision == revision => {
                service.map_or(0, |service| service.desired as usize)
            }
            _ => own().filter(|task| task.is_wanted()).count(),
        };
        json!({
            "arn": revision,
            "requestedTaskCount": asked,
            "runningTaskCount": own().filter(|task| task.is_running()).count(),
            "pendingTaskCount": own().filter(|task| task.is_starting()).count(),
        })
    }
}

fn deployment_view(
    service: &Service,
    deployment: &Deployment,
    primary: bool,
    tasks: &[&Task],
) -> Value {
    let own = || tasks.iter().filter(|task| task.started_by() == Some(&deployment.id));
    let wanted = own().filter(|task| task.is_wanted()).count();
    let rollout = match deployment.rollout {
        Rollout::InProgress => "IN_PROGRESS",
        Rollout::Completed => "COMPLETED",
        Rollout::Failed => "FAILED",
    };
    let rolling = !service.is_native();
    present(json!({
        "id": deployment.id,
        "status": if primary { "PRIMARY" } else { "ACTIVE" },
        "taskDefinition": deployment.task_definition,
        "desiredCount": if primary { service.desired as usize } else { wanted },
        "runningCount": own().filter(|task| task.is_running()).count(),
        "pendingCount": own().filter(|task| task.is_starting()).count(),
        "failedTasks": deployment.failed_tasks,
        "createdAt": epoch(deployment.created_at),
        "updatedAt": epoch(deployment.updated_at),
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "networkConfiguration": service.shown.get("networkConfiguration"),
        "rolloutState": rolling.then_some(rollout),
        "rolloutStateReason": rolling.then_some(&deployment.reason),
    }))
}
