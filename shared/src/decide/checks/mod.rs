//! What else must be green: URLs that answer, alarms that stay quiet.
//!
//! The answers are kept in the release, so a decision needs no more than the table. A URL is asked
//! once every target of the open wave is healthy, and again through the bake; an alarm is listened to
//! from the first wave on. The next wave, the bake and the end each wait for a green answer that is
//! younger than they are.

mod answer;
mod verdict;

use std::time::Duration;

use jiff::Timestamp;

pub use answer::{AlarmState, Heard, Meaning, meaning};
pub use verdict::hear;
pub(super) use verdict::{failure, unmet};

use crate::config::{Check, HttpCheck};
use crate::model::{Checked, Phase, Red, Release, Scene, Slot, SlotPhase};

/// Without an answer in so long a URL does not answer.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The URLs to ask now: for each its index among the config's checks.
pub fn due(scene: &Scene, now: Timestamp) -> Vec<(usize, &HttpCheck)> {
    urls(scene).filter(|(_, _, at)| *at <= now).map(|(index, check, _)| (index, check)).collect()
}

/// When the next URL is due.
pub fn next_due(scene: &Scene) -> Option<Timestamp> {
    urls(scene).map(|(_, _, at)| at).min()
}

/// The alarms to listen to now, each with its index among the config's checks.
pub fn alarms(scene: &Scene) -> impl Iterator<Item = (usize, &str)> {
    let listening = scene.moving.as_ref().filter(|release| {
        matches!(release.phase, Phase::Rolling { .. } | Phase::Baking { .. })
            && touches_services(scene)
    });
    let checks = listening.into_iter().flat_map(|release| counting(scene, release));
    checks.filter_map(|(index, check)| match check {
        Check::Alarm { name } => Some((index, name.as_str())),
        Check::Http(_) => None,
    })
}

/// The URLs that are asked while the release stands as it does, each with the time it is due.
fn urls(scene: &Scene) -> impl Iterator<Item = (usize, &HttpCheck, Timestamp)> {
    let asked = scene.moving.as_ref().and_then(|release| Some((release, gate(scene, release)?)));
    scene.config.checks.iter().enumerate().filter_map(move |(index, check)| {
        let (release, gate) = asked?;
        let Check::Http(check) = check else { return None };
        let state = state(release, index);
        (!is_green(&state, gate)).then(|| (index, check, due_at(check, &state, gate)))
    })
}

/// The checks that can speak against the release, each with its index.
///
/// Of one that goes back no alarm does: CloudWatch is minutes behind, so what makes it ring may be the
/// bytes that are taken away, and to stop for it would leave them where they still run.
fn counting<'s>(
    scene: &'s Scene,
    release: &Release,
) -> impl Iterator<Item = (usize, &'s Check)> + use<'s> {
    let back = release.cause.goes_back();
    let speaks = move |check: &Check| !back || matches!(check, Check::Http(_));
    scene.config.checks.iter().enumerate().filter(move |(_, check)| speaks(check))
}

/// What a check has answered so far.
fn state(release: &Release, index: usize) -> Checked {
    release.checks.get(index).cloned().unwrap_or_default()
}

/// Since when a green answer counts: since every target of the open wave is healthy, or from the
/// bake's end on. `None` while nothing hangs on one.
fn gate(scene: &Scene, release: &Release) -> Option<Timestamp> {
    match release.phase {
        _ if !touches_services(scene) => None,
        // Whoever goes back does so because something is wrong, maybe in a wave still to come.
        Phase::Rolling { .. } if release.cause.goes_back() => None,
        Phase::Rolling { wave, since } => {
            let stands = |slot: &Slot| match slot.phase {
                SlotPhase::Applying { .. } | SlotPhase::Settling { .. } => true,
                SlotPhase::Queued => slot.wave == wave,
                _ => false,
            };
            if scene.owned().any(stands) {
                return None;
            }
            let healthy = scene.owned().filter_map(|slot| match slot.phase {
                SlotPhase::Healthy { at, .. } => Some(at),
                _ => None,
            });
            healthy.max().or(Some(since))
        }
        Phase::Baking { until } => Some(until),
        _ => None,
    }
}

/// While a release only runs one-off tasks, what checks see is not its doing: it may be what the
/// release is to mend.
fn touches_services(scene: &Scene) -> bool {
    scene.owned().any(|slot| !slot.target.is_task() && slot.phase.was_touched())
}

fn is_green(state: &Checked, gate: Timestamp) -> bool {
    state.green_at.is_some_and(|at| at >= gate)
}

/// `every` after the last question; sooner only where a new answer is wanted and the last one was
/// right: wrong ones are counted `every` apart.
fn due_at(check: &HttpCheck, state: &Checked, gate: Timestamp) -> Timestamp {
    let Some(asked) = state.asked_at else { return gate };
    let wrong = matches!(state.red, Some(Red::Wrong { .. }));
    let spaced = asked + check.every;
    if wrong || asked >= gate { spaced } else { spaced.min(gate) }
}
