//! The head of a pipeline: what is next, what moves, what waits, what was answered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Digest;

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
    /// The config version in force.
    pub config: u64,
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
