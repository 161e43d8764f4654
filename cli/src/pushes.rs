//! What a pipeline's tags show in the registry now.

use tidegate_aws::registry::{Listed, Registry, Repository};
use tidegate_core::config::{ImageConfig, TagPattern};
use tidegate_core::model::{Digest, ReleaseImage};
use tidegate_core::sighting::RegistryImage;

use crate::Error;

/// Where an image of a config comes from.
pub(crate) fn repository(image: &ImageConfig) -> Repository {
    Repository {
        account: image.registry.account.clone(),
        region: image.registry.region.clone(),
        name: image.repository.clone(),
    }
}

/// The newest push that `image` selects; `None` when nothing matches yet.
///
/// Literal tags cost one call each; patterns page through the repository's tagged images, once.
pub(crate) async fn newest(
    registry: &Registry,
    image: &ImageConfig,
) -> Result<Option<ReleaseImage>, Error> {
    let repository = repository(image);
    let mut found: Vec<(String, Listed)> = Vec::new();
    let (literal, patterns): (Vec<_>, Vec<_>) = image.tags.iter().partition(|p| p.is_literal());
    for tag in literal.iter().map(ToString::to_string) {
        if let Some(shown) = registry.resolve_tag(&repository, &tag).await? {
            let is_index = shown.accepts.len() > 1;
            let RegistryImage { digest, tags, pushed_at, accepts: _ } = shown;
            found.push((tag, Listed { digest, tags, pushed_at, is_index }));
        }
    }
    if !patterns.is_empty() {
        let tagged = registry.tagged(&repository).await?;
        found.extend(patterns.into_iter().filter_map(|pattern| newest_of(pattern, &tagged)));
    }
    let newest = found
        .into_iter()
        .max_by(|(_, a), (_, b)| (a.pushed_at, &a.digest).cmp(&(b.pushed_at, &b.digest)));
    match newest {
        None => Ok(None),
        Some((tag, listed)) => {
            let shown = registry.with_children(&repository, listed).await?;
            Ok(Some(released(image, shown, vec![tag])))
        }
    }
}

/// The newest image that one pattern selects: by version where it has one, else by push time.
fn newest_of(pattern: &TagPattern, tagged: &[Listed]) -> Option<(String, Listed)> {
    let matching = tagged.iter().flat_map(|listed| {
        let tags = listed.tags.iter().filter_map(|tag| Some((tag, pattern.matches(tag)?)));
        tags.map(move |(tag, captures)| (captures.semver(), tag, listed))
    });
    let newest = matching.max_by(|(v, _, a), (w, _, b)| {
        (v, a.pushed_at, &a.digest).cmp(&(w, b.pushed_at, &b.digest))
    });
    newest.map(|(_, tag, listed)| (tag.clone(), listed.clone()))
}

/// What `tag` shows now.
pub(crate) async fn tagged(
    registry: &Registry,
    image: &ImageConfig,
    tag: &str,
) -> Result<Option<ReleaseImage>, Error> {
    let shown = registry.resolve_tag(&repository(image), tag).await?;
    Ok(shown.map(|shown| released(image, shown, vec![tag.to_owned()])))
}

/// The image with these bytes, under those of its tags that the config selects.
pub(crate) async fn with_digest(
    registry: &Registry,
    image: &ImageConfig,
    digest: &Digest,
) -> Result<Option<ReleaseImage>, Error> {
    let repository = repository(image);
    let Some(listed) = registry.describe(&repository, std::slice::from_ref(digest)).await?.pop()
    else {
        return Ok(None);
    };
    let shown = registry.with_children(&repository, listed).await?;
    let selects = |tag: &&String| image.tags.iter().any(|p| p.matches(tag).is_some());
    let tags = shown.tags.iter().filter(selects).cloned().collect();
    Ok(Some(released(image, shown, tags)))
}

fn released(image: &ImageConfig, shown: RegistryImage, tags: Vec<String>) -> ReleaseImage {
    let RegistryImage { digest, tags: _, pushed_at, accepts } = shown;
    ReleaseImage {
        account: image.registry.account.clone(),
        region: image.registry.region.clone(),
        repository: image.repository.clone(),
        digest,
        accepts,
        tags,
        pushed_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_the_newest_push_or_the_highest_version() {
        let listed = |seconds: i64, tags: &[&str]| Listed {
            digest: format!("sha256:{seconds:064}").parse().unwrap(),
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            pushed_at: jiff::Timestamp::from_second(seconds).unwrap(),
            is_index: false,
        };
        let tagged = [
            listed(1, &["prod-1111111", "v1.10.0", "tidegate-keep-1111111111111111"]),
            listed(3, &["prod-3333333", "v1.9.1"]),
            listed(2, &["prod-2222222"]),
        ];
        for (pattern, tag) in [
            ("prod-{sha}", Some("prod-3333333")),
            ("v{semver}", Some("v1.10.0")),
            ("*", Some("v1.9.1")),
            ("staging-{sha}", None),
        ] {
            let found = newest_of(&pattern.parse().unwrap(), &tagged);
            assert_eq!(found.as_ref().map(|(tag, _)| tag.as_str()), tag, "{pattern}");
        }
    }
}
