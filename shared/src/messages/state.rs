//! Where a target stands, in one line.

use crate::drift::revision_name;
use crate::model::{Baseline, Digest, Slot, SlotPhase};

/// `Rag: failed: container `Rag` exited with code 1 after 2 s`
pub fn state(slot: &Slot) -> String {
    format!("{}: {}", slot.target.name, words(slot))
}

fn words(slot: &Slot) -> String {
    if let Some(words) = words_of_task(slot) {
        return words.to_owned();
    }
    match &slot.phase {
        SlotPhase::Queued => {
            format!("waits for its wave, runs {}", ran(&slot.baseline))
        }
        SlotPhase::Unaffected => {
            "not affected: no container runs an image of this release".to_owned()
        }
        SlotPhase::Applying { .. } => "being changed".to_owned(),
        SlotPhase::Settling { .. } if slot.target.kind.is_scheduled() => "changed".to_owned(),
        SlotPhase::Settling { .. } => "changed, starting".to_owned(),
        SlotPhase::Sought { .. } => {
            "its call was not answered; ECS is asked whether it runs".to_owned()
        }
        SlotPhase::Healthy { unproven: false, .. } => "healthy".to_owned(),
        SlotPhase::Healthy { unproven: true, .. } if slot.target.kind.is_scheduled() => {
            "changed; its next run has to prove it".to_owned()
        }
        SlotPhase::Healthy { unproven: true, .. } => {
            "changed, unproven: its desired count is 0".to_owned()
        }
        SlotPhase::Failed { failure } => format!("failed: {}", failure.cause),
        SlotPhase::Returning { .. } => format!("going back to {}", ran(&slot.baseline)),
        SlotPhase::Returned { .. } => format!("back on {}", ran(&slot.baseline)),
        SlotPhase::ReturnFailed { failure } => format!("NOT back: {}", failure.cause),
        SlotPhase::Drifted { seen, .. } => format!("changed by somebody else: {seen}"),
        SlotPhase::Untouched => "never changed".to_owned(),
        SlotPhase::Left => "left as it is".to_owned(),
    }
}

/// A one-off task is not brought anywhere: it runs, or it did.
fn words_of_task(slot: &Slot) -> Option<&'static str> {
    let words = match &slot.phase {
        SlotPhase::Queued => "runs once, before the first wave",
        SlotPhase::Applying { .. } => "being started",
        SlotPhase::Settling { .. } => "runs",
        SlotPhase::Healthy { .. } => "ended well",
        SlotPhase::Untouched => "never run",
        _ => return None,
    };
    slot.target.is_task().then_some(words)
}

/// What a target ran before: the digests of the containers that change, and the revision.
fn ran(baseline: &Baseline) -> String {
    let revision = revision_name(&baseline.running);
    let digests: Vec<_> = baseline
        .images
        .iter()
        .filter_map(|image| image.digest.as_ref())
        .map(Digest::short)
        .collect();
    if digests.is_empty() {
        revision.to_owned()
    } else {
        format!("{} ({revision})", digests.join(", "))
    }
}
