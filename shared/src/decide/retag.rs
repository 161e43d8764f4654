//! A live release's tag: asked for when it becomes live, answered by deploy. It changes no service.

use jiff::Timestamp;

use super::step::{LOST, TIDEGATE, release_entry};
use crate::messages;
use crate::model::{Change, Phase, Release, Scene, Todo};

/// What became of `tag` on the images of a live release: `refused` names each that did not take it.
pub fn retagged(release: &Release, tag: &str, refused: &[String], now: Timestamp) -> Change {
    let next = release.becomes(release.phase.clone());
    let (reason, notice) = if refused.is_empty() {
        (format!("`{tag}` is on {}", release.label()), None)
    } else {
        let notice = messages::retag_failed(&next, tag, refused);
        (format!("`{tag}` could not be put on every image"), Some(notice))
    };
    let mut entry = release_entry(release, &next, TIDEGATE, reason, notice, now);
    entry.evidence = refused.to_vec();
    Change { releases: vec![next], journal: vec![entry], ..Change::default() }
}

/// Asks again for the tags of the live release, where nobody answered.
pub fn retag_again(scene: &Scene, now: Timestamp) -> Option<Change> {
    let release = scene.live.as_ref().filter(|live| live.todo.is_some())?;
    let Phase::Live { at, .. } = release.phase else { return None };
    if now < at + LOST {
        return None;
    }
    let mut next = release.becomes(release.phase.clone());
    next.todo = Some(Todo::Deploy);
    next.nudge += 1;
    Some(Change { releases: vec![next], ..Change::default() })
}
