//! `ListServiceDeployments` and `DescribeServiceDeployments`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Ecs;
use super::native::Stage;
use super::service_deployments::{ServiceDeployment, Status};
use crate::api::{ApiError, Input, epoch, present};

impl Ecs {
    pub(super) fn list_service_deployments(
        &self,
        input: Input<'_>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let cluster = self.cluster_named(input)?;
        let name = self
            .service_named(&cluster, input.need("service")?)
            .ok_or_else(|| ApiError::refused("ServiceNotFoundException", "Service not found."))?;
        let statuses = input.texts("status");
        let mut own: Vec<&ServiceDeployment> = self
            .service_deployments
            .values()
            .filter(|deployment| deployment.service == name)
            .filter(|deployment| {
                statuses.is_empty() || statuses.contains(&deployment.status_at(now))
            })
            .collect();
        own.sort_by(|a, b| (b.created_at, &b.arn).cmp(&(a.created_at, &a.arn)));
        let briefs: Vec<Value> = own.into_iter().map(|one| self.brief(one, now)).collect();
        // Twenty a page unless asked for up to a hundred, as ECS does.
        let asked = input.number("maxResults").is_some();
        let (briefs, next) = input.page(briefs, if asked { 100 } else { 20 })?;
        Ok(present(json!({ "serviceDeployments": briefs, "nextToken": next })))
    }

    pub(super) fn describe_service_deployments(
        &self,
        input: Input<'_>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for arn in input.limited("serviceDeploymentArns", 20)?.iter().filter_map(Value::as_str) {
            match self.service_deployments.get(arn) {
                Some(deployment) => found.push(self.full(deployment, now)),
                None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
            }
        }
        Ok(json!({ "serviceDeployments": found, "failures": failures }))
    }

    fn brief(&self, deployment: &ServiceDeployment, now: Timestamp) -> Value {
        present(json!({
            "serviceDeploymentArn": deployment.arn,
            "serviceArn": self.service_arn(&deployment.service),
            "clusterArn": self.cluster_arn(&deployment.service.cluster),
            "createdAt": epoch(deployment.created_at),
            "startedAt": epoch(deployment.created_at),
            "finishedAt": deployment.finished_at.map(epoch),
            "targetServiceRevisionArn": deployment.target,
            "status": deployment.status_at(now),
            "statusReason": deployment.reason,
        }))
    }

    fn full(&self, deployment: &ServiceDeployment, now: Timestamp) -> Value {
        let name = &deployment.service;
        let Some(service) = self.services.get(name) else { return Value::Null };
        let breaker = service.configuration.breaker(service.desired);
        let attempt = service.deployments.iter().find(|own| own.revision == deployment.target);
        let failures = attempt.map_or(0, |own| own.failed_tasks);
        let breaker_status = match (breaker, deployment.status) {
            (None, _) => "DISABLED",
            (Some(breaker), _) if failures >= breaker.threshold => "TRIGGERED",
            (Some(_), status) if status.is_open() => "MONITORING",
            (Some(_), Status::RollbackSuccessful | Status::RollbackFailed) => "TRIGGERED",
            (Some(_), _) => "MONITORING_COMPLETE",
        };
        let rollback = deployment.rollback.as_ref().map(|rollback| {
            json!({
                "reason": rollback.reason,
                "startedAt": epoch(rollback.at),
                "serviceRevisionArn": rollback.revision,
            })
        });
        let sources: Vec<Value> =
            deployment.source.iter().map(|arn| self.revision_counts(name, arn)).collect();
        present(json!({
            "serviceDeploymentArn": deployment.arn,
            "serviceArn": self.service_arn(name),
            "clusterArn": self.cluster_arn(&name.cluster),
            "createdAt": epoch(deployment.created_at),
            "startedAt": epoch(deployment.created_at),
            "finishedAt": deployment.finished_at.map(epoch),
            "stoppedAt": (deployment.status == Status::Stopped).then_some(deployment.finished_at.map(epoch)),
            "updatedAt": epoch(deployment.updated_at),
            "sourceServiceRevisions": sources,
            "targetServiceRevision": self.revision_counts(name, &deployment.target),
            "status": deployment.status_at(now),
            "statusReason": deployment.reason,
            "lifecycleStage": deployment.stage.map(Stage::name),
            "deploymentConfiguration": service.configuration.view(),
            "rollback": rollback,
            "deploymentCircuitBreaker": {
                "status": breaker_status,
                "failureCount": failures,
                "threshold": breaker.map_or(0, |breaker| breaker.threshold),
            },
        }))
    }
}
