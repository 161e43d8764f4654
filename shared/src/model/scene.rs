//! What a decision is made from, and what it comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Digest, Entry, Head, Release, ReleaseId, Slot, TargetId};
use crate::config::PipelineConfig;

/// Everything the table holds about one pipeline that a decision needs, read consistently.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// The pipeline's head.
    pub head: Head,
    /// The config of the moving release, or the current one where nothing moves.
    pub config: PipelineConfig,
    /// The release that moves or is stuck.
    pub moving: Option<Release>,
    /// The release that waits.
    pub waiting: Option<Release>,
    /// The newest live release.
    pub live: Option<Release>,
    /// The slots of the moving release's targets that exist, whoever owns them.
    pub slots: BTreeMap<TargetId, Slot>,
    /// The digests that may not be released here.
    pub blocked: BTreeMap<Digest, Block>,
    /// The sets of images that a person rejected here, by their names.
    pub rejected: BTreeMap<String, Rejection>,
}

impl Scene {
    /// The slots that the moving release owns.
    pub fn owned(&self) -> impl Iterator<Item = &Slot> {
        let id = self.moving.as_ref().map(|release| &release.id);
        self.slots.values().filter(move |slot| Some(&slot.release) == id)
    }
}

/// A digest that was to blame.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Block {
    /// The bytes.
    pub digest: Digest,
    /// The release that failed with them, or that was live when a person blocked them.
    pub release: ReleaseId,
    /// Why.
    pub why: String,
    /// Since when.
    pub at: Timestamp,
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { digest, release, why, at: _ } = self;
        write!(f, "{} is blocked since {release}: {why}", digest.short())
    }
}

/// A set of images that a person rejected: it comes again by an operator's `start` alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rejection {
    /// The set's name.
    pub set: String,
    /// The release that would have brought it.
    pub release: ReleaseId,
    /// Who rejected it.
    pub by: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub at: Timestamp,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set: _, release, by, why, at: _ } = self;
        write!(
            f,
            "{by} rejected these images as {release}: {why}; `tidegate start {release}` brings \
             them all the same"
        )
    }
}

/// A push that made no release, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Push {
    /// The pipeline that looked at it.
    pub pipeline: String,
    /// The repository.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// The bytes.
    pub digest: Digest,
    /// When it was answered.
    pub at: Timestamp,
    /// Why it made no release.
    pub why: String,
    /// The release that brings newer bytes in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<u64>,
    /// With `join_on`: the images that it still waits for, by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// One conditional transaction: all of it becomes true, or none.
///
/// Each item carries its new step; the condition is that the table still holds the step before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Change {
    /// The pipeline's head.
    pub head: Option<Head>,
    /// Releases that are new or changed.
    pub releases: Vec<Release>,
    /// Slots that are new or changed, with the slot each was decided on.
    pub slots: Vec<(Option<Slot>, Slot)>,
    /// Digests to block.
    pub blocks: Vec<Block>,
    /// Sets of images that were rejected.
    pub rejections: Vec<Rejection>,
    /// Digests to unblock.
    pub unblocks: BTreeSet<Digest>,
    /// The audit trail of it.
    pub journal: Vec<Entry>,
    /// Pushes that made no release.
    pub pushes: Vec<Push>,
    /// Push times of digests as first seen; each put once, so that a later tag never moves it.
    pub seen: BTreeMap<Digest, Timestamp>,
}

/// What should happen next, and why nothing more does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[must_use = "a plan nobody carries out moves nothing"]
pub struct Plan {
    /// Independent of each other: each is its own transaction.
    pub changes: Vec<Change>,
    /// Why the rest stands still.
    pub waiting_on: Vec<WaitingOn>,
}

/// One thing a release waits for; the same words in the CLI, the log and the notification.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WaitingOn {
    /// The target, where it is one.
    pub target: Option<TargetId>,
    /// What is waited for.
    pub what: String,
    /// When the wait ends by itself, if it does.
    pub until: Option<Timestamp>,
}
