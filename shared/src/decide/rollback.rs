//! Everything goes back to its baseline, once.

use std::time::Duration;

use jiff::Timestamp;

use super::step::{CHUNK, TIDEGATE, release_entry};
use super::{does, finish, waits};
use crate::config::{OnFailure, OnTimeout};
use crate::guard::{Guard, stands};
use crate::messages::{self, names};
use crate::model::{
    Action, Blame, Block, Change, Failure, Outcome, Phase, Plan, Release, ReleaseImage, Scene,
    Slot, SlotPhase,
};
use crate::sighting::{LAG, LANDING};

/// What the config says about this failure: roll back, or touch nothing and call a person.
pub(super) fn on_failure(
    scene: &Scene,
    release: &Release,
    failure: Failure,
    now: Timestamp,
) -> Change {
    // An operator's rollback that fails causes no other: a person decides.
    let back = release.cause.goes_back();
    if back && stands(Guard::RollbackOfRollback) {
        return finish::own_rollback_failed(scene, release, failure, now);
    }
    let freeze = match failure.blame {
        Blame::Silence => scene.config.watch.on_timeout == OnTimeout::Freeze,
        Blame::Image | Blame::Other => scene.config.on_failure == OnFailure::Freeze,
    };
    if freeze {
        finish::frozen(scene, release, failure, now)
    } else {
        begin(scene, release, failure, TIDEGATE, now)
    }
}

/// An operator fails a release that moves, or that stopped for a person to decide.
pub fn by_operator(
    scene: &Scene,
    release: &Release,
    actor: &str,
    include_drifted: bool,
    now: Timestamp,
) -> Change {
    let failure = release.failure.clone().unwrap_or_else(|| Failure {
        cause: format!("{actor} asked for the rollback"),
        remedy: String::new(),
        evidence: Vec::new(),
        blame: Blame::Other,
        at: now,
    });
    if !release.targets().any(|t| scene.slots.get(t).is_some_and(|s| s.release == release.id)) {
        return finish::rolled_back_untouched(scene, release, failure, actor, now);
    }
    let mut change = begin(scene, release, failure, actor, now);
    if include_drifted {
        let drifted = scene.owned().filter(|s| matches!(s.phase, SlotPhase::Drifted { .. }));
        // More than a chunk of them stay drifted, and are named again when the others are back.
        for slot in drifted.take(CHUNK) {
            let (before, mut after) = back(scene, slot, begins(scene, now));
            after.asked.over_drift = true;
            change.slots.push((before, after));
        }
    }
    change
}

fn begin(
    scene: &Scene,
    release: &Release,
    failure: Failure,
    actor: &str,
    now: Timestamp,
) -> Change {
    let since = begins(scene, now);
    let mut next = release.becomes(Phase::RollingBack { since });
    let reason = failure.cause.clone();
    let blocks = blocks(scene, release, &failure, now);
    next.failure = Some(failure);
    let slots: Vec<_> = scene.owned().collect();
    let blamed = |image: &&ReleaseImage| blocks.iter().any(|block| block.digest == image.digest);
    let blocked: Vec<_> = next.images.values().filter(blamed).collect();
    let notice = messages::rollback_started(&next, &slots, &blocked);
    let entry = release_entry(release, &next, actor, reason, Some(notice), now);
    let slots = standing(scene, since).take(CHUNK).map(|slot| back(scene, slot, since)).collect();
    Change { releases: vec![next], slots, journal: vec![entry], blocks, ..Change::default() }
}

/// The digests to blame: those in the targets that fell by them, unless they ran before.
fn blocks(scene: &Scene, release: &Release, failure: &Failure, now: Timestamp) -> Vec<Block> {
    if failure.blame != Blame::Image {
        return Vec::new();
    }
    let ran_before: Vec<_> =
        scene.owned().flat_map(|s| &s.baseline.images).filter_map(|i| i.digest.as_ref()).collect();
    let blamed: Vec<_> = scene
        .owned()
        .filter(|slot| {
            matches!(&slot.phase, SlotPhase::Failed { failure } if failure.blame == Blame::Image)
        })
        .flat_map(|slot| slot.wanted.iter().map(|pin| &pin.digest))
        .collect();
    release
        .images
        .values()
        .filter(|image| blamed.contains(&&image.digest))
        .filter(|image| !ran_before.iter().any(|digest| image.accepts.contains(digest)))
        .filter(|image| !scene.blocked.contains_key(&image.digest))
        .map(|image| Block {
            digest: image.digest.clone(),
            release: release.id.clone(),
            why: failure.cause.clone(),
            at: now,
        })
        .collect()
}

/// Slots that the rollback begun at `since` has not asked to come back. A drifted one is left alone,
/// and so is a one-off task that AWS took: it runs to its end, and what it did stays.
fn standing(scene: &Scene, since: Timestamp) -> impl Iterator<Item = &Slot> {
    scene.owned().filter(move |slot| match slot.phase {
        _ if slot.target.is_task() => {
            let asked = matches!(slot.phase, SlotPhase::Applying { .. });
            let open = matches!(slot.answer(), None | Some(Outcome::Throttled { .. }));
            slot.phase == SlotPhase::Queued || (asked && open)
        }
        SlotPhase::Queued
        | SlotPhase::Applying { .. }
        | SlotPhase::Settling { .. }
        | SlotPhase::Healthy { .. }
        | SlotPhase::Failed { .. } => true,
        // An earlier rollback of it failed; this one tries again, once.
        SlotPhase::ReturnFailed { .. } => slot.asked.at < since || !stands(Guard::RollbackOnce),
        SlotPhase::Unaffected
        | SlotPhase::Returning { .. }
        | SlotPhase::Returned { .. }
        | SlotPhase::Drifted { .. }
        | SlotPhase::Untouched
        | SlotPhase::Left => false,
    })
}

/// When a rollback begins: after all that fell in an earlier one was asked. By a clock that is behind,
/// that would look as if this one had asked it already.
fn begins(scene: &Scene, now: Timestamp) -> Timestamp {
    let fell = scene.owned().filter(|s| matches!(s.phase, SlotPhase::ReturnFailed { .. }));
    fell.map(|slot| slot.asked.at + Duration::from_millis(1)).fold(now, Timestamp::max)
}

/// No call of it can land any more: none was sent, or AWS said to come back later.
fn never_sent(slot: &Slot) -> bool {
    let throttled = matches!(slot.answer(), Some(Outcome::Throttled { .. }));
    let open = slot.done.intent.is_some() || slot.done.lost.is_some();
    slot.done.called.is_none() || (throttled && !open)
}

fn back(scene: &Scene, slot: &Slot, now: Timestamp) -> (Option<Slot>, Slot) {
    let patience = scene.config.patience(&slot.target, slot.baseline.native_minutes);
    let next = if slot.phase == SlotPhase::Queued || (slot.target.is_task() && never_sent(slot)) {
        slot.becomes(SlotPhase::Untouched)
    } else if slot.target.is_task() {
        // Withdrawn: sent again it would run in a release that goes back. A look finds it, if it runs.
        let deadline = now + LANDING + LAG + patience;
        slot.becomes(SlotPhase::Settling { since: now, deadline })
    } else {
        let deadline = now + patience;
        let mut next =
            slot.becomes(SlotPhase::Returning { since: now, deadline }).asks(Action::RollBack, now);
        next.repairs = 0;
        next
    };
    (Some(slot.clone()), next)
}

/// A rollback under way: write the chunks that are missing, then end.
pub(super) fn progress(scene: &Scene, release: &Release, since: Timestamp, now: Timestamp) -> Plan {
    let missing: Vec<_> = standing(scene, since).take(CHUNK).collect();
    if !missing.is_empty() {
        let at = now.max(since);
        let slots = missing.into_iter().map(|slot| back(scene, slot, at)).collect();
        return does(Change { slots, ..Change::default() });
    }
    let is_open = |slot: &&Slot| match slot.phase {
        SlotPhase::Returning { .. } => true,
        SlotPhase::Applying { .. } | SlotPhase::Settling { .. } => slot.target.is_task(),
        _ => false,
    };
    let (tasks, services): (Vec<_>, Vec<_>) =
        scene.owned().filter(is_open).partition(|slot| slot.target.is_task());
    let what = match (&services[..], &tasks[..]) {
        ([], []) => return does(finish::rollback_ended(scene, release, now)),
        ([], tasks) if tasks.iter().any(|slot| slot.made().is_none()) => format!(
            "{}: whether it ran is not known; ECS is asked until its call can no longer arrive",
            names(tasks)
        ),
        ([], tasks) => format!("{} to end: a task that runs is not stopped", names(tasks)),
        (services, _) => format!("{} to come back", names(services)),
    };
    waits(what, None)
}
