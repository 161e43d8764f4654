//! Is the image to blame? Judged from tasks that stopped, by their reasons.

use jiff::Timestamp;

use super::step::slot_entry;
use crate::messages::{Counts, explain};
use crate::model::{Change, Failure, Scene, Slot, SlotPhase, TaskFailure};

/// What follows from one stopped task of `target`'s slot; judged without asking AWS anything.
///
/// `None` when the task says nothing new: known already, innocent, or not of our revision.
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
    if !watched || slot.ours() != Some(revision) || !note(&mut slot.clone(), task) {
        return None;
    }
    let mut next = slot.clone();
    note(&mut next, task);
    let needed = scene.config.watch.failed_tasks;
    let verdict = verdict(&next, needed, slot.baseline.desired, now);
    let reason = match &verdict {
        Some(failure) => failure.cause.clone(),
        None => format!("a task stopped; {needed} are needed to blame the image"),
    };
    let mut next = next.becomes(match verdict {
        Some(failure) => SlotPhase::Failed { failure },
        None => slot.phase.clone(),
    });
    next.puzzled = slot.puzzled;
    let entry = slot_entry(slot, &next, reason, vec![task.to_string()], now);
    Some(Change {
        slots: vec![(Some(slot.clone()), next)],
        journal: vec![entry],
        ..Change::default()
    })
}

/// Writes a task down if it counts and is new; whether it did.
pub(super) fn note(slot: &mut Slot, task: &TaskFailure) -> bool {
    let known = slot.tasks.contains_key(&task.task) || slot.tasks.len() >= Slot::MOST_TASKS;
    let counts = match explain(task).counts {
        Counts::Decisive | Counts::Counts => true,
        Counts::ExitZero => !slot.baseline.exits_normally,
        Counts::Innocent(_) => false,
    };
    if known || !counts {
        return false;
    }
    slot.tasks.insert(task.task.clone(), task.clone());
    true
}

/// Whether the tasks written down are enough to blame the image.
///
/// A pull, manifest or format failure: one. Anything else: `needed` distinct tasks, or one when
/// a single task is all the service runs and it fell at its start.
pub(super) fn verdict(slot: &Slot, needed: u32, desired: u32, now: Timestamp) -> Option<Failure> {
    let explained = || slot.tasks.values().map(|task| (task, explain(task)));
    let decisive = explained().find(|(_, why)| why.counts == Counts::Decisive);
    let alone = desired <= 1;
    let at_start = explained().find(|(task, _)| alone && task.at_start());
    let enough = (u32::try_from(slot.tasks.len()).unwrap_or(u32::MAX) >= needed)
        .then(|| explained().next())
        .flatten();
    let (_, why) = decisive.or(at_start).or(enough)?;
    Some(Failure {
        cause: why.cause,
        remedy: why.remedy,
        evidence: slot.tasks.values().map(ToString::to_string).collect(),
        blame: why.blame,
        at: now,
    })
}
