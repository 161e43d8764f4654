//! Everything goes back to its baseline, once.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::step::{CHUNK, TIDEGATE, release_entry, slot_entry};
use super::{blame, does, finish, judge, waits};
use crate::config::{OnFailure, OnTimeout};
use crate::guard::{Guard, stands};
use crate::messages::{self, names};
use crate::model::{
    Action, Blame, Block, Change, Failure, Outcome, Phase, Plan, Release, ReleaseImage, Scene,
    Slot, SlotPhase,
};

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
    let mut change = chunk(scene, since, since);
    change.journal.insert(0, entry);
    Change { releases: vec![next], blocks, ..change }
}

/// The digests to blame, in the targets that fell by them, unless they ran before.
fn blocks(scene: &Scene, release: &Release, failure: &Failure, now: Timestamp) -> Vec<Block> {
    if failure.blame != Blame::Image {
        return Vec::new();
    }
    let ran_before: Vec<_> =
        scene.owned().flat_map(|s| &s.baseline.images).filter_map(|i| i.digest.as_ref()).collect();
    let ran_before =
        |image: &ReleaseImage| ran_before.iter().any(|digest| image.accepts.contains(digest));
    let new: BTreeSet<_> =
        release.images.values().filter(|it| !ran_before(it)).map(|it| &it.digest).collect();
    let fell = |slot: &&Slot| matches!(&slot.phase, SlotPhase::Failed { failure } if failure.blame == Blame::Image);
    let blamed: BTreeSet<_> =
        scene.owned().filter(fell).flat_map(|slot| blame::suspects(slot, &new)).collect();
    release
        .images
        .values()
        .filter(|image| {
            blamed.contains(&image.digest) && !scene.blocked.contains_key(&image.digest)
        })
        .map(|image| Block {
            digest: image.digest.clone(),
            release: release.id.clone(),
            why: failure.cause.clone(),
            at: now,
        })
        .collect()
}

/// The next slots that go back. The release's own line tells of them all, but for the one-off tasks that
/// may run.
fn chunk(scene: &Scene, since: Timestamp, now: Timestamp) -> Change {
    let slots: Vec<_> =
        standing(scene, since).take(CHUNK).map(|slot| back(scene, slot, now)).collect();
    let line = |(before, after): &(Option<Slot>, Slot)| {
        let reason = match after.phase {
            SlotPhase::Sought { .. } => {
                "its call was not answered: it is withdrawn, and looked for"
            }
            SlotPhase::Settling { .. } => "AWS took its call: a task that runs is not stopped",
            _ => return None,
        };
        Some(slot_entry(before.as_ref()?, after, reason.to_owned(), Vec::new(), now))
    };
    let journal = slots.iter().filter_map(line).collect();
    Change { slots, journal, ..Change::default() }
}

/// Slots that the rollback begun at `since` has not asked to come back, one-off tasks first: what is
/// still asked of them would run. A drifted one is left alone, and so is a one-off task that AWS took: it
/// runs to its end, and what it did stays.
fn standing(scene: &Scene, since: Timestamp) -> impl Iterator<Item = &Slot> {
    let tasks = scene.owned().filter(|slot| slot.target.is_task());
    let others = scene.owned().filter(|slot| !slot.target.is_task());
    tasks.chain(others).filter(move |slot| match slot.phase {
        SlotPhase::Queued => true,
        SlotPhase::Applying { .. } if slot.target.is_task() => {
            matches!(slot.answer(), None | Some(Outcome::Throttled { .. }))
        }
        // Deploy was given up, and nobody knows what came of its call.
        SlotPhase::Failed { ref failure } if slot.target.is_task() => {
            slot.is_lost() && failure.at <= since
        }
        _ if slot.target.is_task() => false,
        SlotPhase::Applying { .. }
        | SlotPhase::Settling { .. }
        | SlotPhase::Healthy { .. }
        | SlotPhase::Failed { .. } => true,
        // An earlier rollback of it failed; this one tries again, once.
        SlotPhase::ReturnFailed { .. } => slot.asked.at < since || !stands(Guard::RollbackOnce),
        SlotPhase::Unaffected
        | SlotPhase::Sought { .. }
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

fn back(scene: &Scene, slot: &Slot, now: Timestamp) -> (Option<Slot>, Slot) {
    let next = if slot.target.is_task() {
        slot.becomes(judge::withdrawn(scene, slot, now))
    } else if slot.phase == SlotPhase::Queued || slot.was_refused_whole() {
        slot.becomes(SlotPhase::Untouched)
    } else {
        let deadline = now + scene.config.patience(&slot.target, slot.baseline.native_minutes);
        let mut next =
            slot.becomes(SlotPhase::Returning { since: now, deadline }).asks(Action::RollBack, now);
        next.repairs = 0;
        next
    };
    (Some(slot.clone()), next)
}

/// A rollback under way: write the chunks that are missing, then end.
pub(super) fn progress(scene: &Scene, release: &Release, since: Timestamp, now: Timestamp) -> Plan {
    let missing = chunk(scene, since, now.max(since));
    if !missing.slots.is_empty() {
        return does(missing);
    }
    let is_open = |slot: &&Slot| match slot.phase {
        SlotPhase::Returning { .. } | SlotPhase::Sought { .. } => true,
        SlotPhase::Applying { .. } | SlotPhase::Settling { .. } => slot.target.is_task(),
        _ => false,
    };
    let (tasks, services): (Vec<_>, Vec<_>) =
        scene.owned().filter(is_open).partition(|slot| slot.target.is_task());
    let is_sought = |slot: &&Slot| matches!(slot.phase, SlotPhase::Sought { .. });
    let sought: Vec<_> = tasks.iter().copied().filter(is_sought).collect();
    let what = match (&services[..], &tasks[..]) {
        ([], []) => return does(finish::rollback_ended(scene, release, now)),
        ([], _) if !sought.is_empty() => format!(
            "word of {}, whose call was not answered: ECS is asked until it can no longer arrive",
            names(&sought)
        ),
        ([], tasks) => format!("{} to end: a task that runs is not stopped", names(tasks)),
        (services, _) => format!("{} to come back", names(services)),
    };
    waits(what, None)
}
