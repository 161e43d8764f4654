//! What a config means in the model's words: its targets, and how long to wait for them.

use std::time::Duration;

use super::{Cause, TargetId, TargetKind};
use crate::config::{PipelineConfig, TargetConfig, TargetName, TaskConfig};

/// AWS's name for the group of schedules, and for the event bus, that everybody has.
const DEFAULT: &str = "default";

impl PipelineConfig {
    /// All its targets, wave by wave: the one-off tasks come first, one after the other.
    pub fn target_waves(&self) -> Vec<Vec<TargetId>> {
        let tasks = self.pre_deploy.iter().map(|task| vec![self.task_id(task)]);
        let targets = self
            .waves
            .iter()
            .map(|wave| wave.iter().map(|target| self.target_id(&target.name)).collect::<Vec<_>>());
        tasks.chain(targets).collect()
    }

    /// Where a release of this cause goes. Going back to earlier bytes runs no task: they may not know
    /// the newer schema, let alone how to change it. Undoing runs the tasks alone, the last one first.
    pub fn waves_of(&self, cause: &Cause) -> Vec<Vec<TargetId>> {
        let mut waves = self.target_waves();
        match cause {
            Cause::Rollback { .. } => waves.retain(|wave| !wave.iter().any(TargetId::is_task)),
            Cause::Undo { .. } => {
                waves.retain(|wave| {
                    wave.iter().any(|it| self.task(it).is_some_and(|task| task.down.is_some()))
                });
                waves.reverse();
            }
            Cause::Push | Cause::Adopted | Cause::Start | Cause::Promoted { .. } => {}
        }
        waves
    }

    /// The id of one of its targets.
    pub fn target_id(&self, name: &TargetName) -> TargetId {
        let (kind, name) = name.parts();
        self.id(kind, name)
    }

    /// The ARN of its cluster.
    pub fn cluster_arn(&self) -> String {
        let Self { account, region, cluster, .. } = self;
        format!("arn:aws:ecs:{region}:{account}:cluster/{cluster}")
    }

    /// The id of one of its services.
    pub fn service_id(&self, service: &str) -> TargetId {
        self.id(TargetKind::Service, service)
    }

    /// The id of one of its one-off tasks.
    pub fn task_id(&self, task: &TaskConfig) -> TargetId {
        self.id(TargetKind::Task, &task.name)
    }

    fn id(&self, kind: TargetKind, name: &str) -> TargetId {
        let (within, name) = match kind {
            TargetKind::Service | TargetKind::Task => (self.cluster.as_str(), name),
            TargetKind::Schedule => name.split_once('/').unwrap_or((DEFAULT, name)),
            TargetKind::Rule => (DEFAULT, name),
            TargetKind::Lightsail => ("-", name),
        };
        TargetId {
            account: self.account.clone(),
            region: self.region.clone(),
            within: within.to_owned(),
            kind,
            name: name.to_owned(),
        }
    }

    /// The config of a target of a wave; `None` when this config does not name it.
    pub fn target(&self, target: &TargetId) -> Option<&TargetConfig> {
        self.waves.iter().flatten().find(|it| self.target_id(&it.name) == *target)
    }

    /// The config of a one-off task; `None` when this config does not name it.
    pub fn task(&self, target: &TargetId) -> Option<&TaskConfig> {
        self.pre_deploy.iter().find(|task| self.task_id(task) == *target)
    }

    /// Whether this config names `target`: nothing else is ever changed, or run.
    pub fn names(&self, target: &TargetId) -> bool {
        self.target(target).is_some() || self.task(target).is_some()
    }

    /// How long `target` may take before silence becomes a verdict.
    ///
    /// `native_minutes` are the bakes and steps that ECS itself adds for blue/green and the like.
    pub fn patience(&self, target: &TargetId, native_minutes: u32) -> Duration {
        let of_task = self.task(target).map(|task| task.timeout);
        let own = of_task.or_else(|| self.target(target).and_then(|t| t.timeout));
        own.unwrap_or(self.watch.timeout) + Duration::from_secs(60 * u64::from(native_minutes))
    }
}
