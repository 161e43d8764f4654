//! What may start: freezes and blocks.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Refused, of_pipeline};
use crate::messages;
use crate::model::{Block, Change, Digest, Freeze, ReleaseId, Scene};

/// `freeze`: nothing new starts.
pub fn freeze(scene: &Scene, actor: &str, why: &str, now: Timestamp) -> Result<Change, Refused> {
    if let Some(freeze) = &scene.head.freeze {
        return Err(Refused(format!(
            "frozen already, by {} at {}: {}",
            freeze.by, freeze.at, freeze.why
        )));
    }
    let mut head = scene.head.stepped();
    head.freeze = Some(Freeze { by: actor.to_owned(), why: why.to_owned(), at: now });
    Ok(of_pipeline(head, actor, "frozen", why.to_owned(), now))
}

/// `unfreeze`: what waits may start.
pub fn unfreeze(scene: &Scene, actor: &str, why: &str, now: Timestamp) -> Result<Change, Refused> {
    let pipeline = &scene.head.pipeline;
    if scene.head.freeze.is_none() {
        return Err(Refused(format!("{pipeline} is not frozen")));
    }
    if let Some(release) = scene.moving.as_ref().filter(|r| r.phase.is_stuck()) {
        return Err(Refused(format!(
            "{} is {}: first {}",
            release.id,
            release.phase.name(),
            messages::ways_on(release)
        )));
    }
    let mut head = scene.head.stepped();
    head.freeze = None;
    Ok(of_pipeline(head, actor, "unfrozen", why.to_owned(), now))
}

/// `block`: these bytes are not released here.
pub fn block(
    scene: &Scene,
    digest: &Digest,
    actor: &str,
    why: &str,
    now: Timestamp,
) -> Result<Change, Refused> {
    if let Some(block) = scene.blocked.get(digest) {
        return Err(Refused(format!("{block}, already")));
    }
    let head = scene.head.stepped();
    let release = ReleaseId::new(head.pipeline.clone(), head.live.unwrap_or_default());
    let block = Block { digest: digest.clone(), release, why: format!("{actor}: {why}"), at: now };
    let mut change = of_pipeline(head, actor, "blocked", format!("{digest}: {why}"), now);
    change.blocks = vec![block];
    Ok(change)
}

/// `unblock`: these bytes may be released again, by the next push or `start`.
pub fn unblock(
    scene: &Scene,
    digest: &Digest,
    actor: &str,
    now: Timestamp,
) -> Result<Change, Refused> {
    if !scene.blocked.contains_key(digest) {
        return Err(Refused(format!("{digest} is not blocked in {}", scene.head.pipeline)));
    }
    let mut head = scene.head.stepped();
    // Forgotten, so that the sweep may bring the bytes again if their tag still selects them, and
    // nothing older with them.
    let live = scene.live.as_ref();
    for (image, memory) in std::mem::take(&mut head.answered) {
        let remembered = match live.and_then(|live| live.images.get(&image)) {
            _ if memory.digest != *digest => Some(memory),
            Some(live) if live.digest != *digest => Some(memory.unanswered(live)),
            Some(_) => Some(memory),
            None => None,
        };
        head.answered.extend(remembered.map(|memory| (image, memory)));
    }
    let mut change = of_pipeline(head, actor, "unblocked", digest.to_string(), now);
    change.unblocks = BTreeSet::from([digest.clone()]);
    Ok(change)
}
