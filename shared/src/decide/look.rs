//! When a look at ECS is worth a call. Events tell that something happened; looks decide.
//!
//! Nine services of a wave complete within seconds of each other: one look for all of them, once
//! the last was told of, costs a ninth of a look for each. What is never told is looked at by the
//! minute's tick.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Change, Phase, Scene, Slot, SlotPhase, TargetId};

/// A rollout that ECS has not told of by then may have been told of in vain: from here on every
/// tick looks. Fargate's own start and the drain of the old task take up to about that long: a look
/// before would be in vain, and the first one after is at most a minute late.
const TOLD_BY: Duration = Duration::from_secs(75);

/// The targets that the minute's tick looks at.
///
/// At what ECS sends no events of, every tick looks. A look at one target of a cluster costs the same
/// call as a look at ten, so the targets whose wave opens next come along: their drift is seen before
/// they are touched.
pub fn due(scene: &Scene, now: Timestamp) -> Vec<TargetId> {
    let Some(release) = &scene.moving else { return Vec::new() };
    let baked = bake_is_over(scene, now);
    let is_due = |slot: &Slot| match slot.phase {
        SlotPhase::Settling { .. } if !slot.target.kind.is_told_of() => true,
        SlotPhase::Settling { since, deadline } => {
            slot.told_at.is_some() || now >= since + TOLD_BY || now >= deadline
        }
        SlotPhase::Sought { .. } => true,
        SlotPhase::Returning { .. } => slot.answer().is_some(),
        // The bake's last look; what happens before is told by events.
        SlotPhase::Healthy { .. } => baked,
        _ => false,
    };
    if release.phase.is_moving() && scene.owned().any(is_due) {
        open(scene, baked)
    } else {
        Vec::new()
    }
}

/// The release held for as long as it must; one look more, and it is live.
pub fn bake_is_over(scene: &Scene, now: Timestamp) -> bool {
    let phase = scene.moving.as_ref().map(|release| &release.phase);
    matches!(phase, Some(Phase::Baking { until }) if now >= *until)
}

/// When the first of what is open ends by itself: whose turn it is when time is short.
pub fn ends_at(scene: &Scene) -> Option<Timestamp> {
    let bake = scene.moving.as_ref().and_then(|release| match release.phase {
        Phase::Baking { until } => Some(until),
        _ => None,
    });
    let deadlines = scene.owned().filter_map(|slot| match slot.phase {
        SlotPhase::Settling { deadline, .. } | SlotPhase::Returning { deadline, .. } => {
            Some(deadline)
        }
        _ => None,
    });
    deadlines.chain(bake).min()
}

/// The targets to look at when ECS told of one: those that are judged now or open next.
pub fn open(scene: &Scene, with_healthy: bool) -> Vec<TargetId> {
    let is_open = |slot: &&Slot| match slot.phase {
        SlotPhase::Queued
        | SlotPhase::Settling { .. }
        | SlotPhase::Sought { .. }
        | SlotPhase::Returning { .. } => true,
        SlotPhase::Healthy { .. } => with_healthy,
        _ => false,
    };
    scene.owned().filter(is_open).map(|slot| slot.target.clone()).collect()
}

/// Whether a slot waits for word of its target: of a stopped task that ran this revision, or, `None`,
/// of a deployment. Tasks of the revision that ours replaces stop too, and say nothing of the release.
pub fn waits_for(slot: &Slot, stopped: Option<&str>) -> bool {
    let ours = stopped.is_some() && stopped == slot.ours();
    match slot.phase {
        SlotPhase::Applying { .. } => ours,
        SlotPhase::Settling { .. } | SlotPhase::Healthy { .. } => ours || stopped.is_none(),
        SlotPhase::Returning { .. } => stopped.is_none(),
        _ => false,
    }
}

/// Writes down that ECS told of a completed deployment; `None` where that is known or nobody waits.
pub fn note_told(slot: &Slot, now: Timestamp) -> Option<Change> {
    let waits = matches!(slot.phase, SlotPhase::Settling { .. } | SlotPhase::Returning { .. });
    if !waits || slot.told_at.is_some() {
        return None;
    }
    let mut next = slot.stepped();
    next.told_at = Some(now);
    Some(Change { slots: vec![(Some(slot.clone()), next)], ..Change::default() })
}

/// ECS told of every target that is waited for: now one look shows them all. Of what it never tells of
/// the tick takes care.
pub fn all_told(scene: &Scene) -> bool {
    scene.owned().filter(|slot| slot.target.kind.is_told_of()).all(|slot| match slot.phase {
        SlotPhase::Applying { .. } => false,
        SlotPhase::Settling { .. } | SlotPhase::Returning { .. } => slot.told_at.is_some(),
        _ => true,
    })
}
