//! Everything that runs images and stays, whatever its kind: looked at in the same words, and brought to
//! a revision by one call.

mod lightsail;
mod scheduled;

use std::collections::BTreeMap;

use aws_types::SdkConfig;
use tidegate_core::model::{Pin, TargetId, TargetKind};

use crate::ecs::{Ecs, Seen};
use crate::{Clock, Refusal};

use lightsail::Lightsail;
use scheduled::Scheduled;

/// The targets of one region.
#[derive(Debug, Clone)]
pub struct Targets {
    /// ECS itself, for what only services and tasks have.
    pub ecs: Ecs,
    scheduled: Scheduled,
    lightsail: Lightsail,
}

/// What was found of each target; one that is not there is `None`. One that cannot be read hides no
/// other.
pub type Found = BTreeMap<TargetId, Result<Option<Seen>, Refusal>>;

impl Targets {
    /// The targets where `config` points.
    pub fn new(config: &SdkConfig, clock: &Clock) -> Self {
        Self {
            ecs: Ecs::new(config, clock),
            scheduled: Scheduled::new(config, clock),
            lightsail: Lightsail::new(config, clock),
        }
    }

    /// Looks at these. Ten services of a cluster cost one call, anything else one or two each; one-off
    /// tasks are none of these.
    pub async fn look<'t>(&self, targets: impl IntoIterator<Item = &'t TargetId>) -> Found {
        let mut found = Found::new();
        let mut services: BTreeMap<&str, Vec<&TargetId>> = BTreeMap::new();
        for target in targets {
            let seen = match target.kind {
                TargetKind::Task => continue,
                TargetKind::Service => {
                    services.entry(&target.within).or_default().push(target);
                    continue;
                }
                TargetKind::Schedule | TargetKind::Rule => self.scheduled.look(target).await,
                TargetKind::Lightsail => self.lightsail.look(&target.name).await,
            };
            found.insert(target.clone(), seen);
        }
        for (cluster, targets) in services {
            let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
            let mut seen = self.ecs.look(cluster, &names).await;
            for target in targets {
                found.insert(target.clone(), seen.remove(&target.name).unwrap_or(Ok(None)));
            }
        }
        found
    }

    /// The one call that moves a target to `revision`; where AWS names what it made, that name. `pins`
    /// are the images that make the revision, for what has no task definition of its own.
    pub async fn bring(
        &self,
        target: &TargetId,
        revision: &str,
        pins: &[Pin],
    ) -> Result<Option<String>, Refusal> {
        match target.kind {
            TargetKind::Service | TargetKind::Task => {
                self.ecs.update_service(&target.within, &target.name, revision).await
            }
            TargetKind::Schedule | TargetKind::Rule => {
                self.scheduled.bring(target, revision).await.map(|()| None)
            }
            TargetKind::Lightsail => {
                self.lightsail.bring(&target.name, revision, pins).await.map(Some)
            }
        }
    }

    /// The action that [`Targets::bring`] calls, as IAM writes it.
    pub fn action(kind: TargetKind) -> &'static str {
        match kind {
            TargetKind::Service | TargetKind::Task => "ecs:UpdateService",
            TargetKind::Schedule => scheduled::UPDATE_SCHEDULE,
            TargetKind::Rule => scheduled::PUT_TARGETS,
            TargetKind::Lightsail => lightsail::CREATE,
        }
    }
}
