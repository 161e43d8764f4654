//! A push becomes a release, or the reason why not.
//!
//! Pushes arrive twice, late, out of order and under several names; what decides is what the
//! registry shows and what was answered before, never the order of arrival.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::TagPattern;
use crate::decide::{live_already, pipeline_entry, release_entry};
use crate::guard::{Guard, stands};
use crate::messages;
use crate::model::{
    Cause, Change, Head, Memory, Phase, Push, Release, ReleaseId, ReleaseImage, Scene, Todo,
};

/// A push that one image of one pipeline selects, with what the registry says of it now.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The image's name in the config.
    pub image: String,
    /// The pattern that selected the tag.
    pub pattern: TagPattern,
    /// The tag that was pushed.
    pub tag: String,
    /// The bytes, as the registry shows them; `pushed_at` as first seen.
    pub bytes: ReleaseImage,
    /// Who: `ecr`, or `sweep` when an event was lost.
    pub by: String,
    /// What had been answered for the image when the registry was asked.
    pub answered: Option<Memory>,
}

/// How a push is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Write this.
    Record(Box<Change>),
    /// It was answered before: nothing is written, the log says why.
    Known(String),
    /// Another push was answered since the registry was asked: ask it again.
    Outdated,
}

/// What becomes of a push.
pub fn answer(scene: &Scene, candidate: &Candidate, now: Timestamp) -> Answer {
    let Candidate { image, tag, bytes, by, .. } = candidate;
    let memory = scene.head.answered.get(image);
    // What a literal tag showed before the last answer may be what it left since: taken for a tag
    // that was moved back, it would undo the newer push.
    if candidate.pattern.is_literal() && memory != candidate.answered.as_ref() {
        return Answer::Outdated;
    }
    let same = memory.filter(|memory| memory.digest == bytes.digest);
    let late = memory.and_then(|memory| reason_it_is_late(memory, candidate));
    // A level that is looked at every five minutes must not write a line each time.
    let swept = by == SWEEP;
    let block = scene.blocked.get(&bytes.digest).filter(|_| stands(Guard::Block));
    if let Some(block) = block {
        let why = format!("{}: {block}", bytes.label());
        let told = same.is_some_and(|memory| swept || memory.tag == *tag);
        if told || (swept && late.is_some()) {
            return Answer::Known(why);
        }
        // What is late does not become the newest answer.
        let head = if late.is_some() { scene.head.stepped() } else { answered(scene, candidate) };
        return Answer::Record(Box::new(refuse(scene, head, candidate, why, now)));
    }
    if let Some(memory) = same {
        if candidate.pattern.is_literal() && memory.tag != *tag && !swept {
            let head = Some(answered(scene, candidate));
            return Answer::Record(Box::new(Change { head, ..Change::default() }));
        }
        return Answer::Known(format!("{} was answered already", bytes.label()));
    }
    if let Some(why) = late {
        if swept {
            return Answer::Known(why);
        }
        return Answer::Record(Box::new(Change {
            push: Some(push(scene, candidate, why, now)),
            seen: [(bytes.digest.clone(), bytes.pushed_at)].into(),
            ..Change::default()
        }));
    }
    if let Some(why) = changes_nothing(scene, candidate) {
        return Answer::Record(Box::new(Change {
            head: Some(answered(scene, candidate)),
            push: Some(push(scene, candidate, why, now)),
            seen: [(bytes.digest.clone(), bytes.pushed_at)].into(),
            ..Change::default()
        }));
    }
    Answer::Record(Box::new(match &scene.waiting {
        Some(waiting) => merge(scene, waiting, candidate, now),
        None => record(scene, candidate, now),
    }))
}

/// Why a push that nothing is in front of changes nothing.
fn changes_nothing(scene: &Scene, candidate: &Candidate) -> Option<String> {
    let idle = scene.moving.is_none() && scene.waiting.is_none();
    let images = [(candidate.image.clone(), candidate.bytes.clone())].into();
    live_already(scene, &images).filter(|_| idle)
}

/// The actor of pushes that the sweep found.
pub const SWEEP: &str = "sweep";

/// Less than any two pushes lie apart: the registry counts whole seconds.
const MOMENT: Duration = Duration::from_millis(1);

/// Whether the push is older than the newest answered one.
///
/// The same literal tag moved back on purpose is not: the tag's present digest decides there.
fn reason_it_is_late(memory: &Memory, candidate: &Candidate) -> Option<String> {
    let Candidate { pattern, tag, bytes, .. } = candidate;
    if moves(memory, candidate) {
        return None;
    }
    let by_version = compare_versions(pattern, tag, &memory.tag).unwrap_or(Ordering::Equal);
    let by_time = (bytes.pushed_at, &bytes.digest).cmp(&(memory.pushed_at, &memory.digest));
    (by_version.then(by_time).is_lt() && stands(Guard::PushOrder)).then(|| {
        format!(
            "late: {} was pushed {}, and {}:{} of {} was answered already",
            bytes.label(),
            bytes.pushed_at,
            bytes.repository,
            memory.tag,
            memory.pushed_at
        )
    })
}

/// The literal tag that was answered last shows other bytes now.
fn moves(memory: &Memory, candidate: &Candidate) -> bool {
    candidate.pattern.is_literal()
        && memory.tag == candidate.tag
        && memory.digest != candidate.bytes.digest
}

fn push(scene: &Scene, candidate: &Candidate, why: String, now: Timestamp) -> Push {
    Push {
        pipeline: scene.head.pipeline.clone(),
        repository: candidate.bytes.repository.clone(),
        tag: candidate.tag.clone(),
        digest: candidate.bytes.digest.clone(),
        at: now,
        why,
        instead: None,
    }
}

/// The head after this push was answered.
fn answered(scene: &Scene, candidate: &Candidate) -> Head {
    let Candidate { image, tag, bytes, .. } = candidate;
    let mut head = scene.head.stepped();
    let replaced = head.answered.get(image).filter(|memory| moves(memory, candidate));
    // A tag that was moved back is newer than what it leaves, which another pattern may still show.
    let after = replaced.map(|memory| memory.pushed_at + MOMENT);
    let pushed_at = after.map_or(bytes.pushed_at, |after| after.max(bytes.pushed_at));
    let memory = Memory { digest: bytes.digest.clone(), pushed_at, tag: tag.clone() };
    head.answered.insert(image.clone(), memory);
    head
}

fn refuse(scene: &Scene, head: Head, candidate: &Candidate, why: String, now: Timestamp) -> Change {
    let notice = messages::push_refused(&head.pipeline, &candidate.bytes, &why);
    let entry = pipeline_entry(&head, &candidate.by, "refused", why.clone(), Some(notice), now);
    Change {
        head: Some(head),
        journal: vec![entry],
        push: Some(push(scene, candidate, why, now)),
        seen: [(candidate.bytes.digest.clone(), candidate.bytes.pushed_at)].into(),
        ..Change::default()
    }
}

/// The newest digest of this image replaces the one that waits; the others stay.
fn merge(scene: &Scene, waiting: &Release, candidate: &Candidate, now: Timestamp) -> Change {
    let mut next = waiting.clone();
    next.step += 1;
    next.images.insert(candidate.image.clone(), candidate.bytes.clone());
    let reason = format!("{} was pushed while it waited", candidate.bytes.label());
    // Whoever waits for the bytes that go finds where it went on.
    let replaced = waiting.images.get(&candidate.image).map(|old| Push {
        pipeline: scene.head.pipeline.clone(),
        repository: old.repository.clone(),
        tag: old.tags.first().cloned().unwrap_or_default(),
        digest: old.digest.clone(),
        at: now,
        why: format!("{reason}; {} brings that", waiting.id),
        instead: Some(waiting.id.number),
    });
    let entry = release_entry(waiting, &next, &candidate.by, reason, None, now);
    Change {
        head: Some(answered(scene, candidate)),
        releases: vec![next],
        journal: vec![entry],
        push: replaced.filter(|old| old.digest != candidate.bytes.digest),
        seen: [(candidate.bytes.digest.clone(), candidate.bytes.pushed_at)].into(),
        ..Change::default()
    }
}

fn record(scene: &Scene, candidate: &Candidate, now: Timestamp) -> Change {
    let mut head = answered(scene, candidate);
    let images = [(candidate.image.clone(), candidate.bytes.clone())].into();
    let what = format!("{} was pushed", candidate.bytes.label());
    let mut change = new_release(scene, &mut head, Cause::Push, images, &candidate.by, what, now);
    change.head = Some(head);
    change.seen = [(candidate.bytes.digest.clone(), candidate.bytes.pushed_at)].into();
    change
}

/// A new release: surveyed at once when nothing moves and nothing forbids it, else it waits.
///
/// Advances `head`'s counters; the caller puts the head into the change.
pub fn new_release(
    scene: &Scene,
    head: &mut Head,
    cause: Cause,
    images: BTreeMap<String, ReleaseImage>,
    by: &str,
    reason: String,
    now: Timestamp,
) -> Change {
    // Only an operator's rollback starts in a frozen pipeline: a freeze never stops a rollback.
    let back = matches!(cause, Cause::Rollback { .. });
    let free = head.freeze.is_none() || back || !stands(Guard::Freeze);
    let starts = free && (head.moving.is_none() || !stands(Guard::OneMover));
    let number = head.next;
    head.next += 1;
    let phase = if starts {
        head.moving = Some(number);
        Phase::Surveying { since: now, held: None }
    } else {
        head.waiting = Some(number);
        Phase::Waiting { since: now }
    };
    let release = Release {
        id: ReleaseId::new(head.pipeline.clone(), number),
        step: 1,
        cause,
        by: by.to_owned(),
        at: now,
        config: head.config,
        images,
        waves: scene.config.target_waves(),
        phase,
        without_way_back: false,
        failure: None,
        checks: Vec::new(),
        todo: starts.then_some(Todo::Deploy),
        nudge: 0,
    };
    let mut entry = release_entry(&release, &release, by, reason, None, now);
    entry.from = "none".to_owned();
    Change { releases: vec![release], journal: vec![entry], ..Change::default() }
}

/// How two tags of one `{semver}` pattern follow each other.
fn compare_versions(pattern: &TagPattern, a: &str, b: &str) -> Option<Ordering> {
    if !pattern.orders_by_version() {
        return None;
    }
    let version = |tag| pattern.matches(tag)?.semver();
    Some(version(a)?.cmp(&version(b)?))
}

#[cfg(test)]
mod tests;
