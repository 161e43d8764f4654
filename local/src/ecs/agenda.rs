//! What will happen, and when: the model's own future.

use jiff::Timestamp;

use super::names::ServiceName;

/// Something that happens by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    /// A task takes its next step.
    Task {
        /// The task's ARN.
        task: String,
        /// What happens to it.
        step: Step,
    },
    /// The scheduler looks at a service again.
    Service(ServiceName),
    /// A service deployment of a native strategy leaves its stage.
    Stage {
        /// The service deployment's ARN.
        deployment: String,
    },
}

/// What happens to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Its network is there: it pulls.
    Pull,
    /// Its images are there, or not: it runs.
    Run,
    /// It counts as healthy.
    Healthy,
    /// Its health checks have failed too often.
    Unhealthy,
    /// The container with this number ends by itself.
    Exit(usize),
    /// Its containers have ended.
    Deprovision,
    /// Everything of it is gone.
    Stop,
    /// Nobody can describe it any more.
    Forget,
}

/// Everything that will happen, in order.
pub(super) type Agenda = crate::agenda::Agenda<Due>;

impl Agenda {
    pub(super) fn task(&mut self, at: Timestamp, task: &str, step: Step) {
        self.add(at, Due::Task { task: task.to_owned(), step });
    }
}
