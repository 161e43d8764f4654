//! A push becomes a release, or the reason why not.
//!
//! Pushes arrive twice, late, out of order and under several names; what decides is what the
//! registry shows and what was answered before, never the order of arrival.

use jiff::Timestamp;

use crate::config::TagPattern;
use crate::decide::{pipeline_entry, release_entry};
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
}

/// How a push is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Write this.
    Record(Box<Change>),
    /// It was answered before: nothing is written, the log says why.
    Known(String),
}

/// What becomes of a push.
pub fn answer(scene: &Scene, candidate: &Candidate, now: Timestamp) -> Answer {
    let Candidate { image, bytes, .. } = candidate;
    if let Some(memory) = scene.head.answered.get(image) {
        if memory.digest == bytes.digest {
            return Answer::Known(format!("{} was answered already", bytes.label()));
        }
        if let Some(why) = reason_it_is_late(memory, candidate) {
            // A level that is looked at every five minutes must not write a line each time.
            return if candidate.by == SWEEP {
                Answer::Known(why)
            } else {
                Answer::Record(Box::new(Change {
                    push: Some(push(scene, candidate, why, now)),
                    ..Change::default()
                }))
            };
        }
    }
    if let Some(block) = scene.blocked.get(&bytes.digest) {
        let why = format!(
            "{} is blocked since {} failed: {}",
            bytes.label(),
            block.release,
            block.why
        );
        return Answer::Record(Box::new(refuse(scene, candidate, why, now)));
    }
    Answer::Record(Box::new(match &scene.waiting {
        Some(waiting) => merge(scene, waiting, candidate, now),
        None => record(scene, candidate, now),
    }))
}

/// The actor of pushes that the sweep found.
pub const SWEEP: &str = "sweep";

/// Whether the push is older than the newest answered one.
///
/// The same literal tag moved back on purpose is not: the tag's present digest decides there.
fn reason_it_is_late(memory: &Memory, candidate: &Candidate) -> Option<String> {
    let Candidate { pattern, tag, bytes, .. } = candidate;
    if pattern.is_literal() && memory.tag == *tag {
        return None;
    }
    let by_version = pattern.orders_by_version().then(|| compare_versions(pattern, tag, &memory.tag)).flatten();
    let order = by_version.unwrap_or_else(|| {
        (bytes.pushed_at, &bytes.digest).cmp(&(memory.pushed_at, &memory.digest))
    });
    order.is_lt().then(|| {
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

fn push(scene: &Scene, candidate: &Candidate, why: String, now: Timestamp) -> Push {
    Push {
        pipeline: scene.head.pipeline.clone(),
        repository: candidate.bytes.repository.clone(),
        tag: candidate.tag.clone(),
        digest: candidate.bytes.digest.clone(),
        at: now,
        why,
    }
}

/// The head after this push was answered.
fn answered(scene: &Scene, candidate: &Candidate) -> Head {
    let mut head = scene.head.clone();
    head.step += 1;
    let memory = Memory {
        digest: candidate.bytes.digest.clone(),
        pushed_at: candidate.bytes.pushed_at,
        tag: candidate.tag.clone(),
    };
    head.answered.insert(candidate.image.clone(), memory);
    head
}

fn refuse(scene: &Scene, candidate: &Candidate, why: String, now: Timestamp) -> Change {
    let head = answered(scene, candidate);
    let notice = messages::push_refused(&head.pipeline, &candidate.bytes, &why);
    let entry = pipeline_entry(&head, &candidate.by, "refused", why.clone(), Some(notice), now);
    Change {
        head: Some(head),
        journal: vec![entry],
        push: Some(push(scene, candidate, why, now)),
        seen: Some((candidate.bytes.digest.clone(), candidate.bytes.pushed_at)),
        ..Change::default()
    }
}

/// The newest digest of this image replaces the one that waits; the others stay.
fn merge(scene: &Scene, waiting: &Release, candidate: &Candidate, now: Timestamp) -> Change {
    let mut next = waiting.clone();
    next.step += 1;
    next.images.insert(candidate.image.clone(), candidate.bytes.clone());
    let reason = format!("{} was pushed while it waited", candidate.bytes.label());
    let entry = release_entry(waiting, &next, &candidate.by, reason, None, now);
    Change {
        head: Some(answered(scene, candidate)),
        releases: vec![next],
        journal: vec![entry],
        seen: Some((candidate.bytes.digest.clone(), candidate.bytes.pushed_at)),
        ..Change::default()
    }
}

fn record(scene: &Scene, candidate: &Candidate, now: Timestamp) -> Change {
    let mut head = answered(scene, candidate);
    let images = [(candidate.image.clone(), candidate.bytes.clone())].into();
    let what = format!("{} was pushed", candidate.bytes.label());
    let mut change = new_release(scene, &mut head, Cause::Push, images, &candidate.by, what, now);
    change.head = Some(head);
    change.seen = Some((candidate.bytes.digest.clone(), candidate.bytes.pushed_at));
    change
}

/// A new release: surveyed at once when nothing moves and nothing forbids it, else it waits.
///
/// Advances `head`'s counters; the caller puts the head into the change.
pub fn new_release(
    scene: &Scene,
    head: &mut Head,
    cause: Cause,
    images: std::collections::BTreeMap<String, ReleaseImage>,
    by: &str,
    reason: String,
    now: Timestamp,
) -> Change {
    // Only an operator's rollback starts in a frozen pipeline: a freeze never stops a rollback.
    let free = head.freeze.is_none() || matches!(cause, Cause::Rollback { .. });
    let starts = head.moving.is_none() && free;
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
        todo: starts.then_some(Todo::Deploy),
        nudge: 0,
    };
    let mut entry = release_entry(&release, &release, by, reason, None, now);
    entry.from = "none".to_owned();
    Change { releases: vec![release], journal: vec![entry], ..Change::default() }
}

/// How two tags of one `{semver}` pattern follow each other.
fn compare_versions(pattern: &TagPattern, a: &str, b: &str) -> Option<std::cmp::Ordering> {
    let version = |tag| pattern.matches(tag)?.semver();
    Some(version(a)?.cmp(&version(b)?))
}
