//! What a config means in the model's words: its targets, and how long to wait for them.

use std::time::Duration;

use super::TargetId;
use crate::config::{PipelineConfig, TargetConfig};

impl PipelineConfig {
    /// The targets, wave by wave.
    pub fn target_waves(&self) -> Vec<Vec<TargetId>> {
        self.waves
            .iter()
            .map(|wave| wave.iter().map(|t| self.target_id(&t.service)).collect())
            .collect()
    }

    /// The name of one of its services as a target.
    pub fn target_id(&self, service: &str) -> TargetId {
        TargetId {
            account: self.account.clone(),
            region: self.region.clone(),
            cluster: self.cluster.clone(),
            service: service.to_owned(),
        }
    }

    /// The config of `target`; `None` when this config does not name it.
    pub fn target(&self, target: &TargetId) -> Option<&TargetConfig> {
        let here = self.target_id(&target.service) == *target;
        self.waves.iter().flatten().find(|t| here && t.service == target.service)
    }

    /// How long ECS may take on `target` before silence becomes a verdict.
    ///
    /// `native_minutes` are the bakes and steps that ECS itself adds for blue/green and the like.
    pub fn patience(&self, target: &TargetId, native_minutes: u32) -> Duration {
        let own = self.target(target).and_then(|t| t.timeout).unwrap_or(self.watch.timeout);
        own + Duration::from_secs(60 * u64::from(native_minutes))
    }
}
