//! One look at the targets of a moving release, with as few calls as it takes.

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_aws::ecs::{Ecs, Seen as Service, StoppedTask};
use tidegate_aws::{App, Error, Refusal};
use tidegate_core::decide::{Seen, Sightings, bake_is_over};
use tidegate_core::marks::token;
use tidegate_core::model::{Digest, Scene, Slot, SlotPhase, TargetId, TargetKind, TaskFailure};

/// What must be left of an invocation to look at one more pipeline: a few calls and writes.
pub(crate) const RESERVE: Duration = Duration::from_secs(10);

/// What a look showed.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// The targets that could be read; what cannot be read is neither missing nor failed.
    pub(crate) seen: Sightings,
    /// Why the others could not: what a person must know of. A throttle is not: it passes.
    pub(crate) refused: Option<Refusal>,
}

/// Looks at these targets of the moving release.
pub(crate) async fn at(app: &App, scene: &Scene, targets: &[TargetId]) -> Look {
    let mut look = Look::default();
    let slots: Vec<&Slot> = scene.owned().filter(|slot| targets.contains(&slot.target)).collect();
    if slots.is_empty() {
        return look;
    }
    let all = app.targets(&scene.config.region, scene.config.role.as_ref());
    let ecs = &all.ecs;
    let (tasks, slots): (Vec<&Slot>, Vec<&Slot>) =
        slots.into_iter().partition(|slot| slot.target.is_task());
    for slot in tasks {
        look.add(slot, one_off(ecs, scene, slot).await);
    }
    let mut shown = all.look(slots.iter().map(|slot| &slot.target)).await;
    // The bake's last look is as close as the one that found it healthy.
    let last = bake_is_over(scene, app.clock.now());
    for slot in slots {
        let found = match shown.remove(&slot.target) {
            None | Some(Ok(None)) => Ok(Seen::Missing),
            Some(Ok(Some(mut service))) => {
                if slot.target.kind == TargetKind::Service {
                    closer(app, scene, ecs, slot, last, &mut service).await;
                }
                Ok(Seen::Service(Box::new(service.sighting)))
            }
            Some(Err(refusal)) => Err(refusal),
        };
        look.add(slot, found);
    }
    look
}

impl Look {
    fn add(&mut self, slot: &Slot, found: Result<Seen, Refusal>) {
        match found {
            Ok(seen) => {
                self.seen.insert(slot.target.clone(), seen);
            }
            Err(refusal) => {
                tracing::warn!(target = %slot.target, %refusal, "not seen; the next tick looks again");
                if !refusal.is_throttle() {
                    self.refused = Some(refusal);
                }
            }
        }
    }
}

/// The task that was started for the slot; one that nobody looks for is missing.
async fn one_off(ecs: &Ecs, scene: &Scene, slot: &Slot) -> Result<Seen, Refusal> {
    let Some(task) = scene.config.task(&slot.target) else { return Ok(Seen::Missing) };
    let (cluster, container) = (&slot.target.within, &task.container);
    let sought = matches!(slot.phase, SlotPhase::Sought { .. } | SlotPhase::Settling { .. });
    let token = token(slot);
    let seen = match (slot.made(), slot.ours()) {
        (Some(arn), _) => ecs.one_off(cluster, arn, container).await?,
        (None, Some(revision)) if sought => {
            ecs.one_off_of(cluster, revision, &token, container).await?
        }
        (None, _) => None,
    };
    Ok(seen.map_or(Seen::Missing, |task| Seen::Task { token, task: Box::new(task) }))
}

/// What `DescribeServices` does not say, asked only where a verdict hangs on it.
async fn closer(
    app: &App,
    scene: &Scene,
    ecs: &Ecs,
    slot: &Slot,
    last: bool,
    service: &mut Service,
) {
    let Some(primary) = service.sighting.primary() else { return };
    let (revision, failing) = (primary.revision.clone(), primary.failed_tasks > 0);
    let (ours, old) = (slot.ours() == Some(revision.as_str()), slot.is_baseline(&revision));
    let settling = matches!(slot.phase, SlotPhase::Settling { .. });
    let healthy = matches!(slot.phase, SlotPhase::Healthy { .. });
    if !ours && !old && (settling || healthy) {
        service.sighting.resolved = resolved(ecs, service, &revision).await;
    }
    let judged = settling || (healthy && last);
    if !judged {
        return;
    }
    let sighting = &mut service.sighting;
    // Back on the baseline: ECS's word may come before those of the tasks that made it go.
    if ((ours && failing) || old) && slot.tasks.is_empty() {
        let stopped = ecs.stopped_tasks(&slot.target.within, &slot.target.name).await;
        // A refusal here leaves the events and the deadline to judge by.
        match stopped {
            Ok(tasks) => {
                let normal = exits_normally(slot, &tasks);
                sighting.failures = tasks
                    .into_iter()
                    .filter(|task| slot.ours() == Some(task.revision.as_str()))
                    .map(|task| task.failure)
                    .filter(|failure| !normal || failure.exit_code != Some(0))
                    .collect();
            }
            Err(refusal) => tracing::warn!(%refusal, "the stopped tasks are not known"),
        }
    }
    if !old && sighting.settled() && !sighting.target_groups.is_empty() {
        let balancers = app.elb(&slot.target.region, scene.config.role.as_ref());
        sighting.unhealthy = match balancers.unhealthy(&sighting.target_groups).await {
            Ok(unhealthy) => unhealthy,
            // Unreadable is never green.
            Err(refusal) => vec![refusal.to_string()],
        };
    }
}

/// The bytes that ECS resolved for somebody else's revision. What it does not tell is not ours.
async fn resolved(ecs: &Ecs, service: &Service, revision: &str) -> BTreeMap<String, Digest> {
    match ecs.service_revisions(&service.service_revisions).await {
        Ok(revisions) => revisions
            .into_values()
            .filter(|found| found.task_definition == revision)
            .flat_map(|found| found.containers)
            .filter_map(|container| Some((container.container, container.digest?)))
            .collect(),
        Err(refusal) => {
            tracing::warn!(%refusal, "what somebody else brought is not known");
            BTreeMap::new()
        }
    }
}

/// Whether a task ended as the baseline's tasks do: workers that exit 0 and are started again.
///
/// Asked of ECS only for an exit 0 of our revision, which is rare; it shows the last hour's tasks.
pub(crate) async fn is_normal_life(
    app: &App,
    scene: &Scene,
    target: &TargetId,
    revision: &str,
    failure: &TaskFailure,
) -> Result<bool, Error> {
    let slot = scene.slots.get(target).filter(|slot| slot.ours() == Some(revision));
    let (Some(slot), Some(0)) = (slot, failure.exit_code) else { return Ok(false) };
    let ecs = app.ecs(&scene.config.region, scene.config.role.as_ref());
    let stopped = ecs.stopped_tasks(&target.within, &target.name).await?;
    Ok(exits_normally(slot, &stopped))
}

fn exits_normally(slot: &Slot, stopped: &[StoppedTask]) -> bool {
    let well = |task: &TaskFailure| task.ended_by_itself() && task.exit_code == Some(0);
    stopped.iter().any(|task| slot.is_baseline(&task.revision) && well(&task.failure))
}
