//! Service deployments: the history of a service, one object for each change.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Ecs;
use super::names::ServiceName;
use super::native::Stage;
use crate::api::{ApiError, Input, epoch, present};
use crate::ecr::Ecr;

/// How long a stop or a rollback is only requested.
const REQUESTED: Duration = Duration::from_secs(3);
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// One change of a service, from its request to its end.
#[derive(Debug)]
pub(super) struct ServiceDeployment {
    pub(super) arn: String,
    pub(super) service: ServiceName,
    source: Option<String>,
    target: String,
    pub(super) status: Status,
    reason: Option<String>,
    /// Of native strategies.
    pub(super) stage: Option<Stage>,
    created_at: Timestamp,
    updated_at: Timestamp,
    finished_at: Option<Timestamp>,
    rollback: Option<Rollback>,
}

#[derive(Debug)]
struct Rollback {
    reason: String,
    at: Timestamp,
    revision: String,
}

/// Where a service deployment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    InProgress,
    Stopped,
    Successful,
    RollbackInProgress,
    RollbackSuccessful,
    RollbackFailed,
}

impl Status {
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::InProgress | Self::RollbackInProgress)
    }
}

impl ServiceDeployment {
    /// The status on the wire: for a moment after it was asked for, a stop or rollback is only requested.
    fn status_at(&self, now: Timestamp) -> &'static str {
        let fresh = |at: Timestamp| now < at + REQUESTED;
        match self.status {
            Status::InProgress => "IN_PROGRESS",
            Status::Stopped if self.finished_at.is_some_and(fresh) => "STOP_REQUESTED",
            Status::Stopped => "STOPPED",
            Status::Successful => "SUCCESSFUL",
            Status::RollbackInProgress => match &self.rollback {
                Some(rollback) if fresh(rollback.at) => "ROLLBACK_REQUESTED",
                _ => "ROLLBACK_IN_PROGRESS",
            },
            Status::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
            Status::RollbackFailed => "ROLLBACK_FAILED",
        }
    }
}

impl Ecs {
    pub(super) fn open_service_deployment(
        &mut self,
        name: &ServiceName,
        source: Option<String>,
        target: &str,
        at: Timestamp,
    ) -> String {
        let id: String = (0..21).filter_map(|_| self.dice.choice(ALPHABET)).map(|b| char::from(*b)).collect();
        let arn = self.arn(&format!("service-deployment/{name}/{id}"));
        let deployment = ServiceDeployment {
            arn: arn.clone(),
            service: name.clone(),
            source,
            target: target.to_owned(),
            status: Status::InProgress,
            reason: None,
            stage: None,
            created_at: at,
            updated_at: at,
            finished_at: None,
            rollback: None,
        };
        self.service_deployments.insert(arn.clone(), deployment);
        arn
    }

    /// The service's newest one, while it has not ended.
    pub(super) fn open_one(&mut self, name: &ServiceName) -> Option<&mut ServiceDeployment> {
        let arn = self.services.get(name)?.service_deployment.as_ref()?;
        self.service_deployments.get_mut(arn).filter(|own| own.status.is_open())
    }

    pub(super) fn supersede(&mut self, name: &ServiceName, at: Timestamp) {
        if let Some(deployment) = self.open_one(name) {
            deployment.reason = Some("Service deployment stopped by a newer one.".to_owned());
            deployment.end(Status::Stopped, at);
        }
    }

    /// Ends the open one: with `status`, or with `after_rollback` if it was going back.
    pub(super) fn end_service_deployment(
        &mut self,
        name: &ServiceName,
        status: Status,
        after_rollback: Status,
        at: Timestamp,
    ) {
        if let Some(deployment) = self.open_one(name) {
            let back = deployment.rollback.is_some();
            deployment.end(if back { after_rollback } else { status }, at);
        }
    }

    pub(super) fn begin_service_rollback(
        &mut self,
        name: &ServiceName,
        reason: &str,
        revision: &str,
        at: Timestamp,
    ) {
        if let Some(deployment) = self.open_one(name) {
            deployment.status = Status::RollbackInProgress;
            deployment.reason = Some(reason.to_owned());
            deployment.updated_at = at;
            let (reason, revision) = (reason.to_owned(), revision.to_owned());
            deployment.rollback = Some(Rollback { reason, at, revision });
        }
    }

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
            .filter(|deployment| statuses.is_empty() || statuses.contains(&deployment.status_at(now)))
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

    /// Goes back to the service revision before, also where no rollback was configured.
    pub(super) fn stop_service_deployment(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
        ecr: &Ecr,
    ) -> Result<Value, ApiError> {
        let arn = input.need("serviceDeploymentArn")?;
        if input.text("stopType").is_some_and(|kind| kind != "ROLLBACK") {
            return Err(ApiError::refused("InvalidParameterException", "stopType must be ROLLBACK"));
        }
        let Some(deployment) = self.service_deployments.get(arn) else {
            return Err(ApiError::refused(
                "ServiceDeploymentNotFoundException",
                "The service deployment was not found.",
            ));
        };
        let name = deployment.service.clone();
        let way_back = self.services.get(&name).is_some_and(|service| service.way_back.is_some());
        match deployment.status {
            Status::RollbackInProgress => {}
            Status::InProgress if way_back => {
                self.roll_back(&name, "Service deployment stopped", now);
                self.reconcile(&name, now, ecr);
            }
            Status::InProgress => {
                return Err(ApiError::refused(
                    "ConflictException",
                    "There is no completed service revision to roll back to.",
                ));
            }
            _ => {
                return Err(ApiError::refused(
                    "ConflictException",
                    format!("The service deployment has ended: {}.", deployment.status_at(now)),
                ));
            }
        }
        Ok(json!({ "serviceDeploymentArn": arn }))
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

impl ServiceDeployment {
    fn end(&mut self, status: Status, at: Timestamp) {
        self.status = status;
        self.updated_at = at;
        self.finished_at = Some(at);
        self.stage = None;
    }
}
