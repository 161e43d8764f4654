//! One image of a release.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use tidegate_core::model::{Digest, ReleaseImage};

/// One image of a release.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImageView {
    /// Its name in the config.
    pub image: String,
    /// The repository with its registry's host.
    pub repository: String,
    /// The bytes.
    pub digest: Digest,
    /// The tags of the config that showed it then; first the one that selected it.
    pub tags: Vec<String>,
    /// When the bytes were first seen pushed.
    pub pushed_at: Timestamp,
    #[serde(skip)]
    label: String,
}

impl ImageView {
    /// The images of a release, or the like.
    pub(crate) fn all(images: &BTreeMap<String, ReleaseImage>) -> Vec<Self> {
        let view = |(name, image): (&String, &ReleaseImage)| Self {
            image: name.clone(),
            repository: image.uri(),
            digest: image.digest.clone(),
            tags: image.tags.clone(),
            pushed_at: image.pushed_at,
            label: image.label(),
        };
        images.iter().map(view).collect()
    }
}

impl fmt::Display for ImageView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

/// `live_crons:prod-1a2b3c4 (0123456789ab), web:v1 (…)`
pub(super) fn list(images: &[ImageView]) -> String {
    images.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
