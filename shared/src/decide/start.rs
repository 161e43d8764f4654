//! The release that waits begins, when nothing moves and nothing forbids it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::step::{TIDEGATE, release_entry};
use super::{does, waits};
use crate::messages;
use crate::model::{Cause, Change, Freeze, Phase, Plan, Release, ReleaseImage, Scene, Todo};

/// Starts the waiting release, or says what keeps it.
pub(super) fn next(scene: &Scene, now: Timestamp) -> Plan {
    let Some(release) = &scene.waiting else { return Plan::default() };
    if let Some(freeze) = &scene.head.freeze {
        return waits(frozen(&scene.head.pipeline, freeze, release), None);
    }
    // Blocked bytes do not take the others of the set along.
    let mut fit = release.clone();
    fit.images.retain(|_, image| !scene.blocked.contains_key(&image.digest));
    let fit = if fit.images.is_empty() { release } else { &fit };
    does(match reason_to_refuse(scene, fit) {
        Some(why) => refuse(scene, release, why, now),
        None => begin(scene, fit, now),
    })
}

pub(super) fn frozen(pipeline: &str, freeze: &Freeze, release: &Release) -> String {
    let Freeze { by, why, at: _ } = freeze;
    let id = &release.id;
    format!("{pipeline} is frozen by {by} ({why}): `tidegate unfreeze {pipeline}` lets {id} start")
}

/// A release with blocked bytes goes no further, wherever it stands on its way.
pub(super) fn blocked(scene: &Scene, release: &Release) -> Option<String> {
    let block = release.images.values().find_map(|image| scene.blocked.get(&image.digest))?;
    Some(block.to_string())
}

/// Why `release` must not start; asked when it would start, for the world may have moved since.
pub(super) fn reason_to_refuse(scene: &Scene, release: &Release) -> Option<String> {
    if let Some(why) = blocked(scene, release) {
        return Some(why);
    }
    let pushed = release.cause == Cause::Push;
    live_already(scene, &release.images).filter(|_| pushed)
}

/// Why a push of these images changes nothing: they are live.
pub fn live_already(scene: &Scene, images: &BTreeMap<String, ReleaseImage>) -> Option<String> {
    let live = scene.live.as_ref()?;
    let same = |(name, image): (&String, &ReleaseImage)| {
        live.images.get(name).is_some_and(|l| l.digest == image.digest)
    };
    images.iter().all(same).then(|| format!("it is what {} made live", live.id))
}

/// A release that has touched nothing ends here.
pub(super) fn refuse(scene: &Scene, release: &Release, why: String, now: Timestamp) -> Change {
    let mut head = scene.head.stepped();
    let another = |number: &u64| *number != release.id.number;
    (head.waiting, head.moving) = (head.waiting.filter(another), head.moving.filter(another));
    let next = release.becomes(Phase::Refused { at: now, why: why.clone() });
    let notice = messages::refused(&next, &why);
    let entry = release_entry(release, &next, TIDEGATE, why, Some(notice), now);
    Change { head: Some(head), releases: vec![next], journal: vec![entry], ..Change::default() }
}

fn begin(scene: &Scene, release: &Release, now: Timestamp) -> Change {
    let mut head = scene.head.stepped();
    head.waiting = None;
    head.moving = Some(release.id.number);
    let next = surveying(release, scene, now);
    let entry = release_entry(release, &next, TIDEGATE, "its turn has come".into(), None, now);
    Change { head: Some(head), releases: vec![next], journal: vec![entry], ..Change::default() }
}

/// `release`, asked to be surveyed under the config in force.
pub(super) fn surveying(release: &Release, scene: &Scene, now: Timestamp) -> Release {
    let mut next = release.becomes(Phase::Surveying { since: now, held: None });
    next.config = scene.head.config;
    next.waves = scene.config.target_waves();
    next.todo = Some(Todo::Deploy);
    next
}
