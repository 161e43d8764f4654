//! One look at the targets of a moving release, with as few calls as it takes.

use std::time::Duration;

use tidegate_aws::ecs::Ecs;
use tidegate_aws::elb::Elb;
use tidegate_aws::{App, Error};
use tidegate_core::decide::{Seen, Sightings};
use tidegate_core::model::{Scene, Slot, SlotPhase};
use tidegate_core::sighting::Sighting;

/// What must be left of an invocation to look at one more pipeline: a few calls and writes.
pub(crate) const RESERVE: Duration = Duration::from_secs(10);

/// Looks at every target of the moving release that is judged now or opens next.
pub(crate) async fn at(app: &App, scene: &Scene) -> Result<Sightings, Error> {
    let mut seen = Sightings::new();
    let moving = scene.moving.as_ref().is_some_and(|release| release.phase.is_moving());
    let slots: Vec<&Slot> = scene.owned().filter(|slot| moving && is_open(&slot.phase)).collect();
    if slots.is_empty() {
        return Ok(seen);
    }
    let ecs = Ecs::new(&app.sdk, &app.clock);
    let names: Vec<String> = slots.iter().map(|slot| slot.target.service.clone()).collect();
    let mut services = match ecs.describe(&scene.config.cluster, &names).await {
        Err(refusal) if refusal.is_throttle() => {
            tracing::warn!(%refusal, "looked at nothing; the next tick looks again");
            return Ok(seen);
        }
        services => services?,
    };
    for slot in slots {
        let found = match services.remove(&slot.target.service).flatten() {
            None => Seen::Missing,
            Some(mut service) => {
                closer(app, &ecs, slot, &mut service.sighting).await?;
                Seen::Service(Box::new(service.sighting))
            }
        };
        seen.insert(slot.target.clone(), found);
    }
    Ok(seen)
}

fn is_open(phase: &SlotPhase) -> bool {
    matches!(
        phase,
        SlotPhase::Queued
            | SlotPhase::Settling { .. }
            | SlotPhase::Healthy { .. }
            | SlotPhase::Returning { .. }
    )
}

/// What `DescribeServices` does not say, asked only where a verdict hangs on it.
async fn closer(app: &App, ecs: &Ecs, slot: &Slot, sighting: &mut Sighting) -> Result<(), Error> {
    if !matches!(slot.phase, SlotPhase::Settling { .. }) {
        return Ok(());
    }
    let Some(primary) = sighting.primary() else { return Ok(()) };
    let (ours, failing) = (slot.ours() == Some(primary.revision.as_str()), primary.failed_tasks > 0);
    if ours && failing && slot.tasks.is_empty() {
        let stopped = ecs.stopped_tasks(&slot.target.cluster, &slot.target.service).await;
        // A refusal here leaves the events and the deadline to judge by.
        match stopped {
            Ok(tasks) => {
                sighting.failures = tasks
                    .into_iter()
                    .filter(|task| slot.ours() == Some(task.revision.as_str()))
                    .map(|task| task.failure)
                    .collect();
            }
            Err(refusal) => tracing::warn!(%refusal, "the stopped tasks are not known"),
        }
    }
    if ours && sighting.settled() && !sighting.target_groups.is_empty() {
        sighting.unhealthy = match Elb::new(&app.sdk).unhealthy(&sighting.target_groups).await {
            Ok(unhealthy) => unhealthy,
            // Unreadable is never green.
            Err(refusal) => vec![refusal.to_string()],
        };
    }
    Ok(())
}
