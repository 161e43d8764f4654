//! Wave after wave, then the bake, then live.

use jiff::Timestamp;

use super::step::{CHUNK, TIDEGATE, release_entry};
use super::{Seen, Sightings, checks, does, finish, rollback, start, waits};
use crate::messages::{self, names};
use crate::model::{Action, Blame, Change, Failure, Phase, Plan, Release, Scene, Slot, SlotPhase};

/// The open wave: judge the release by its slots, then open what comes next.
pub(super) fn wave(
    scene: &Scene,
    release: &Release,
    wave: usize,
    sightings: &Sightings,
    now: Timestamp,
) -> Plan {
    if let Some(change) = reason_to_stop(scene, release, now) {
        return does(change);
    }
    // A chunk of this wave that a crash left closed; not of a release that was stopped meanwhile.
    let closed: Vec<_> = queued(scene, wave).take(CHUNK).collect();
    if !closed.is_empty() {
        let slots = closed.into_iter().map(|slot| apply(release, slot, sightings, now)).collect();
        return does(Change { releases: vec![release.stepped()], slots, ..Change::default() });
    }
    let standing: Vec<_> = scene
        .owned()
        .filter(|s| matches!(s.phase, SlotPhase::Applying { .. } | SlotPhase::Settling { .. }))
        .collect();
    if !standing.is_empty() {
        let what = format!("{} ({})", names(&standing), release.stage(wave));
        return waits(what, None);
    }
    let waiting_on = checks::unmet(scene, release, now);
    if !waiting_on.is_empty() {
        return Plan { waiting_on, ..Plan::default() };
    }
    let change = match next_wave(scene) {
        Some(next) => open(scene, release, next, sightings, now),
        None if release.cause.undoes() => finish::undone(scene, release, now),
        None => start_bake(scene, release, now),
    };
    does(change)
}

/// The first wave that has anything to move.
pub(super) fn open_first(scene: &Scene, release: &Release, now: Timestamp) -> Change {
    let wave = next_wave(scene).unwrap_or_default();
    open(scene, release, wave, &Sightings::new(), now)
}

fn next_wave(scene: &Scene) -> Option<usize> {
    scene.owned().filter(|s| s.phase == SlotPhase::Queued).map(|s| s.wave).min()
}

fn queued(scene: &Scene, wave: usize) -> impl Iterator<Item = &Slot> {
    scene.owned().filter(move |s| s.wave == wave && s.phase == SlotPhase::Queued)
}

fn apply(
    release: &Release,
    slot: &Slot,
    sightings: &Sightings,
    now: Timestamp,
) -> (Option<Slot>, Slot) {
    let action = if release.cause.undoes() { Action::Undo } else { Action::Apply };
    let mut next = slot.becomes(SlotPhase::Applying { since: now }).asks(action, now);
    if let Some(Seen::Service(sighting)) = sightings.get(&slot.target) {
        next.seen_at = sighting.at.max(slot.seen_at);
    }
    (Some(slot.clone()), next)
}

fn open(
    scene: &Scene,
    release: &Release,
    wave: usize,
    sightings: &Sightings,
    now: Timestamp,
) -> Change {
    let next = release.becomes(Phase::Rolling { wave, since: now });
    let opening: Vec<_> = queued(scene, wave).collect();
    let reason = format!("{} opens: {}", release.stage(wave), names(&opening));
    let first = !matches!(release.phase, Phase::Rolling { .. });
    let notice = first.then(|| {
        let slots: Vec<_> = scene.owned().collect();
        messages::started(&next, &slots)
    });
    let entry = release_entry(release, &next, TIDEGATE, reason, notice, now);
    let slots =
        opening.into_iter().take(CHUNK).map(|slot| apply(release, slot, sightings, now)).collect();
    Change { releases: vec![next], slots, journal: vec![entry], ..Change::default() }
}

fn start_bake(scene: &Scene, release: &Release, now: Timestamp) -> Change {
    let bake = scene.config.watch.bake;
    let next = release.becomes(Phase::Baking { until: now + bake });
    let reason = format!("every target is healthy; it must hold for {} s", bake.as_secs());
    let entry = release_entry(release, &next, TIDEGATE, reason, None, now);
    Change { releases: vec![next], journal: vec![entry], ..Change::default() }
}

/// The bake: hold, or fall back.
pub(super) fn bake(
    scene: &Scene,
    release: &Release,
    until: Timestamp,
    judged: &Plan,
    now: Timestamp,
) -> Plan {
    if let Some(change) = reason_to_stop(scene, release, now) {
        return does(change);
    }
    let waiting_on = checks::unmet(scene, release, now);
    if now < until {
        let mut plan = waits("the bake", Some(until));
        plan.waiting_on.extend(waiting_on);
        return plan;
    }
    // Judged by what runs: each target says what a last look at it still waits for.
    if !judged.waiting_on.is_empty() || !waiting_on.is_empty() {
        return Plan { waiting_on, ..Plan::default() };
    }
    does(finish::live(scene, release, now))
}

/// Drift stops before failure does: what somebody else changed is not ours to move. Bytes that a
/// person blocks on their way are a failure that a person saw.
fn reason_to_stop(scene: &Scene, release: &Release, now: Timestamp) -> Option<Change> {
    if scene.owned().any(|s| matches!(s.phase, SlotPhase::Drifted { .. })) {
        return Some(finish::drifted(scene, release, now));
    }
    let blocked = start::blocked(scene, release).map(|cause| Failure {
        cause,
        remedy: String::new(),
        evidence: Vec::new(),
        blame: Blame::Other,
        at: now,
    });
    let failure =
        worst_failure(scene).or(blocked).or_else(|| checks::failure(scene, release, now))?;
    Some(rollback::on_failure(scene, release, failure, now))
}

/// The failure that names the image comes first, then any with evidence, then silence.
fn worst_failure(scene: &Scene) -> Option<Failure> {
    let failures = scene.owned().filter_map(|slot| match &slot.phase {
        SlotPhase::Failed { failure } => Some((slot, failure)),
        _ => None,
    });
    failures.min_by_key(|(slot, failure)| (failure.blame, failure.at, slot.target.clone())).map(
        |(slot, failure)| {
            let cause = format!("{}: {}", slot.target.name, failure.cause);
            Failure { cause, ..failure.clone() }
        },
    )
}
