//! The runs of a schedule: all that ever proves, or refutes, the revision that it names.

use jiff::Timestamp;

use super::blame::{note, note_task};
use super::step::slot_entry;
use crate::messages::{self, Counts, explain};
use crate::model::{Change, Release, Scene, Slot, SlotPhase, TaskFailure};

/// What follows from a run of `slot`'s revision that ended. While the release moves, a run that failed
/// fails it. Later nothing goes back by itself, since everything else of the release has held: people are
/// told of the first run that fails, and decide.
///
/// `None` where the run says nothing new.
pub fn note_run(
    scene: &Scene,
    slot: &Slot,
    revision: &str,
    run: &TaskFailure,
    now: Timestamp,
) -> Option<Change> {
    let ours = slot.target.kind.is_scheduled() && slot.ours() == Some(revision);
    // Of a retired pipeline nobody wants to hear, and nobody could go back.
    if !ours || scene.head.retired.is_some() {
        return None;
    }
    let by_itself = run.ended_by_itself();
    match run.exit_code {
        Some(0) if by_itself => return proven(slot, run, now),
        // Stopped by somebody, and it took that well: that proves nothing.
        Some(0) => return None,
        // The event that has the code is on its way, unless it never ran at all.
        None if explain(run).counts != Counts::Decisive && by_itself => return None,
        Some(_) | None => {}
    }
    let live = scene.live.as_ref().filter(|live| live.id == slot.release);
    match live {
        Some(live) => failed_since(live, slot, run, now),
        None => note_task(scene, slot, revision, run, now),
    }
}

/// The first run that ended well.
fn proven(slot: &Slot, run: &TaskFailure, now: Timestamp) -> Option<Change> {
    let SlotPhase::Healthy { at, unproven: true } = slot.phase else { return None };
    let next = slot.becomes(SlotPhase::Healthy { at, unproven: false });
    let reason = format!("a run of it ended with code 0: {}", run.task);
    let entry = slot_entry(slot, &next, reason, Vec::new(), now);
    Some(changes(slot, next, entry))
}

fn failed_since(live: &Release, slot: &Slot, run: &TaskFailure, now: Timestamp) -> Option<Change> {
    let mut noted = slot.clone();
    if !note(&mut noted, run) {
        return None;
    }
    let first = slot.tasks.is_empty();
    let why = explain(run);
    let next = noted.becomes(slot.phase.clone());
    let reason = format!("a run of it failed: {}", why.cause);
    let mut entry = slot_entry(slot, &next, reason, vec![run.to_string()], now);
    entry.notice = first.then(|| messages::run_failed(live, slot, &why, run));
    Some(changes(slot, next, entry))
}

fn changes(slot: &Slot, next: Slot, entry: crate::model::Entry) -> Change {
    Change { slots: vec![(Some(slot.clone()), next)], journal: vec![entry], ..Change::default() }
}
