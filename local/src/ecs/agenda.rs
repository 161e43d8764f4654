//! What will happen, and when: the model's own future.

use std::collections::BTreeMap;

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

/// Everything that will happen, in order; what is due at the same time happens in the order of asking.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    entries: BTreeMap<(Timestamp, u64), Due>,
    asked: u64,
}

impl Agenda {
    pub(super) fn add(&mut self, at: Timestamp, due: Due) {
        self.asked += 1;
        self.entries.insert((at, self.asked), due);
    }

    pub(super) fn task(&mut self, at: Timestamp, task: &str, step: Step) {
        self.add(at, Due::Task { task: task.to_owned(), step });
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.entries.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn take(&mut self, until: Timestamp) -> Option<(Timestamp, Due)> {
        let entry = self.entries.first_entry().filter(|entry| entry.key().0 <= until)?;
        let ((at, _), due) = entry.remove_entry();
        Some((at, due))
    }
}
