//! What is so in ECS at this moment, without lag and without a call: for who must know the truth.

use jiff::Timestamp;
use serde_json::Value;

use super::Ecs;
use super::deployments::Rollout;
use super::names::ServiceName;

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
}
