//! The head of a pipeline: what is next, what moves, what waits, what was answered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Digest, ReleaseImage};

/// One item for each pipeline; every change of order goes through it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Head {
    /// The pipeline's name.
    pub pipeline: String,
    /// Counts the writes of this item; the condition of each next one.
    pub step: u64,
    /// The number the next release gets.
    pub next: u64,
    /// The release that moves, or that has stopped and still owns its targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving: Option<u64>,
    /// The release that waits its turn; later pushes are merged into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// The newest release that became live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<u64>,
    /// The newest push that was answered, for each image of the pipeline.
    #[serde(default)]
    pub answered: BTreeMap<String, Memory>,
    /// Set while nothing new starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Freeze>,
    /// Set while the pipeline is out of force: nothing starts, and its targets are free for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<Retired>,
    /// Set once it was brought back: the first release since. What was live before is no way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_since: Option<u64>,
    /// The config version in force; of a retired pipeline the last one.
    pub config: u64,
}

impl Head {
    /// Whether the release of this number is from before the pipeline was last retired: others may have
    /// had its targets since.
    pub fn is_before_it_came_back(&self, number: u64) -> bool {
        self.back_since.is_some_and(|first| number < first)
    }
}

/// The newest push of one image that got an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Memory {
    /// Its bytes.
    pub digest: Digest,
    /// When the bytes were first seen pushed: a tag put on them later does not move it.
    pub pushed_at: Timestamp,
    /// The tag that selected it.
    pub tag: String,
    /// The other tags of the config that were seen to show the same bytes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also: BTreeSet<String>,
}

impl Memory {
    /// Less than any two pushes lie apart: the registry counts whole seconds.
    pub const MOMENT: Duration = Duration::from_millis(1);

    /// What is remembered once these bytes were answered.
    pub fn of(image: &ReleaseImage) -> Self {
        let mut tags = image.tags.iter().cloned();
        Self {
            digest: image.digest.clone(),
            pushed_at: image.pushed_at,
            tag: tags.next().unwrap_or_default(),
            also: tags.collect(),
        }
    }

    /// The moment before it was answered, with `live` as what was answered then: its bytes may come again,
    /// and nothing older does, by whatever tag.
    #[must_use]
    pub fn unanswered(self, live: &ReleaseImage) -> Self {
        let pushed_at = self.pushed_at - Self::MOMENT;
        Self { digest: live.digest.clone(), pushed_at, ..self }
    }

    /// The same, with more tags that show the bytes.
    #[must_use]
    pub fn and_shown_by(mut self, tags: &[String]) -> Self {
        let more = tags.iter().filter(|tag| **tag != self.tag).cloned();
        self.also.extend(more);
        self
    }

    /// All tags that were seen to show the bytes.
    pub fn tags(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.tag).chain(&self.also)
    }

    /// Whether `tag` was seen to show the bytes.
    pub fn was_shown_by(&self, tag: &str) -> bool {
        self.tags().any(|shown| shown == tag)
    }
}

/// Why a pipeline starts nothing new.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Freeze {
    /// Who froze it: an ARN, or `tidegate`.
    pub by: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub at: Timestamp,
}

/// Why a pipeline is out of force, until a config that has it is applied.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Retired {
    /// Who retired it: an ARN.
    pub by: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub at: Timestamp,
}
