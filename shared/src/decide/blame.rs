//! Is the image to blame? Judged from tasks that stopped, by their reasons.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::step::slot_entry;
use crate::messages::{Counts, explain};
use crate::model::{Blame, Change, Digest, Failure, Pin, Scene, Slot, SlotPhase, TaskFailure};

/// What follows from one stopped task of `target`'s slot; judged without asking AWS anything.
///
/// `None` when the task says nothing new: known already, innocent, or not of our revision. A task
/// that exited 0 counts; that its baseline's tasks did so too is for the caller to find out.
pub fn note_task(
    scene: &Scene,
    slot: &Slot,
    revision: &str,
    task: &TaskFailure,
    now: Timestamp,
) -> Option<Change> {
    let watched = matches!(
        slot.phase,
        SlotPhase::Applying { .. } | SlotPhase::Settling { .. } | SlotPhase::Healthy { .. }
    );
    let owner = scene.moving.as_ref().filter(|release| release.phase.is_moving());
    let owned = owner.is_some_and(|release| release.id == slot.release);
    let mut noted = slot.clone();
    if !owned || !watched || slot.ours() != Some(revision) || !note(&mut noted, task) {
        return None;
    }
    let needed = needed(scene, slot);
    let (reason, phase) = match verdict(&noted, needed, now) {
        Some(failure) => (failure.cause.clone(), SlotPhase::Failed { failure }),
        None => (stopped(needed), slot.phase.clone()),
    };
    let next = noted.becomes(phase);
    let entry = slot_entry(slot, &next, reason, vec![task.to_string()], now);
    Some(Change {
        slots: vec![(Some(slot.clone()), next)],
        journal: vec![entry],
        ..Change::default()
    })
}

/// So many tasks of ours that fell are a verdict. A schedule's run is the task: nothing starts it again.
pub(super) fn needed(scene: &Scene, slot: &Slot) -> usize {
    if slot.target.kind.is_scheduled() {
        return 1;
    }
    // A config that was stored before there was a bound may ask for more than a slot writes down.
    usize::try_from(scene.config.watch.failed_tasks).unwrap_or(usize::MAX).min(Slot::MOST_TASKS)
}

/// What a task that alone decides nothing leaves in the audit trail.
pub(super) fn stopped(needed: usize) -> String {
    format!("a task stopped; {needed} are needed to fail the release")
}

/// Writes a task down if it counts and is new; whether it did.
pub(super) fn note(slot: &mut Slot, task: &TaskFailure) -> bool {
    let known = slot.tasks.contains_key(&task.task) || slot.tasks.len() >= Slot::MOST_TASKS;
    let ended_well = slot.target.kind.is_scheduled() && task.exit_code == Some(0);
    if known || ended_well || matches!(explain(task).counts, Counts::Innocent(_)) {
        return false;
    }
    slot.tasks.insert(task.task.clone(), task.clone());
    true
}

/// Whether the tasks written down are enough to fail the rollout.
///
/// A pull, manifest or format failure: one. Anything else: `needed` distinct tasks, or one when
/// a single task is all the service ran and it fell at its start.
pub(super) fn verdict(slot: &Slot, needed: usize, now: Timestamp) -> Option<Failure> {
    let explained = || slot.tasks.values().map(|task| (task, explain(task)));
    let alone = slot.baseline.desired <= 1;
    let enough = slot.tasks.len() >= needed;
    let (_, why) = explained()
        .find(|(_, why)| why.counts == Counts::Decisive)
        .or_else(|| explained().find(|(task, _)| alone && fell_at_start(task)))
        .or_else(|| explained().filter(|_| enough).min_by_key(|(_, why)| why.blame))?;
    Some(Failure {
        cause: why.cause,
        remedy: why.remedy,
        evidence: slot.tasks.values().map(ToString::to_string).collect(),
        blame: why.blame,
        at: now,
    })
}

/// Which of these new bytes made a target fall: those of the containers that ended its tasks. Where nobody
/// says which container it was, and several of its bytes are new, none is named.
pub(super) fn suspects<'s>(slot: &'s Slot, new: &BTreeSet<&Digest>) -> BTreeSet<&'s Digest> {
    let named = || slot.tasks.values().map(|task| &task.container).filter(|it| !it.is_empty());
    let fell = |pin: &&Pin| named().next().is_none() || named().any(|it| *it == pin.container);
    let pins = slot.wanted.iter().filter(|pin| new.contains(&pin.digest)).filter(fell);
    let suspects: BTreeSet<_> = pins.map(|pin| &pin.digest).collect();
    if suspects.len() > 1 && named().next().is_none() { BTreeSet::new() } else { suspects }
}

/// It never ran, or ended by itself and not well within the first minute. What ends with code 0 or
/// is stopped by a health check may do better the second time.
fn fell_at_start(task: &TaskFailure) -> bool {
    let stopped = task.stop_code == "ServiceSchedulerInitiated";
    task.at_start() && !stopped && task.exit_code != Some(0)
}

/// Who is to blame when ECS gives a deployment up, in these words: who its tasks name. Without a
/// task that counts, its breaker met what is nobody's fault (no place, no capacity); an alarm rang
/// for what ran.
pub(super) fn of_tasks(slot: &Slot, words: &str) -> Blame {
    let silent = if words.contains("alarm") { Blame::Image } else { Blame::Other };
    slot.tasks.values().map(|task| explain(task).blame).min().unwrap_or(silent)
}
