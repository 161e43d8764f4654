//! Let a release go on, or let it go.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;

use super::{Refused, check_in_force, check_not_blocked, moving};
use crate::decide::{self, release_entry};
use crate::model::{Cause, Change, Hold, Release, ReleaseImage, Scene};
use crate::push::{self, new_release, replaced};

/// `accept`: the targets are right as they are.
pub fn accept(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    let release = moving(scene)?;
    if !release.phase.is_stuck() {
        return Err(Refused(format!(
            "{} is {}: `accept` is for a release that stopped for a person to decide",
            release.id,
            release.phase.name()
        )));
    }
    Ok(decide::accept(scene, release, actor, now))
}

/// `abandon`: hands off; targets stay as they are.
pub fn abandon(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    Ok(decide::abandon(scene, moving(scene)?, actor, now))
}

/// `start --without-way-back`: a held release goes on where no way back is known.
pub fn start_without_way_back(
    scene: &Scene,
    actor: &str,
    now: Timestamp,
) -> Result<Change, Refused> {
    let (release, held) = held(scene)?;
    if !matches!(held, Hold::NoWayBack { .. }) {
        let id = &release.id;
        let way = match held {
            Hold::Frozen => format!("`tidegate unfreeze {}` lets it start", id.pipeline),
            _ => format!("`tidegate start {id}` tries again"),
        };
        return Err(Refused(format!("{id} is held, but not for a way back: {held}; {way}")));
    }
    let mut next = release.surveyed_again(Some(held.clone()), now);
    next.without_way_back = true;
    let reason = format!("{actor} lets it start without a way back");
    let entry = release_entry(release, &next, actor, reason, None, now);
    Ok(Change { releases: vec![next], journal: vec![entry], ..Change::default() })
}

/// `start` of a held release that goes back: it gives way to no other, so it is surveyed again itself.
pub fn survey_again(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    let (release, held) = held(scene)?;
    let next = release.surveyed_again(Some(held.clone()), now);
    let reason = format!("{actor} has it surveyed again");
    let entry = release_entry(release, &next, actor, reason, None, now);
    Ok(Change { releases: vec![next], journal: vec![entry], ..Change::default() })
}

/// The release that is held before anything moved, and why.
fn held(scene: &Scene) -> Result<(&Release, &Hold), Refused> {
    let release = moving(scene)?;
    let held = release.held().ok_or_else(|| {
        Refused(format!("{} is {}: nothing holds it", release.id, release.phase.name()))
    })?;
    Ok((release, held))
}

/// `start`: a release of these images, as if they had been pushed now.
pub fn start(
    scene: &Scene,
    images: BTreeMap<String, ReleaseImage>,
    actor: &str,
    now: Timestamp,
) -> Result<Change, Refused> {
    check_in_force(scene)?;
    check_not_blocked(scene, images.values())?;
    let mut head = scene.head.stepped();
    for (name, image) in &images {
        let config = scene.config.images.get(name);
        let memory = push::started(config, image, head.answered.get(name));
        head.answered.insert(name.clone(), memory);
    }
    let mut reason = format!("{actor} started it");
    let mut change = match &scene.waiting {
        Some(waiting) => {
            let mut next = waiting.stepped();
            next.images.extend(images);
            (next.cause, next.by) = (Cause::Start, actor.to_owned());
            let pushes = replaced(waiting, &next, &reason, now);
            for push in &pushes {
                write!(reason, ", in the place of {}:{}", push.repository, push.tag).ok();
            }
            let entry = release_entry(waiting, &next, actor, reason, None, now);
            Change { releases: vec![next], journal: vec![entry], pushes, ..Change::default() }
        }
        None => new_release(scene, &mut head, Cause::Start, images, actor, reason, now),
    };
    change.head = Some(head);
    Ok(change)
}
