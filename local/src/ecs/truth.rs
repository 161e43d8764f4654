//! What is so in ECS at this moment, without lag and without a call: for who must know the truth.

use jiff::Timestamp;
use serde_json::Value;

use super::Ecs;
use super::deployments::Rollout;
use super::names::ServiceName;
use super::tasks::{Container, Origin};

/// A service's primary deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Primary {
    /// `ecs-svc/…`
    pub id: String,
    /// The task definition's ARN.
    pub definition: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether ECS still works on it.
    pub in_progress: bool,
}

/// A task of somebody's `RunTask`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOff {
    /// Its ARN.
    pub arn: String,
    /// What the caller said of its group.
    pub group: String,
    /// How the container ended that was given a command; `None` before that, and where it has no code.
    pub exit_code: Option<i64>,
}

impl Ecs {
    /// The service's primary deployment; `None` where there is no such service.
    pub fn primary(&self, name: &ServiceName) -> Option<Primary> {
        let primary = self.services.get(name)?.deployments.first()?;
        Some(Primary {
            id: primary.id.clone(),
            definition: primary.task_definition.clone(),
            created_at: primary.created_at,
            in_progress: primary.rollout == Rollout::InProgress,
        })
    }

    /// A task definition and its tags, by its ARN or as `family:revision`.
    pub fn definition(&self, reference: &str) -> Option<(&Value, &[Value])> {
        self.definitions.find(reference).map(|found| found.parts())
    }

    /// The image that each container of the service's wanted tasks runs: its name and its digest.
    pub fn running_images(&self, name: &ServiceName) -> Vec<(String, String)> {
        let own = self.tasks.of(name);
        own.filter(|task| task.is_wanted() && task.is_running())
            .flat_map(|task| &task.containers)
            .filter_map(|one| Some((one.plan.name.clone(), one.bytes.as_ref()?.digest.clone())))
            .collect()
    }

    /// Every task of a `RunTask` that ECS still shows, in no order.
    pub fn one_offs(&self) -> impl Iterator<Item = OneOff> {
        self.tasks.all().filter_map(|task| {
            let Origin::Run(run) = &task.origin else { return None };
            let told = |one: &&Container| task.overrides(&one.plan.name).get("command").is_some();
            let exit_code = task.containers.iter().find(told).and_then(|one| one.exit_code);
            Some(OneOff { arn: task.arn.clone(), group: run.group.clone(), exit_code })
        })
    }
}
