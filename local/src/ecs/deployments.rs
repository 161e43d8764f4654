//! Deployments of a service: begun, completed, failed, rolled back.

use jiff::Timestamp;

use super::configuration::Strategy;
use super::names::{ServiceName, digits};
use super::service_deployments::Status;
use super::{Ecs, RollbackShape, pace};
use crate::ecr::Ecr;

/// One attempt to bring a service to a service revision.
#[derive(Debug, Clone)]
pub(super) struct Deployment {
    /// `ecs-svc/…`
    pub(super) id: String,
    /// The service revision's ARN.
    pub(super) revision: String,
    pub(super) task_definition: String,
    pub(super) rollout: Rollout,
    pub(super) reason: String,
    /// Failures in a row that count for the breaker; 0 again once a task is healthy.
    pub(super) failed_tasks: u32,
    /// Failures in a row of whatever kind: they slow the scheduler down.
    pub(super) in_a_row: u32,
    /// Before this the scheduler starts no further task.
    pub(super) not_before: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// ECS's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rollout {
    InProgress,
    Completed,
    Failed,
}

/// What a rollback by ECS returns to: the newest completed deployment.
#[derive(Debug, Clone)]
pub(super) struct WayBack {
    pub(super) id: String,
    pub(super) revision: String,
    pub(super) task_definition: String,
}

impl Deployment {
    fn begun(id: String, back: &WayBack, reason: String, at: Timestamp) -> Self {
        Self {
            id,
            revision: back.revision.clone(),
            task_definition: back.task_definition.clone(),
            rollout: Rollout::InProgress,
            reason,
            failed_tasks: 0,
            in_a_row: 0,
            not_before: at,
            created_at: at,
            updated_at: at,
        }
    }
}

impl Ecs {
    /// Brings the service to a new service revision of `task_definition`. What was under way is superseded:
    /// stopped, not rolled back.
    pub(super) fn deploy(
        &mut self,
        name: &ServiceName,
        task_definition: &str,
        at: Timestamp,
        ecr: &Ecr,
    ) {
        let Some(service) = self.services.get(name) else { return };
        let source = service.deployments.first().map(|primary| primary.revision.clone());
        let revision = self.make_revision(name, task_definition, service.desired, at, ecr);
        let id = format!("ecs-svc/{}", digits(&mut self.dice));
        self.supersede(name, at);
        let told = self.open_service_deployment(name, source, &revision, at);
        let target =
            WayBack { id: id.clone(), revision, task_definition: task_definition.to_owned() };
        let reason = format!("ECS deployment {id} in progress.");
        let Some(service) = self.services.get_mut(name) else { return };
        service.deployments.insert(0, Deployment::begun(id.clone(), &target, reason.clone(), at));
        service.newest_change = Some(told.clone());
        service.steady = false;
        let native = service.configuration.strategy() != Strategy::Rolling;
        self.deployment_event(name, "INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS", &id, &reason, at);
        if native {
            self.enter_first_stage(&told, at);
        }
        self.reconcile(name, at);
    }

    /// The primary has what it needs: it is complete, and the others are gone.
    pub(super) fn complete(&mut self, name: &ServiceName, at: Timestamp) {
        let Some(service) = self.services.get_mut(name) else { return };
        service.deployments.truncate(1);
        let Some(primary) = service.deployments.first_mut() else { return };
        let reason = format!("ECS deployment {} completed.", primary.id);
        primary.rollout = Rollout::Completed;
        primary.reason.clone_from(&reason);
        primary.updated_at = at;
        let done = WayBack {
            id: primary.id.clone(),
            revision: primary.revision.clone(),
            task_definition: primary.task_definition.clone(),
        };
        let id = done.id.clone();
        service.way_back = Some(done);
        self.end_service_deployment(name, Status::Successful, Status::RollbackSuccessful, at);
        self.deployment_event(name, "INFO", "SERVICE_DEPLOYMENT_COMPLETED", &id, &reason, at);
        self.say(name, &format!("(deployment {id}) deployment completed."), at);
    }

    /// A task of the deployment failed before it was any good. It slows the scheduler down, and counts for
    /// the breaker while the deployment is in progress.
    pub(super) fn count_failure(&mut self, name: &ServiceName, deployment: &str, at: Timestamp) {
        let Some(service) = self.services.get_mut(name) else { return };
        let desired = service.desired;
        let Some(primary) = service.deployments.first_mut().filter(|own| own.id == deployment)
        else {
            return;
        };
        primary.in_a_row += 1;
        primary.not_before = at + pace::retry_delay(primary.in_a_row, desired);
        if primary.rollout == Rollout::InProgress {
            primary.failed_tasks += 1;
            primary.updated_at = at;
        }
    }

    /// A task of the deployment is healthy: the counts begin anew, unless the breaker is told to go on.
    pub(super) fn count_success(&mut self, name: &ServiceName, deployment: &str) {
        let Some(service) = self.services.get_mut(name) else { return };
        let breaker = service.configuration.breaker(service.desired);
        let own = service.deployments.iter_mut().find(|own| own.id == deployment);
        let Some(deployment) = own else { return };
        deployment.in_a_row = 0;
        if breaker.is_none_or(|breaker| breaker.resets) {
            deployment.failed_tasks = 0;
        }
    }

    /// The circuit breaker: too many failures in a row fail the deployment. It then goes back, if it may and
    /// there is a completed deployment; otherwise it stalls and starts nothing more.
    pub(super) fn judge_breaker(&mut self, name: &ServiceName, at: Timestamp) {
        let Some(service) = self.services.get_mut(name) else { return };
        let Some(breaker) = service.configuration.breaker(service.desired) else { return };
        let Some(primary) = service.deployments.first_mut() else { return };
        let failing = primary.rollout == Rollout::InProgress;
        if !failing || primary.failed_tasks < breaker.threshold {
            return;
        }
        let reason = "ECS deployment circuit breaker: tasks failed to start.".to_owned();
        primary.rollout = Rollout::Failed;
        primary.reason.clone_from(&reason);
        primary.updated_at = at;
        let id = primary.id.clone();
        let goes_back = breaker.rollback && service.way_back.is_some();
        self.deployment_event(name, "ERROR", "SERVICE_DEPLOYMENT_FAILED", &id, &reason, at);
        self.say(name, &format!("(deployment {id}) deployment failed: tasks failed to start."), at);
        if goes_back {
            self.roll_back(name, "ECS deployment circuit breaker", at);
        } else {
            self.end_service_deployment(name, Status::Stopped, Status::RollbackFailed, at);
        }
    }

    /// Returns to the newest completed deployment's service revision: its digests, whatever its tags mean
    /// today.
    pub(super) fn roll_back(&mut self, name: &ServiceName, who: &str, at: Timestamp) {
        let new_id = format!("ecs-svc/{}", digits(&mut self.dice));
        let shape = self.switches.rollback;
        let Some(service) = self.services.get_mut(name) else { return };
        let native = service.is_native();
        let Some(back) = service.way_back.take() else { return };
        if let Some(failed) = service.deployments.first_mut() {
            failed.rollout = Rollout::Failed;
            failed.updated_at = at;
        }
        // A native strategy still has the other fleet, so it is always the old deployment that returns.
        let id = if native || shape == RollbackShape::OldId { back.id.clone() } else { new_id };
        let reason = format!("{who}: rolling back to deploymentId {id}.");
        let old = service.deployments.iter().position(|own| own.id == id);
        let mut target = match old {
            Some(at) => service.deployments.remove(at),
            None => Deployment::begun(id.clone(), &back, reason.clone(), at),
        };
        target.rollout = Rollout::InProgress;
        target.reason.clone_from(&reason);
        target.updated_at = at;
        service.deployments.insert(0, target);
        self.begin_service_rollback(name, &reason, &back.revision, at);
        self.deployment_event(name, "INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS", &id, &reason, at);
    }
}
