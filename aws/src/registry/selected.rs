//! What a config's patterns select in a repository now.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tidegate_core::config::{ImageConfig, TagPattern};
use tidegate_core::model::{Digest, Memory, ReleaseImage};
use tidegate_core::sighting::RegistryImage;

use super::{Listed, Registry, Repository};
use crate::Refusal;

/// An image that a pattern selects.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// The pattern.
    pub pattern: TagPattern,
    /// The tag it selected.
    pub tag: String,
    /// The image, children included.
    pub shown: RegistryImage,
}

impl Registry {
    /// What each pattern of `image` selects now, oldest push first; bytes that are `known` are
    /// left out, and cost no further call, but for a literal tag that was not seen to show them.
    ///
    /// Patterns page through the repository's tagged images, once; without any, each literal tag
    /// costs one call. One more tag, our own or anybody's, may have made old bytes look freshly pushed:
    /// `first_seen` says when they really were.
    pub async fn selected<E: From<Refusal>>(
        &self,
        image: &ImageConfig,
        known: Option<&Memory>,
        first_seen: impl AsyncFn(&Digest) -> Result<Option<Timestamp>, E>,
    ) -> Result<Vec<Selected>, E> {
        let repository = Repository::of_config(image);
        let pages = image.tags.iter().any(|pattern| !pattern.is_literal());
        let mut tagged = if pages { self.tagged(&repository).await? } else { Vec::new() };
        for pattern in image.tags.iter().filter(|_| !pages) {
            tagged.extend(self.tagged_as(&repository, &pattern.to_string()).await?);
        }
        let mut certain = BTreeSet::new();
        let mut found = Vec::new();
        for pattern in &image.tags {
            let newest = loop {
                let Some((tag, listed)) = newest_of(pattern, &tagged) else { break None };
                if !certain.insert(listed.digest.clone()) {
                    break Some((tag, listed));
                }
                let first = match known.filter(|memory| memory.digest == listed.digest) {
                    Some(memory) => Some(memory.pushed_at),
                    None => first_seen(&listed.digest).await?,
                };
                let own = |it: &&mut Listed| it.digest == listed.digest;
                for image in tagged.iter_mut().filter(own) {
                    image.pushed_at = first.unwrap_or(image.pushed_at);
                }
            };
            let is_news = |(tag, listed): &(String, Listed)| {
                let same = known.filter(|memory| memory.digest == listed.digest);
                same.is_none_or(|it| pattern.is_literal() && !it.was_shown_by(tag))
            };
            if let Some((tag, listed)) = newest.filter(is_news) {
                let shown = self.with_children(&repository, listed).await?;
                found.push(Selected { pattern: pattern.clone(), tag, shown });
            }
        }
        found.sort_by(|a, b| {
            (a.shown.pushed_at, &a.shown.digest).cmp(&(b.shown.pushed_at, &b.shown.digest))
        });
        Ok(found)
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

/// The image of a config with these bytes, as a release brings it: under `tag`, which selected it,
/// and under the others that the config selects.
pub fn released(image: &ImageConfig, shown: RegistryImage, tag: Option<&str>) -> ReleaseImage {
    let RegistryImage { digest, mut tags, pushed_at, accepts } = shown;
    let selects = |tag: &str| image.tags.iter().any(|pattern| pattern.matches(tag).is_some());
    tags.retain(|other| Some(other.as_str()) != tag && selects(other));
    tags.sort_unstable();
    let tags = tag.map(str::to_owned).into_iter().chain(tags).collect();
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
