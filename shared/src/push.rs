//! A push becomes a release, or the reason why not.
//!
//! Pushes arrive twice, late, out of order and under several names; what decides is what the
//! registry shows and what was answered before, never the order of arrival. With `join_on` the
//! images that hold the same value are answered as one; a push without it is a set of one.

mod candidate;
mod order;
mod promotion;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::decide::{live_already, pipeline_entry, rejected, release_entry};
use crate::guard::{Guard, stands};
use crate::messages;
use crate::model::{
    Block, Cause, Change, Head, Memory, Phase, Push, Release, ReleaseId, ReleaseImage, Scene, Todo,
};

pub use candidate::{Candidate, Member, Missing};
pub(crate) use order::started;
use order::{reason_it_is_late, remembered};
pub use promotion::{offered, withdrawn};

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
    match messages::retired(&scene.head) {
        // It was found before the pipeline was retired; once nobody looks, no push is found at all.
        Some(why) => Answer::Known(why),
        None => in_force(scene, candidate, now),
    }
}

fn in_force(scene: &Scene, candidate: &Candidate, now: Timestamp) -> Answer {
    let Candidate { pushed, missing, .. } = candidate;
    let memory = |image: &String| scene.head.answered.get(image);
    let all = |holds: fn(&Member, Option<&Memory>) -> bool| {
        candidate.members().all(|(name, member)| holds(member, memory(name)))
    };
    // What a literal tag showed before the last answer may be what it left since: taken for a tag
    // that was moved back, it would undo the newer push.
    let literal = |member: &Member| member.pattern.is_literal();
    let mut members = candidate.members();
    if members.any(|(name, it)| literal(it) && memory(name) != it.answered.as_ref()) {
        return Answer::Outdated;
    }
    let (same, same_tags) = (all(Member::is), all(Member::is_tagged_as));
    let mut members = candidate.members();
    let late = members.find_map(|(name, member)| reason_it_is_late(memory(name)?, member));
    // A level that is looked at every five minutes must not write a line each time.
    let swept = candidate.is_level();
    let whole = missing.is_none();
    if let Some((bytes, block)) = blocked(scene, candidate).filter(|_| whole) {
        let why = format!("{}: {block}", bytes.label());
        let told = same && (swept || same_tags);
        if told || (swept && late.is_some()) {
            return Answer::Known(why);
        }
        // What is late does not become the newest answer.
        let head = if late.is_some() { scene.head.stepped() } else { answered(scene, candidate) };
        return Answer::Record(Box::new(refuse(scene, head, candidate, bytes, why, now)));
    }
    if same && (whole || same_tags) {
        if literal(pushed) && !same_tags {
            let head = Some(answered(scene, candidate));
            return Answer::Record(Box::new(Change { head, ..Change::default() }));
        }
        return Answer::Known(format!("{} was answered already", pushed.bytes.label()));
    }
    let awaited = missing.as_ref().filter(|_| late.is_none());
    if let Some(why) = late.or_else(|| awaited.map(ToString::to_string)) {
        if swept {
            return Answer::Known(why);
        }
        let missing = awaited.map(|missing| missing.images.clone()).unwrap_or_default();
        return Answer::Record(Box::new(Change {
            pushes: vec![Push { missing, ..push(scene, candidate, why, now) }],
            seen: candidate.seen(),
            ..Change::default()
        }));
    }
    if let Some(why) = no_news(scene, candidate) {
        return Answer::Record(Box::new(Change {
            head: Some(answered(scene, candidate)),
            pushes: vec![push(scene, candidate, why, now)],
            seen: candidate.seen(),
            ..Change::default()
        }));
    }
    Answer::Record(Box::new(match &scene.waiting {
        Some(waiting) => merge(scene, waiting, candidate, now),
        None => record(scene, candidate, now),
    }))
}

/// The actor of pushes that the sweep found.
pub const SWEEP: &str = "sweep";

/// The first of the set's bytes that may not be released here.
fn blocked<'a>(
    scene: &'a Scene,
    candidate: &'a Candidate,
) -> Option<(&'a ReleaseImage, &'a Block)> {
    let mut members = candidate.members().map(|(_, member)| &member.bytes);
    members
        .find_map(|bytes| Some((bytes, scene.blocked.get(&bytes.digest)?)))
        .filter(|_| stands(Guard::Block))
}

/// Why a push makes no release though it is the newest: it changes nothing where nothing is in
/// front of it, or a person rejected the set. What joins a release that waits is another set.
fn no_news(scene: &Scene, candidate: &Candidate) -> Option<String> {
    let images = candidate.images();
    let alone = scene.waiting.is_none();
    let idle = alone && scene.moving.is_none();
    let live = live_already(scene, &images).filter(|_| idle);
    live.or_else(|| rejected(scene, &images).filter(|_| alone))
}

fn push(scene: &Scene, candidate: &Candidate, why: String, now: Timestamp) -> Push {
    let Member { tag, bytes, .. } = &candidate.pushed;
    Push {
        pipeline: scene.head.pipeline.clone(),
        repository: bytes.repository.clone(),
        tag: tag.clone(),
        digest: bytes.digest.clone(),
        at: now,
        why,
        instead: None,
        missing: Vec::new(),
    }
}

/// The head after this push was answered.
fn answered(scene: &Scene, candidate: &Candidate) -> Head {
    let mut head = scene.head.stepped();
    for (name, member) in candidate.members() {
        let memory = remembered(head.answered.get(name), member);
        head.answered.insert(name.clone(), memory);
    }
    head
}

fn refuse(
    scene: &Scene,
    head: Head,
    candidate: &Candidate,
    bytes: &ReleaseImage,
    why: String,
    now: Timestamp,
) -> Change {
    let notice = messages::push_refused(&head.pipeline, bytes, &why);
    let entry = pipeline_entry(&head, &candidate.by, "refused", why.clone(), Some(notice), now);
    Change {
        head: Some(head),
        journal: vec![entry],
        pushes: vec![push(scene, candidate, why, now)],
        seen: candidate.seen(),
        ..Change::default()
    }
}

/// The newest bytes of these images replace those that wait; the others stay.
fn merge(scene: &Scene, waiting: &Release, candidate: &Candidate, now: Timestamp) -> Change {
    let mut next = waiting.stepped();
    next.images.extend(candidate.images());
    if candidate.promoted.is_some() {
        (next.cause, next.by) = (candidate.cause(), candidate.by.clone());
    }
    let reason = format!("{} while it waited", candidate.what_happened());
    let entry = release_entry(waiting, &next, &candidate.by, reason.clone(), None, now);
    let why = format!("{reason}; {} brings that", waiting.id);
    Change {
        head: Some(answered(scene, candidate)),
        pushes: replaced(waiting, &next, &why, now),
        releases: vec![next],
        journal: vec![entry],
        seen: candidate.seen(),
        ..Change::default()
    }
}

/// The bytes that `waiting` would have brought and its next version will not. Whoever waits for them
/// finds where it went on.
pub(crate) fn replaced(waiting: &Release, next: &Release, why: &str, now: Timestamp) -> Vec<Push> {
    let gone = |(name, old): (&String, &ReleaseImage)| {
        let stays = next.images.get(name).is_some_and(|new| new.digest == old.digest);
        let push = Push {
            pipeline: waiting.id.pipeline.clone(),
            repository: old.repository.clone(),
            tag: old.tags.first().cloned().unwrap_or_default(),
            digest: old.digest.clone(),
            at: now,
            why: why.to_owned(),
            instead: Some(waiting.id.number),
            missing: Vec::new(),
        };
        (!stays).then_some((old.digest.clone(), push))
    };
    // Two images may have been the same bytes, whose record is one.
    let gone: BTreeMap<_, _> = waiting.images.iter().filter_map(gone).collect();
    gone.into_values().collect()
}

fn record(scene: &Scene, candidate: &Candidate, now: Timestamp) -> Change {
    let mut head = answered(scene, candidate);
    let (images, what) = (candidate.images(), candidate.what_happened());
    let cause = candidate.cause();
    let mut change = new_release(scene, &mut head, cause, images, &candidate.by, what, now);
    change.head = Some(head);
    change.seen = candidate.seen();
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
    let back = cause.goes_back();
    let free = head.freeze.is_none() || back || !stands(Guard::Freeze);
    let starts = free && (head.moving.is_none() || !stands(Guard::OneMover));
    let number = head.next;
    head.next += 1;
    // What was released from another registry before is read from the one that the config names now.
    let images = images.into_iter().map(|(name, image)| {
        let image = scene.config.read_here(&name, image);
        (name, image)
    });
    let images = images.collect();
    let phase = if starts {
        head.moving = Some(number);
        Phase::Surveying { since: now, held: None }
    } else {
        head.waiting = Some(number);
        Phase::Waiting { since: now }
    };
    let id = ReleaseId::new(head.pipeline.clone(), number);
    let release = Release {
        config: head.config,
        images,
        waves: scene.config.waves_of(&cause),
        todo: starts.then_some(Todo::Deploy),
        ..Release::recorded(id, cause, by, now, phase)
    };
    let mut entry = release_entry(&release, &release, by, reason, None, now);
    entry.from = "none".to_owned();
    Change { releases: vec![release], journal: vec![entry], ..Change::default() }
}

#[cfg(test)]
mod tests;
