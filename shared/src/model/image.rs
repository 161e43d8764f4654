//! The bytes a release brings.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Digest;
use crate::fingerprint::fingerprint;

/// One image of a release: which bytes, and under which names they came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReleaseImage {
    /// The registry's account.
    pub account: String,
    /// The registry's region.
    pub region: String,
    /// The ECR repository.
    pub repository: String,
    /// The bytes; for a multi-platform image the index.
    pub digest: Digest,
    /// The digest and its children: what a running task may show for these bytes.
    pub accepts: BTreeSet<Digest>,
    /// The tags of the config that showed it then; first the one that selected it.
    pub tags: Vec<String>,
    /// When these bytes were first seen pushed.
    pub pushed_at: Timestamp,
}

impl ReleaseImage {
    /// `123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons`
    pub fn uri(&self) -> String {
        repository_uri(&self.account, &self.region, &self.repository)
    }

    /// How a person names it: `live_crons:prod-1a2b3c4 (0123456789ab)`.
    pub fn label(&self) -> String {
        let tag = self.tags.first().map_or(String::new(), |tag| format!(":{tag}"));
        format!("{}{tag} ({})", self.repository, self.digest.short())
    }
}

/// The name of a set of images: the same for the same bytes, whatever their tags.
pub fn set_of(images: &BTreeMap<String, ReleaseImage>) -> String {
    let lines = images.iter().map(|(name, image)| format!("{name} {}", image.digest));
    fingerprint(&lines.collect::<Vec<_>>().join("\n"))
}

/// A text with each image in it as people name them: `scr-api@0123456789ab`, without the registry.
pub fn short_image(text: &str) -> String {
    let word = |word: &str| {
        let bare = match word.split_once('/') {
            Some((host, rest)) if host.contains(".dkr.ecr.") => rest,
            _ => word,
        };
        match bare.split_once("@sha256:") {
            Some((name, hex)) => format!("{name}@{}", hex.get(..12).unwrap_or(hex)),
            None => bare.to_owned(),
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The repository as task definitions name it.
pub fn repository_uri(account: &str, region: &str, repository: &str) -> String {
    format!("{account}.dkr.ecr.{region}.amazonaws.com/{repository}")
}
