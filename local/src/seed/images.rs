//! Images: what is pushed, and under which tags.

use jiff::Timestamp;
use serde_json::json;
use tidegate_core::config::ImageConfig;

use crate::api::ApiError;
use crate::cloud::Cloud;
use crate::ecr::{digest_of, manifest};

/// Pushes an image that behaves so, once for each tag, as a build does; returns its digest.
pub fn push(
    cloud: &mut Cloud,
    repository: &str,
    tags: &[&str],
    behaviour: &str,
    now: Timestamp,
) -> Result<String, ApiError> {
    let manifest = manifest(&format!("{repository} {behaviour} {now}"), behaviour);
    put(cloud, repository, tags, &manifest, now)
}

/// Pushes the image of this manifest to where the repository is, once for each tag; returns its digest.
pub fn put(
    cloud: &mut Cloud,
    repository: &str,
    tags: &[&str],
    manifest: &str,
    now: Timestamp,
) -> Result<String, ApiError> {
    for tag in tags {
        let put =
            json!({ "repositoryName": repository, "imageManifest": manifest, "imageTag": tag });
        cloud.ecr.holding(repository).call("PutImage", &put, now)?;
    }
    Ok(digest_of(manifest))
}

/// The image that runs before the story begins, as a task definition names it.
pub(super) fn reference(image: &ImageConfig) -> String {
    format!("{}:{}", image.uri(), example_tag(image))
}

/// A tag that the image's first pattern selects: that of what runs before the story begins; any, where
/// it is promoted and none does.
pub fn example_tag(image: &ImageConfig) -> String {
    build_tag(image, 0)
}

/// The tag that build number `build` puts on an image; a literal one is moved each time.
pub fn build_tag(image: &ImageConfig, build: u32) -> String {
    let pattern = image.tags.first().map_or("*".to_owned(), ToString::to_string);
    let version = format!("1.{build}.0");
    pattern
        .replace("{sha}", &format!("{:07x}", 0x0a1_b2c3 + u64::from(build)))
        .replace("{version}", &version)
        .replace("{semver}", &version)
        .replace('*', "seed")
}
