//! Task definitions, as the raw JSON that AWS writes: whatever is newer than this program survives.

mod difference;
pub mod lightsail;
mod successor;
mod takers;

use serde_json::Value;

use crate::model::Digest;

pub use difference::difference;
pub use successor::{DefinitionError, successor};
pub use takers::takers;

/// Members that AWS adds and does not take back.
const OUTPUT_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// One container's image, as a task definition names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedImage {
    /// The container's name.
    pub container: String,
    /// `repository[:tag][@digest]`
    pub image: String,
}

impl NamedImage {
    /// The image without tag and digest.
    pub fn repository(&self) -> &str {
        repository_of(&self.image)
    }

    /// The tag, where the image has one and no digest.
    pub fn tag(&self) -> Option<&str> {
        self.image.strip_prefix(self.repository())?.strip_prefix(':').filter(|it| !it.contains('@'))
    }

    /// The digest, where the image is pinned.
    pub fn digest(&self) -> Option<Digest> {
        self.image.split_once('@').and_then(|(_, digest)| digest.parse().ok())
    }
}

/// An image without tag and digest.
pub fn repository_of(image: &str) -> &str {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    match name.rsplit_once(':') {
        // A colon before a slash belongs to the registry's port.
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

/// The images of all containers, in their order.
pub fn images(task_definition: &Value) -> Vec<NamedImage> {
    let containers = task_definition["containerDefinitions"].as_array();
    containers
        .into_iter()
        .flatten()
        .filter_map(|container| {
            Some(NamedImage {
                container: container["name"].as_str()?.to_owned(),
                image: container["image"].as_str()?.to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons";

    fn named(image: &str) -> NamedImage {
        NamedImage { container: "crons".to_owned(), image: image.to_owned() }
    }

    #[test]
    fn an_image_is_taken_apart() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (image, repository, pinned) in [
            (URI.to_owned(), URI, false),
            (format!("{URI}:uapi"), URI, false),
            (format!("{URI}@{digest}"), URI, true),
            (format!("{URI}:uapi@{digest}"), URI, true),
            ("localhost:5000/a/b".to_owned(), "localhost:5000/a/b", false),
            ("localhost:5000/a/b:1".to_owned(), "localhost:5000/a/b", false),
            ("redis".to_owned(), "redis", false),
        ] {
            assert_eq!(named(&image).repository(), repository, "{image}");
            assert_eq!(named(&image).digest().is_some(), pinned, "{image}");
        }
    }
}
