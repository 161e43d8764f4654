//! What a load balancer sees of ECS: the tasks that are registered with a target group.

use jiff::Timestamp;

use super::tasks::{Task, TaskStatus};
use super::{Ecs, pace};
use crate::ecr::Behaviour;

/// A task as a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The task's address.
    pub address: String,
    /// The container's port.
    pub port: i64,
    /// What the health checks say.
    pub state: TargetState,
}

/// The health of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// Not yet checked often enough.
    Initial,
    /// Passed.
    Healthy,
    /// Failed.
    Unhealthy,
    /// Being taken out.
    Draining,
}

impl Ecs {
    /// The targets of a group, or `None` where no service uses it.
    pub fn targets(&self, target_group: &str, now: Timestamp) -> Option<Vec<Target>> {
        let mut users = self
            .services
            .iter()
            .filter(|(_, service)| service.target_groups().contains(&target_group))
            .peekable();
        users.peek()?;
        let targets = users.flat_map(|(name, service)| {
            self.tasks.of(name).filter_map(move |task| {
                let state = state_of(task, now)?;
                let port = service.port(target_group);
                Some(Target { address: task.address.clone(), port, state })
            })
        });
        Some(targets.collect())
    }
}

fn state_of(task: &Task, now: Timestamp) -> Option<TargetState> {
    let unhealthy = || task.containers.iter().any(|one| one.behaviour() == Behaviour::Unhealthy);
    let checked = |started: Timestamp| now >= started + pace::TARGET_UNHEALTHY;
    match task.status {
        TaskStatus::Running if task.healthy => Some(TargetState::Healthy),
        TaskStatus::Running if unhealthy() && task.started_at.is_some_and(checked) => {
            Some(TargetState::Unhealthy)
        }
        TaskStatus::Running => Some(TargetState::Initial),
        TaskStatus::Deactivating => Some(TargetState::Draining),
        _ => None,
    }
}
