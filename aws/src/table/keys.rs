//! Where each item lives.

use jiff::Timestamp;
use tidegate_core::config::Registry;
use tidegate_core::model::{Digest, Entry, ReleaseId, Subject, TargetId};

/// Partition and sort key of one item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Partition.
    pub pk: String,
    /// Sort.
    pub sk: String,
}

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key { pk, sk: sk.into() }
}

/// The partition of all that belongs to a pipeline.
pub fn pipeline(name: &str) -> String {
    format!("pipeline#{name}")
}

/// The pipeline whose partition this is.
pub fn pipeline_of(pk: &str) -> Option<&str> {
    pk.strip_prefix("pipeline#")
}

/// The target whose partition this is.
pub fn target_of(pk: &str) -> Option<TargetId> {
    pk.strip_prefix("target#")?.parse().ok()
}

/// The head of a pipeline.
pub fn head(name: &str) -> Key {
    key(pipeline(name), "head")
}

/// A release.
pub fn release(name: &str, number: u64) -> Key {
    key(pipeline(name), format!("release#{number:08}"))
}

/// The number in a release's sort key.
pub fn release_of(sk: &str) -> Option<u64> {
    sk.strip_prefix("release#")?.parse().ok()
}

/// A config version.
pub fn config(name: &str, version: u64) -> Key {
    key(pipeline(name), format!("config#{version:06}"))
}

/// A target's slot.
pub fn slot(target: &TargetId) -> Key {
    key(format!("target#{target}"), "now")
}

/// A slot's copy, written when the next release takes it.
pub fn past(target: &TargetId, release: &ReleaseId) -> Key {
    key(format!("target#{target}"), format!("past#{}#{:08}", release.pipeline, release.number))
}

/// A blocked digest.
pub fn block(name: &str, digest: &Digest) -> Key {
    key(pipeline(name), format!("block#{digest}"))
}

/// A set of images that was rejected: beside the blocked digests, so that one query reads both.
pub fn rejection(name: &str, set: &str) -> Key {
    key(pipeline(name), format!("{REJECTION}{set}"))
}

/// Whether a sort key is a rejected set's.
pub fn is_rejection(sk: &str) -> bool {
    sk.starts_with(REJECTION)
}

const REJECTION: &str = "block#set#";

/// A digest's push time as first seen.
pub fn seen(name: &str, digest: &Digest) -> Key {
    key(pipeline(name), format!("seen#{digest}"))
}

/// A push that made no release.
pub fn push(name: &str, at: Timestamp, digest: &Digest) -> Key {
    key(pipeline(name), format!("push#{at}#{digest}"))
}

/// The revision made for a release from one base revision.
pub fn made(release: &ReleaseId, base: &str) -> Key {
    key(pipeline(&release.pipeline), format!("made#{:08}#{base}", release.number))
}

/// Which pipelines look at a repository: one item for each.
pub fn image(registry: &Registry, repository: &str, pipeline: &str) -> Key {
    key(image_partition(registry, repository), pipeline)
}

/// The partition of a repository's watchers.
pub fn image_partition(registry: &Registry, repository: &str) -> String {
    format!("image#{}/{}/{repository}", registry.account, registry.region)
}

/// A line of the audit trail.
pub fn journal(entry: &Entry) -> Key {
    let (number, step) = (entry.release.number, entry.step);
    let sk = match &entry.subject {
        Subject::Release => format!("journal#{number:08}#r#{step:04}"),
        Subject::Target { target } => format!("journal#{number:08}#t#{target}#{step:04}"),
        Subject::Pipeline => format!("journal#{number:08}#p#{step:04}"),
    };
    key(pipeline(&entry.release.pipeline), sk)
}
