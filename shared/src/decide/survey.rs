//! From a survey to the first wave: every baseline is in the table before anything moves.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::finding::Finding;
use super::step::{CHUNK, LOST, TIDEGATE, release_entry, slot_entry};
use super::{approval, does, roll, start, waits};
use crate::guard::{Guard, stands};
use crate::messages;
use crate::model::{
    Action, Asked, Change, Done, Freeze, Hold, Phase, Plan, Release, Scene, Slot, SlotPhase,
    TargetId, Todo,
};

/// Somebody else's deployment takes minutes: the next tick is soon enough to look again.
const AGAIN: Duration = Duration::from_secs(60);

/// ECR copies most images within half an hour, says its user guide; people are told of longer ones.
const REPLICATION: Duration = Duration::from_mins(45);

/// A release whose survey is asked for: ask again when it was lost, or when what held it may be gone.
pub(super) fn pending(
    scene: &Scene,
    release: &Release,
    since: Timestamp,
    held: Option<&Hold>,
    now: Timestamp,
) -> Plan {
    if let Some(change) = start::leave_out_blocked(scene, release, now) {
        return does(change);
    }
    // A newer release starts here as much as anywhere; going back does not give way to it.
    let gives_way = scene.head.freeze.is_none() && !release.cause.goes_back();
    if let (true, Some(held), Some(waiting)) = (gives_way, held, &scene.waiting) {
        return does(match start::in_place_of(scene, release, waiting) {
            Ok(fit) => supersede(scene, release, waiting, &fit, held, now),
            Err(why) => start::refuse(scene, waiting, why, now),
        });
    }
    if let Some((_, until)) = release.approval_asked() {
        return approval::pending(scene, release, until, now);
    }
    // Unless somebody asked to look again, and deploy has not answered.
    let answered = held.is_some() && release.todo.is_none();
    if let Some(freeze) = freeze_before(scene, release).filter(|_| answered) {
        return waits(start::frozen(&scene.head.pipeline, freeze, release), None);
    }
    let until = match held {
        None => since + LOST,
        // It is not frozen any more.
        Some(Hold::Frozen) => since,
        Some(_) => since + AGAIN,
    };
    // What a person asked for and deploy has not answered is asked again, whatever held it before.
    // And what a word in another pipeline ends, of which nothing tells here.
    let elsewhere = matches!(held, Some(Hold::Withdrawn { .. }));
    let by_itself = held.is_none_or(Hold::ends_by_itself) || elsewhere || release.todo.is_some();
    let what = match held {
        None => "the survey of its targets".to_owned(),
        Some(hold) => hold.to_string(),
    };
    if by_itself && now >= until && stands(Guard::Nudge) {
        let stays = held.filter(|held| **held != Hold::Frozen);
        let next = release.surveyed_again(stays.cloned(), now);
        let changes = vec![Change { releases: vec![next], ..Change::default() }];
        // Until the next tick asks again, an operator who looks is told why it does not move.
        return Plan { changes, ..waits(what, None) };
    }
    waits(what, by_itself.then_some(until))
}

/// A release that is held before anything moved gives way to a newer push: also to a tag that went back
/// to what is live, after which nothing is left to do.
fn supersede(
    scene: &Scene,
    held: &Release,
    waiting: &Release,
    fit: &Release,
    hold: &Hold,
    now: Timestamp,
) -> Change {
    let mut change = match start::changes_nothing(scene, fit) {
        Some(why) => start::refuse(scene, waiting, why, now),
        None => start::begin(scene, waiting, fit, &format!("takes the place of {}", held.id), now),
    };
    let old = held.becomes(Phase::Superseded { at: now, by: waiting.id.number });
    if let Some(head) = &mut change.head {
        head.moving = head.moving.filter(|number| *number != old.id.number);
    }
    let why = format!("{} is newer, and this one was held: {hold}", waiting.id);
    change.journal.insert(0, release_entry(held, &old, TIDEGATE, why, None, now));
    change.releases.insert(0, old);
    change
}

/// What follows from a survey. Asked again after each of its writes until it says nothing.
pub fn conclude(scene: &Scene, found: &BTreeMap<TargetId, Finding>, now: Timestamp) -> Plan {
    let Some(release) = &scene.moving else { return Plan::default() };
    let Phase::Surveying { held, .. } = &release.phase else { return Plan::default() };
    if let Some(change) = start::leave_out_blocked(scene, release, now) {
        return does(change);
    }
    if let Some(hold) = reason_to_hold(release, found, now) {
        let (hold, tell) = since_when(hold, held.as_ref(), scene.config.watch.timeout, now);
        if held.as_ref() == Some(&hold) && release.todo.is_none() {
            return Plan::default();
        }
        return does(self::hold(release, held.as_ref(), &hold, tell, now));
    }
    // A task alone brings nothing, unless it is all that is asked for.
    let goes = |(target, finding): (&TargetId, &Finding)| {
        let counts = !target.is_task() || release.cause.undoes();
        counts && matches!(finding, Finding::Ready { .. })
    };
    if !found.iter().any(goes) {
        return does(start::refuse(scene, release, no_target(release), now));
    }
    let frozen = || freeze_before(scene, release).map(|_| Hold::Frozen);
    if let Some(hold) = approval::due(scene, release, found, now).or_else(frozen) {
        if held.as_ref() == Some(&hold) && release.todo.is_none() {
            return Plan::default();
        }
        return does(self::hold(release, held.as_ref(), &hold, true, now));
    }
    let first = |target: &TargetId| release.waves.first().is_some_and(|w| w.contains(target));
    let missing: Vec<_> = found
        .iter()
        .filter(|(target, _)| stands(Guard::BaselineFirst) || first(target))
        .filter(|(target, _)| scene.slots.get(target).is_none_or(|s| s.release != release.id))
        .collect();
    if missing.is_empty() {
        return does(roll::open_first(scene, release, now));
    }
    let chunk: Vec<_> = missing.into_iter().take(CHUNK).collect();
    does(take(scene, release, &chunk, now))
}

/// The freeze that keeps `release` from starting: not one that goes back, nor one that has taken targets.
fn freeze_before<'s>(scene: &'s Scene, release: &Release) -> Option<&'s Freeze> {
    let starts = !release.cause.goes_back() && scene.owned().next().is_none();
    scene.head.freeze.as_ref().filter(|_| starts && stands(Guard::Freeze))
}

/// Why the first wave must not open yet, worst reason first.
pub fn reason_to_hold(
    release: &Release,
    found: &BTreeMap<TargetId, Finding>,
    now: Timestamp,
) -> Option<Hold> {
    let (mut unfit, mut awaited) = (Vec::new(), Vec::new());
    let (mut busy, mut stranded) = (Vec::new(), Vec::new());
    for (target, finding) in found {
        match finding {
            Finding::Withdrawn(why) => return Some(Hold::Withdrawn { why: why.clone() }),
            Finding::Unfit(why) => unfit.push(format!("{}: {why}", target.name)),
            Finding::Awaited(what) => awaited.push(format!("{}: {what}", target.name)),
            Finding::Busy(what) => busy.push(format!("{}: {what}", target.name)),
            Finding::Ready { baseline, .. } if !baseline.has_way_back() => {
                let reasons = baseline.images.iter().filter(|i| i.digest.is_none());
                let reasons: Vec<_> = reasons
                    .map(|i| format!("{} runs {}: {}", i.container, i.named, i.source))
                    .collect();
                stranded.push(format!("{}: {}", target.name, reasons.join(", ")));
            }
            Finding::Ready { .. } | Finding::Unaffected { .. } => {}
        }
    }
    if !unfit.is_empty() {
        return Some(Hold::Unfit { targets: unfit });
    }
    if !awaited.is_empty() {
        return Some(Hold::Awaited { targets: awaited, since: Some(now), told: false });
    }
    if !busy.is_empty() {
        return Some(Hold::Busy { targets: busy, since: Some(now), told: false });
    }
    (!stranded.is_empty() && !release.without_way_back && stands(Guard::WayBack))
        .then_some(Hold::NoWayBack { targets: stranded })
}

/// A wait that ends by itself goes on from when it began; whether people are to be told of `hold`. Of
/// such a wait they are told once, after `patience`; the other holds need a person at once.
fn since_when(
    hold: Hold,
    before: Option<&Hold>,
    patience: Duration,
    now: Timestamp,
) -> (Hold, bool) {
    let (since, told) = match (&hold, before) {
        (Hold::Busy { .. }, Some(Hold::Busy { since, told, .. }))
        | (Hold::Awaited { .. }, Some(Hold::Awaited { since, told, .. })) => {
            (since.unwrap_or(now), *told)
        }
        _ => (now, false),
    };
    let patience = match &hold {
        Hold::Awaited { .. } => patience.max(REPLICATION),
        _ => patience,
    };
    let tell = !told && now >= since + patience;
    let (since, told) = (Some(since), told || tell);
    match hold {
        Hold::Busy { targets, .. } => (Hold::Busy { targets, since, told }, tell),
        Hold::Awaited { targets, .. } => (Hold::Awaited { targets, since, told }, tell),
        needs_a_person => (needs_a_person, true),
    }
}

fn hold(
    release: &Release,
    before: Option<&Hold>,
    hold: &Hold,
    tell: bool,
    now: Timestamp,
) -> Change {
    let mut next = release.becomes(Phase::Surveying { since: now, held: Some(hold.clone()) });
    if before == Some(hold) {
        return Change { releases: vec![next], ..Change::default() };
    }
    let notice = tell.then(|| messages::waiting(&next, hold)).flatten();
    let mut entry = release_entry(release, &next, TIDEGATE, hold.to_string(), notice, now);
    if let Hold::Approval { changes, .. } = hold {
        entry.evidence.clone_from(changes);
        // What was approved is not what would change now.
        next.approved = None;
    }
    Change { releases: vec![next], journal: vec![entry], ..Change::default() }
}

fn no_target(release: &Release) -> String {
    format!(
        "no container of the pipeline's targets runs {}; `containers` in the config can name one",
        release.label()
    )
}

/// Takes a chunk of targets for the release, each with its baseline. The release is written with
/// them: who ends it meanwhile does so because none was taken, and one of the two must lose. The head is
/// written with the first: so must a freeze.
fn take(
    scene: &Scene,
    release: &Release,
    chunk: &[(&TargetId, &Finding)],
    now: Timestamp,
) -> Change {
    let mut next = release.stepped();
    next.todo = Some(Todo::Claimed);
    let begins = scene.owned().next().is_none();
    let head = begins.then(|| scene.head.stepped());
    let mut change = Change { head, releases: vec![next], ..Change::default() };
    for (target, finding) in chunk {
        let before = scene.slots.get(*target);
        let (phase, baseline, pins, revision, differs) = match finding {
            Finding::Ready { baseline, pins, revision, difference } => {
                let revision = Some(revision.clone());
                (SlotPhase::Queued, baseline, pins.clone(), revision, difference.as_slice())
            }
            Finding::Unaffected { baseline } => {
                (SlotPhase::Unaffected, baseline, Vec::new(), None, [].as_slice())
            }
            Finding::Awaited(_) | Finding::Busy(_) | Finding::Withdrawn(_) | Finding::Unfit(_) => {
                continue;
            }
        };
        let slot = Slot {
            target: (*target).clone(),
            step: before.map_or(0, |s| s.step) + 1,
            release: release.id.clone(),
            config: release.config,
            by_role: scene.config.role.is_some(),
            wave: release.waves.iter().position(|w| w.contains(target)).unwrap_or_default(),
            phase,
            wanted: pins,
            baseline: (**baseline).clone(),
            asked: Asked {
                generation: before.map_or(0, |s| s.asked.generation),
                action: Action::None,
                at: now,
                over_drift: false,
            },
            done: Done {
                step: before.map_or(0, |s| s.done.step) + 1,
                generation: before.map_or(0, |s| s.done.generation),
                revision,
                ..Done::default()
            },
            lease: None,
            todo: None,
            tasks: BTreeMap::new(),
            seen_at: baseline.at,
            told_at: None,
            puzzled: 0,
            repairs: 0,
            nudge: 0,
            live: before.map(|s| s.live.clone()).unwrap_or_default(),
        };
        let mut entry = slot_entry(&slot, &slot, baseline_reason(&slot), Vec::new(), now);
        entry.from = "free".to_owned();
        entry.evidence = slot.baseline.notes.iter().chain(differs).cloned().collect();
        change.journal.push(entry);
        change.slots.push((before.cloned(), slot));
    }
    change
}

fn baseline_reason(slot: &Slot) -> String {
    if let (true, Some(revision)) = (slot.target.is_task(), slot.ours()) {
        return format!("surveyed: it runs once, from {revision}");
    }
    let back = &slot.baseline.revision;
    if slot.baseline.images.is_empty() {
        return format!(
            "surveyed: none of its containers takes an image of this pipeline; it runs {back}"
        );
    }
    let images: Vec<_> = slot
        .baseline
        .images
        .iter()
        .map(|image| {
            let digest = image.digest.as_ref().map_or("unknown", |d| d.short());
            format!("{} runs {digest} ({})", image.container, image.source)
        })
        .collect();
    format!("surveyed: {}; the way back is {back}", images.join(", "))
}
