//! What was so before the release came: whose a target is, and what is wrong with it already.

use tidegate_core::drift::Drift;
use tidegate_core::model::{Slot, TargetId, TargetKind};
use tidegate_core::sighting::{RunningImage, Sighting};

use super::Survey;
use crate::Error;
use crate::ecs::RawTaskDefinition;

impl Survey<'_> {
    /// What is said first, so that it is not blamed on the release.
    pub(super) fn known_before(
        &self,
        target: &TargetId,
        sighting: &Sighting,
        running: &RawTaskDefinition,
        images: &[RunningImage],
    ) -> Vec<String> {
        let before = self.scene.slots.get(target);
        let drift = before.and_then(|slot| drifted(slot, running, images));
        already_failing(sighting).into_iter().chain(drift).collect()
    }

    /// Somebody else's deployment in flight, or another pipeline's release that owns the target.
    pub(super) async fn reason_busy(
        &self,
        target: &TargetId,
        sighting: &Sighting,
    ) -> Result<Option<String>, Error> {
        if let Some(slot) = self.scene.slots.get(target) {
            let other = &slot.release;
            if other.pipeline != self.release.id.pipeline {
                let head = self.app.table.head_of(&other.pipeline).await?;
                if head.is_some_and(|head| head.moving == Some(other.number)) {
                    return Ok(Some(format!("{other} owns it")));
                }
            }
        }
        let settled = sighting.settled() || already_failing(sighting).is_some();
        Ok((!settled).then(|| {
            let primary = sighting.primary();
            let (id, revision) =
                primary.map_or(("no deployment", ""), |d| (d.id.as_str(), d.revision.as_str()));
            let (running, desired) =
                primary.map_or((sighting.running, sighting.desired), |it| (it.running, it.desired));
            match primary.map_or("", |primary| primary.reason.as_str()) {
                why if target.kind == TargetKind::Lightsail && !why.is_empty() => why.to_owned(),
                _ => format!("{id} brings {revision} in ({running} of {desired} tasks)"),
            }
        }))
    }
}

/// What somebody changed since the last release ended there, and how it can be learnt who.
fn drifted(slot: &Slot, running: &RawTaskDefinition, images: &[RunningImage]) -> Option<String> {
    let registered = running.registered();
    let drift = Drift { registered, ..Drift::of(slot, &running.arn, images)? };
    Some(format!("{drift}; `{}` tells who brought it in", drift.lookup(&slot.target.region)))
}

/// A service that was failing before the release came.
fn already_failing(sighting: &Sighting) -> Option<String> {
    let primary = sighting.primary()?;
    // Beside another deployment it is somebody's rollout that fails just now: no baseline.
    let alone = sighting.deployments.len() == 1;
    let failing = alone && primary.failed_tasks > 0 && primary.running < primary.desired;
    failing.then(|| {
        format!(
            "it was failing before this release: {} of {} tasks run, {} failed in a row",
            primary.running, primary.desired, primary.failed_tasks
        )
    })
}
