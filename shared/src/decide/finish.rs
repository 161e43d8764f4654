//! Every end, and every stop that only a person ends.

use jiff::Timestamp;

use super::does;
use super::step::{CHUNK, SINGLES, TIDEGATE, release_entry};
use crate::guard::{Guard, stands};
use crate::messages::{self, Aftermath};
use crate::model::{
    Cause, Change, Failure, Freeze, Head, Notice, Phase, Plan, Rejection, Release, ReleaseImage,
    Scene, Slot, SlotPhase, Todo, set_of,
};

/// On all targets, and it held. The targets are written with it: a failure noted beside it is either
/// seen, or comes too late to be one of this release. More than fit are as they were read.
pub(super) fn live(scene: &Scene, release: &Release, now: Timestamp) -> Change {
    let moved: Vec<_> = scene.owned().filter(|s| s.phase.was_touched()).collect();
    let unproven = moved.iter().all(|s| {
        s.target.is_task() || matches!(s.phase, SlotPhase::Healthy { unproven: true, .. })
    });
    let next = release.becomes(Phase::Live { at: now, unproven, accepted: false });
    let notice = messages::live(&next, &moved);
    let mut next = with_the_rest(next, scene);
    next.todo = scene.config.retag.is_some().then_some(Todo::Deploy);
    let reason = if unproven && moved.iter().all(|s| s.target.kind.is_scheduled()) {
        "it held; the next run has to prove it".to_owned()
    } else if unproven {
        "it held, but no task ran that could prove it (desired count 0)".to_owned()
    } else {
        "it held for the whole bake".to_owned()
    };
    let mut head = scene.head.stepped();
    head.moving = None;
    head.live = Some(release.id.number);
    let slots = moved.into_iter().take(SINGLES).map(|slot| (Some(slot.clone()), slot.stepped()));
    let entry = release_entry(release, &next, TIDEGATE, reason, Some(notice), now);
    Change {
        head: Some(head),
        releases: vec![next],
        slots: slots.collect(),
        journal: vec![entry],
        ..Change::default()
    }
}

/// The live release names every image of the pipeline: those it did not bring stayed as they were.
/// So "what is live" and "back to that release" have one answer.
fn with_the_rest(mut release: Release, scene: &Scene) -> Release {
    let before = scene.live.iter().flat_map(|live| &live.images);
    for (name, image) in before.filter(|(name, _)| scene.config.images.contains_key(*name)) {
        release.images.entry(name.clone()).or_insert_with(|| image.clone());
    }
    release
}

/// The config says: on failure touch nothing, call a person.
pub(super) fn frozen(scene: &Scene, release: &Release, failure: Failure, now: Timestamp) -> Change {
    let mut next = release.becomes(Phase::Frozen { at: now });
    let why = failure.cause.clone();
    next.failure = Some(failure);
    let notice = messages::frozen(&next, &scene.owned().collect::<Vec<_>>());
    stuck(scene, release, next, why, notice, now)
}

/// Somebody else changed a target in mid-release.
pub(super) fn drifted(scene: &Scene, release: &Release, now: Timestamp) -> Change {
    let next = release.becomes(Phase::Drifted { at: now });
    let seen: Vec<_> = scene
        .owned()
        .filter_map(|s| match &s.phase {
            SlotPhase::Drifted { seen, .. } => Some(format!("{}: {seen}", s.target.name)),
            _ => None,
        })
        .collect();
    let notice = messages::drifted(&next, &scene.owned().collect::<Vec<_>>());
    stuck(scene, release, next, seen.join("; "), notice, now)
}

/// An operator's rollback fell itself: the targets stay as they are until a person decides.
pub(super) fn own_rollback_failed(
    scene: &Scene,
    release: &Release,
    failure: Failure,
    now: Timestamp,
) -> Change {
    let mut next = release.becomes(Phase::RollbackFailed { at: now });
    let why = failure.cause.clone();
    next.failure = Some(failure);
    let slots: Vec<_> = scene.owned().collect();
    let notice = match next.cause {
        Cause::Rollback { to } => messages::own_rollback_failed(&next, &slots, to),
        _ => messages::rollback_failed(&next, &slots),
    };
    stuck(scene, release, next, why, notice, now)
}

/// All targets gave their last word on the rollback.
pub(super) fn rollback_ended(scene: &Scene, release: &Release, now: Timestamp) -> Change {
    let slots: Vec<&Slot> = scene.owned().collect();
    let failed: Vec<_> = slots
        .iter()
        .filter_map(|s| match &s.phase {
            SlotPhase::ReturnFailed { failure } => {
                Some(format!("{}: {}", s.target.name, failure.cause))
            }
            _ => None,
        })
        .collect();
    if !failed.is_empty() {
        let next = release.becomes(Phase::RollbackFailed { at: now });
        let notice = messages::rollback_failed(&next, &slots);
        return stuck(scene, release, next, failed.join("; "), notice, now);
    }
    if slots.iter().any(|s| matches!(s.phase, SlotPhase::Drifted { .. })) {
        return drifted(scene, release, now);
    }
    let touched = slots.iter().any(|s| matches!(s.phase, SlotPhase::Returned { .. }));
    let reason = if touched {
        "every target that was touched runs its baseline again".to_owned()
    } else {
        "no service had been touched".to_owned()
    };
    rolled_back(scene, release, &slots, reason, TIDEGATE, now)
}

/// What undoes the one-off tasks of an earlier release ran to its good end. What is live stays so.
pub(super) fn undone(scene: &Scene, release: &Release, now: Timestamp) -> Change {
    let next = release.becomes(Phase::RolledBack { at: now });
    let notice = messages::undone(&next, &scene.owned().collect::<Vec<_>>());
    let mut head = scene.head.stepped();
    head.moving = None;
    let reason = "what undoes the one-off tasks ran to its end".to_owned();
    let entry = release_entry(release, &next, TIDEGATE, reason, Some(notice), now);
    Change { head: Some(head), releases: vec![next], journal: vec![entry], ..Change::default() }
}

/// An operator stopped a release that had not taken any target.
pub(super) fn rolled_back_untouched(
    scene: &Scene,
    release: &Release,
    failure: Failure,
    actor: &str,
    now: Timestamp,
) -> Change {
    let mut failed = release.clone();
    failed.failure = Some(failure);
    rolled_back(scene, &failed, &[], "nothing had been touched".to_owned(), actor, now)
}

fn rolled_back(
    scene: &Scene,
    release: &Release,
    slots: &[&Slot],
    reason: String,
    actor: &str,
    now: Timestamp,
) -> Change {
    let next = release.becomes(Phase::RolledBack { at: now });
    let mut head = scene.head.stepped();
    head.moving = None;
    let stays_out = |image: &&ReleaseImage| scene.blocked.contains_key(&image.digest);
    let live = scene.live.iter().flat_map(|live| live.images.values());
    // What ended well is known, and so is what undoes it; what failed needs a person's look first.
    let undoable = |slot: &&&Slot| {
        let task = scene.config.task(&slot.target);
        let ended_well = matches!(slot.phase, SlotPhase::Healthy { .. });
        ended_well && task.is_some_and(|task| task.down.is_some())
    };
    let after = Aftermath {
        blocked: next.images.values().filter(stays_out).collect(),
        live_blocked: live.filter(stays_out).collect(),
        can_undo: slots.iter().any(|slot| undoable(&slot)) && !release.cause.undoes(),
        frozen: head.freeze.is_some(),
        waiting: scene.waiting.as_ref(),
    };
    let notice = messages::rolled_back(&next, slots, &after);
    let entry = release_entry(release, &next, actor, reason, Some(notice), now);
    Change { head: Some(head), releases: vec![next], journal: vec![entry], ..Change::default() }
}

/// It stops here, keeps its targets, and the pipeline freezes until a person decides.
fn stuck(
    scene: &Scene,
    release: &Release,
    next: Release,
    why: String,
    notice: Notice,
    now: Timestamp,
) -> Change {
    let mut head = scene.head.stepped();
    if stands(Guard::FreezeOnStop) {
        freeze(&mut head, TIDEGATE, format!("{} is {}: {why}", next.id, next.phase.name()), now);
    }
    let entry = release_entry(release, &next, TIDEGATE, why, Some(notice), now);
    Change { head: Some(head), releases: vec![next], journal: vec![entry], ..Change::default() }
}

/// Targets of a stopped release that deploy is still asked to change.
pub(super) fn asked(scene: &Scene) -> impl Iterator<Item = &Slot> {
    scene.owned().filter(|slot| slot.asks_deploy())
}

/// A release that has stopped changes nothing more: what deploy has not answered is withdrawn. Where a
/// call was sent it may have landed, and the target stays what it is. The release is written with them: who
/// read it before a person went back, and the targets after it, would take that back.
pub(super) fn withdraw(scene: &Scene) -> Plan {
    let withdrawn = |slot: &Slot| {
        let next = match slot.done.called {
            None => slot.becomes(SlotPhase::Untouched),
            Some(_) => slot.stepped().asks_nothing(),
        };
        (Some(slot.clone()), next)
    };
    let slots = asked(scene).take(CHUNK).map(withdrawn).collect();
    let releases = scene.moving.iter().map(Release::stepped).collect();
    does(Change { releases, slots, ..Change::default() })
}

fn freeze(head: &mut Head, by: &str, why: String, now: Timestamp) {
    head.freeze.get_or_insert_with(|| Freeze { by: by.to_owned(), why, at: now });
}

/// A person takes the world as it is: live, marked accepted. The freeze stays until `unfreeze`.
pub fn accept(scene: &Scene, release: &Release, actor: &str, now: Timestamp) -> Change {
    let next = release.becomes(Phase::Live { at: now, unproven: false, accepted: true });
    let mut head = scene.head.stepped();
    head.moving = None;
    if !release.cause.undoes() {
        head.live = Some(release.id.number);
    }
    let notice = messages::live(&next, &scene.owned().collect::<Vec<_>>());
    let next = with_the_rest(next, scene);
    let reason = format!("{actor} accepted the targets as they are");
    let entry = release_entry(release, &next, actor, reason, Some(notice), now);
    // What was withdrawn when it stopped, or is about to be: nobody moves it any more. Of more than fit
    // the others keep their last state.
    let open = scene.owned().filter(|slot| {
        matches!(slot.phase, SlotPhase::Applying { .. } | SlotPhase::Returning { .. })
    });
    Change {
        head: Some(head),
        releases: vec![next],
        slots: open.take(SINGLES).map(left).collect(),
        journal: vec![entry],
        ..Change::default()
    }
}

/// A person says no before anything moved: the set of images does not come again.
pub fn reject(scene: &Scene, release: &Release, actor: &str, why: &str, now: Timestamp) -> Change {
    let (by, why) = (actor.to_owned(), why.to_owned());
    let next = release.becomes(Phase::Rejected { at: now, by: by.clone(), why: why.clone() });
    let notice = messages::rejected(&next, actor, &why);
    let entry = release_entry(release, &next, actor, why.clone(), Some(notice), now);
    let mut head = scene.head.stepped();
    head.moving = None;
    let (set, release) = (set_of(&release.images), release.id.clone());
    Change {
        head: Some(head),
        releases: vec![next],
        journal: vec![entry],
        rejections: vec![Rejection { set, release, by, why, at: now }],
        ..Change::default()
    }
}

/// A person takes Tidegate's hands off: targets stay as they are, the pipeline freezes.
pub fn abandon(scene: &Scene, release: &Release, actor: &str, now: Timestamp) -> Change {
    let next = release.becomes(Phase::Abandoned { at: now });
    let why = format!("{actor} abandoned {}", release.id);
    let notice = messages::abandoned(&next, &scene.owned().collect::<Vec<_>>(), actor);
    let entry = release_entry(release, &next, actor, why.clone(), Some(notice), now);
    let (mut head, slots) = hands_off(scene);
    freeze(&mut head, actor, why, now);
    Change {
        head: Some(head),
        releases: vec![next],
        slots,
        journal: vec![entry],
        ..Change::default()
    }
}

/// An abandoned release whose targets did not fit into one write: leave the rest, then let it go.
pub(super) fn leave(scene: &Scene) -> Plan {
    let (head, slots) = hands_off(scene);
    does(Change { head: Some(head), slots, ..Change::default() })
}

/// A chunk of targets; with the last one the head lets go.
fn hands_off(scene: &Scene) -> (Head, Vec<(Option<Slot>, Slot)>) {
    let held = || scene.owned().filter(|s| s.phase.was_touched() && s.phase != SlotPhase::Left);
    let slots = held().take(CHUNK).map(left).collect();
    let mut head = scene.head.stepped();
    if held().count() <= CHUNK {
        head.moving = None;
    }
    (head, slots)
}

/// A target that nobody moves any more.
fn left(slot: &Slot) -> (Option<Slot>, Slot) {
    (Some(slot.clone()), slot.becomes(SlotPhase::Left))
}
