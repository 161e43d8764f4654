//! Service deployments: the history of a service, one object for each change.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Ecs;
use super::names::ServiceName;
use super::native::Stage;
use crate::api::{ApiError, Input};

/// How long a stop or a rollback is only requested.
const REQUESTED: Duration = Duration::from_secs(3);
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// One change of a service, from its request to its end.
#[derive(Debug)]
pub(super) struct ServiceDeployment {
    pub(super) arn: String,
    pub(super) service: ServiceName,
    pub(super) source: Option<String>,
    pub(super) target: String,
    pub(super) status: Status,
    pub(super) reason: Option<String>,
    /// Of native strategies.
    pub(super) stage: Option<Stage>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) rollback: Option<Rollback>,
}

#[derive(Debug)]
pub(super) struct Rollback {
    pub(super) reason: String,
    pub(super) at: Timestamp,
    pub(super) revision: String,
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
    pub(super) fn status_at(&self, now: Timestamp) -> &'static str {
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
        let id: String =
            (0..21).filter_map(|_| self.dice.choice(ALPHABET)).map(|b| char::from(*b)).collect();
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
        let arn = self.services.get(name)?.newest_change.as_ref()?;
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

    /// Goes back to the service revision before, also where no rollback was configured.
    pub(super) fn stop_service_deployment(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let arn = input.need("serviceDeploymentArn")?;
        if input.text("stopType").is_some_and(|kind| kind != "ROLLBACK") {
            return Err(ApiError::refused(
                "InvalidParameterException",
                "stopType must be ROLLBACK",
            ));
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
                self.reconcile(&name, now);
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
}

impl ServiceDeployment {
    fn end(&mut self, status: Status, at: Timestamp) {
        self.status = status;
        self.updated_at = at;
        self.finished_at = Some(at);
        self.stage = None;
    }
}
