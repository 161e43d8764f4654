//! The release that waits begins, when nothing moves and nothing forbids it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::step::{TIDEGATE, release_entry};
use super::{does, waits};
use crate::guard::{Guard, stands};
use crate::messages;
use crate::model::{Change, Freeze, Hold, Phase, Plan, Release, ReleaseImage, Scene, Todo, set_of};

/// Starts the waiting release, or says what keeps it.
pub(super) fn next(scene: &Scene, now: Timestamp) -> Plan {
    let Some(release) = &scene.waiting else { return Plan::default() };
    if let Some(freeze) = scene.head.freeze.as_ref().filter(|_| stands(Guard::Freeze)) {
        return waits(frozen(&scene.head.pipeline, freeze, release), None);
    }
    does(match startable(scene, release) {
        Ok(fit) => begin(scene, release, &fit, "its turn has come", now),
        Err(why) => refuse(scene, release, why, now),
    })
}

/// The waiting release as it may start, or why it must not; asked when it would, for the world may
/// have moved since. Blocked bytes do not take the others of the set along, unless all were joined.
fn startable(scene: &Scene, waiting: &Release) -> Result<Release, String> {
    let fit = unblocked(scene, waiting)?;
    match changes_nothing(scene, &fit) {
        Some(why) => Err(why),
        None => wanted(scene, fit),
    }
}

/// What comes in the place of a held release: what waits, and beside it what that one brought.
pub(super) fn in_place_of(
    scene: &Scene,
    held: &Release,
    waiting: &Release,
) -> Result<Release, String> {
    let mut fit = wanted(scene, unblocked(scene, waiting)?)?;
    for (name, image) in &held.images {
        fit.images.entry(name.clone()).or_insert_with(|| image.clone());
    }
    wanted(scene, fit)
}

/// Why a release that nobody typed would change nothing: all that it brings is live.
pub(super) fn changes_nothing(scene: &Scene, release: &Release) -> Option<String> {
    live_already(scene, &release.images).filter(|_| release.cause.is_by_itself())
}

/// Not what a person rejected, unless a person asks for it.
fn wanted(scene: &Scene, fit: Release) -> Result<Release, String> {
    match rejected(scene, &fit.images).filter(|_| fit.cause.is_by_itself()) {
        Some(why) => Err(why),
        None => Ok(fit),
    }
}

/// The release without what is not released any more, where something is left of it.
fn unblocked(scene: &Scene, release: &Release) -> Result<Release, String> {
    let fit = without_blocked(scene, release);
    match blocked(scene, release).filter(|_| nothing_left(scene, &fit)) {
        Some(why) => Err(why),
        None => named(scene, fit),
    }
}

/// Why a set of images does not come here again: a person rejected it.
pub fn rejected(scene: &Scene, images: &BTreeMap<String, ReleaseImage>) -> Option<String> {
    // Most pipelines have none: then there is nothing to compare.
    let any = !scene.rejected.is_empty();
    any.then(|| scene.rejected.get(&set_of(images)))?.map(ToString::to_string)
}

fn without_blocked(scene: &Scene, release: &Release) -> Release {
    let mut fit = release.clone();
    fit.images
        .retain(|_, image| !scene.blocked.contains_key(&image.digest) || !stands(Guard::Block));
    fit
}

/// The release without images that the config in force does not name any more: no target may take them.
/// What undoes a one-off task is of a config of then.
fn named(scene: &Scene, mut fit: Release) -> Result<Release, String> {
    let before = fit.images.len();
    if !fit.cause.undoes() {
        fit.images.retain(|name, _| scene.config.images.contains_key(name));
    }
    if fit.images.is_empty() && before > 0 {
        return Err("the config in force names none of its images any more".to_owned());
    }
    Ok(fit)
}

/// Whether a release without its blocked bytes is none any more: what was joined is one.
fn nothing_left(scene: &Scene, fit: &Release) -> bool {
    fit.images.is_empty() || scene.config.join_on.is_some()
}

/// How a release goes on whose bytes were blocked before anything moved: surveyed again without
/// them, or, where nothing is left or targets are taken for it already, not at all. What held it may
/// hold it still; an approval was asked for with those bytes.
pub(super) fn leave_out_blocked(
    scene: &Scene,
    release: &Release,
    now: Timestamp,
) -> Option<Change> {
    let why = blocked(scene, release)?;
    let fit = without_blocked(scene, release);
    if nothing_left(scene, &fit) || scene.owned().next().is_some() {
        return Some(refuse(scene, release, why, now));
    }
    let held = fit.held().filter(|held| !matches!(held, Hold::Approval { .. }));
    let next = fit.surveyed_again(held.cloned(), now);
    let reason = and_left_out("surveyed again", scene, release);
    let entry = release_entry(release, &next, TIDEGATE, reason, None, now);
    Some(Change { releases: vec![next], journal: vec![entry], ..Change::default() })
}

/// What happens, and which bytes of the release stay behind.
fn and_left_out(what: &str, scene: &Scene, release: &Release) -> String {
    match blocked(scene, release) {
        None => what.to_owned(),
        Some(why) => format!("{what}, without blocked bytes: {why}"),
    }
}

pub(super) fn frozen(pipeline: &str, freeze: &Freeze, release: &Release) -> String {
    let Freeze { by, why, at: _ } = freeze;
    let id = &release.id;
    format!("{pipeline} is frozen by {by} ({why}): `tidegate unfreeze {pipeline}` lets {id} start")
}

/// The first of a release's bytes that are blocked, and why.
pub fn blocked(scene: &Scene, release: &Release) -> Option<String> {
    // Only the bytes that did it know how to undo it, blocked or not.
    if release.cause.undoes() {
        return None;
    }
    let block = release.images.values().find_map(|image| scene.blocked.get(&image.digest))?;
    stands(Guard::Block).then(|| block.to_string())
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

/// `release` is surveyed, with the images of `fit`; `what` says why now.
pub(super) fn begin(
    scene: &Scene,
    release: &Release,
    fit: &Release,
    what: &str,
    now: Timestamp,
) -> Change {
    let mut head = scene.head.stepped();
    head.waiting = None;
    head.moving = Some(release.id.number);
    let next = surveying(fit, scene, now);
    let reason = and_left_out(what, scene, release);
    let entry = release_entry(release, &next, TIDEGATE, reason, None, now);
    Change { head: Some(head), releases: vec![next], journal: vec![entry], ..Change::default() }
}

/// `release`, asked to be surveyed under the config in force.
fn surveying(release: &Release, scene: &Scene, now: Timestamp) -> Release {
    let mut next = release.becomes(Phase::Surveying { since: now, held: None });
    next.config = scene.head.config;
    next.waves = scene.config.waves_of(&release.cause);
    next.todo = Some(Todo::Deploy);
    next
}
