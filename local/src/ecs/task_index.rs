//! All tasks, found by their ARN and by their service: most of what ECS does is about one service of
//! thousands.

use std::collections::{BTreeMap, BTreeSet};

use super::names::ServiceName;
use super::tasks::Task;

/// The tasks that can be described.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    all: BTreeMap<String, Task>,
    /// The ARNs of each service's tasks.
    by_service: BTreeMap<ServiceName, BTreeSet<String>>,
}

impl Tasks {
    pub(super) fn insert(&mut self, task: Task) {
        if let Some(service) = task.service() {
            self.by_service.entry(service.clone()).or_default().insert(task.arn.clone());
        }
        self.all.insert(task.arn.clone(), task);
    }

    pub(super) fn remove(&mut self, arn: &str) {
        let Some(task) = self.all.remove(arn) else { return };
        if let Some(own) = task.service().and_then(|service| self.by_service.get_mut(service)) {
            own.remove(arn);
        }
    }

    pub(super) fn get(&self, arn: &str) -> Option<&Task> {
        self.all.get(arn)
    }

    pub(super) fn get_mut(&mut self, arn: &str) -> Option<&mut Task> {
        self.all.get_mut(arn)
    }

    /// Every one.
    pub(super) fn all(&self) -> impl Iterator<Item = &Task> {
        self.all.values()
    }

    /// The one whose ARN ends with this id.
    pub(super) fn with_id(&self, id: &str) -> Option<&Task> {
        self.all.values().find(|task| task.arn.rsplit('/').next() == Some(id))
    }

    /// Those of one service, in the order of their ARNs.
    pub(super) fn of(&self, service: &ServiceName) -> impl Iterator<Item = &Task> {
        let arns = self.by_service.get(service).into_iter().flatten();
        arns.filter_map(|arn| self.all.get(arn))
    }

    /// Those of one cluster, in the order of their ARNs.
    pub(super) fn in_cluster(&self, cluster: &str) -> impl Iterator<Item = &Task> {
        self.all.values().filter(move |task| task.cluster() == cluster)
    }
}
