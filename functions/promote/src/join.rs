//! `join_on`: the images that hold the same captured value as the one that was pushed, asked of the
//! registry at each push. So neither a lost event nor the order of arrival matters.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tidegate_aws::registry::{Listed, Registry, Repository, released};
use tidegate_aws::{App, Error, release_image};
use tidegate_core::config::{ImageConfig, PipelineConfig, Placeholder, TagPattern};
use tidegate_core::guard::{Guard, stands};
use tidegate_core::model::{Digest, Head};
use tidegate_core::push::{Candidate, Member, Missing, SWEEP};
use tidegate_core::sighting::RegistryImage;

/// The push of `image` with all that is answered with it; without `join_on` that is nothing.
pub(crate) async fn complete(
    app: &App,
    registry: &Registry,
    head: &Head,
    config: &PipelineConfig,
    mut candidate: Candidate,
) -> Result<Candidate, Error> {
    let Some(join_on) = config.join_on else { return Ok(candidate) };
    let captures = candidate.pushed.pattern.matches(&candidate.pushed.tag);
    let Some(value) = captures.as_ref().and_then(|captures| captures.get(join_on)) else {
        return Ok(candidate);
    };
    let mut images = Vec::new();
    for (name, image) in config.images.iter().filter(|(name, _)| **name != candidate.image) {
        match holding(app, registry, head, (name, image), (join_on, value)).await? {
            Some(member) => drop(candidate.others.insert(name.clone(), member)),
            None => images.push(name.clone()),
        }
    }
    if !images.is_empty() && stands(Guard::WholeSet) {
        candidate.missing = Some(Missing { value: value.to_owned(), images });
    }
    Ok(candidate)
}

/// The whole sets that the registry shows and that may be news, newest first. A list for each repository
/// finds also those whose every event was lost and that a push without its set has followed.
pub(crate) async fn whole_sets(
    app: &App,
    registry: &Registry,
    head: &Head,
    config: &PipelineConfig,
    join_on: Placeholder,
) -> Result<Vec<Candidate>, Error> {
    let mut sets: BTreeMap<String, BTreeMap<String, Member>> = BTreeMap::new();
    let mut indexes = BTreeSet::new();
    for (name, image) in &config.images {
        for listed in registry.tagged(&Repository::of_config(image)).await? {
            if listed.is_index {
                indexes.insert(listed.digest.clone());
            }
            for (value, pattern, tag) in values(image, &listed.tags, join_on) {
                let bytes = released(image, alone(&listed), Some(&tag));
                let answered = head.answered.get(name).cloned();
                let member = Member { pattern, tag, bytes, answered };
                let set = sets.entry(value).or_default();
                if set.get(name).is_none_or(|known| age(known) < age(&member)) {
                    set.insert(name.clone(), member);
                }
            }
        }
    }
    let whole = sets.into_values().filter(|set| set.len() == config.images.len());
    let mut news = Vec::new();
    for set in whole.filter_map(as_one).filter(Candidate::may_be_news) {
        // ECR may show another time than the bytes', and an index without its children.
        let mut known = BTreeMap::new();
        for (name, member) in set.members() {
            let image = &config.images[name];
            let (digest, tags) = (member.bytes.digest.clone(), member.bytes.tags.clone());
            let (pushed_at, is_index) = (member.bytes.pushed_at, indexes.contains(&digest));
            let listed = Listed { digest, tags, pushed_at, is_index };
            let shown = registry.with_children(&Repository::of_config(image), listed).await?;
            let tag = Some(member.tag.as_str());
            let bytes = release_image(&app.table, &head.pipeline, image, shown, tag).await?;
            known.insert(name.clone(), Member { bytes, ..member.clone() });
        }
        news.extend(as_one(known).filter(Candidate::may_be_news));
    }
    let version = |set: &Candidate| set.pushed.pattern.matches(&set.pushed.tag)?.semver();
    news.sort_by_key(|set| Reverse((version(set), set.pushed.bytes.pushed_at)));
    Ok(news)
}

/// Each value of `join_on` that an image's tags hold, with the pattern and the tag that say so.
fn values(
    image: &ImageConfig,
    tags: &[String],
    join_on: Placeholder,
) -> impl Iterator<Item = (String, TagPattern, String)> {
    image.tags.iter().flat_map(move |pattern| {
        tags.iter().filter_map(move |tag| {
            let captures = pattern.matches(tag)?;
            Some((captures.get(join_on)?.to_owned(), pattern.clone(), tag.clone()))
        })
    })
}

fn alone(listed: &Listed) -> RegistryImage {
    let Listed { digest, tags, pushed_at, is_index: _ } = listed.clone();
    RegistryImage { accepts: [digest.clone()].into(), digest, tags, pushed_at }
}

fn age(member: &Member) -> (Timestamp, &Digest) {
    (member.bytes.pushed_at, &member.bytes.digest)
}

/// A set, as if the newest of its images had just been pushed.
fn as_one(mut set: BTreeMap<String, Member>) -> Option<Candidate> {
    let newest = set.iter().max_by_key(|(_, member)| age(member))?.0.clone();
    let pushed = set.remove(&newest)?;
    Some(Candidate { others: set, ..Candidate::alone(SWEEP, &newest, pushed) })
}

/// What an image holds under the value: one call for each pattern, most images having one. Where
/// several patterns find something, the newest push counts.
async fn holding(
    app: &App,
    registry: &Registry,
    head: &Head,
    (name, image): (&String, &ImageConfig),
    (join_on, value): (Placeholder, &str),
) -> Result<Option<Member>, Error> {
    let repository = Repository::of_config(image);
    let mut found = Vec::new();
    for pattern in &image.tags {
        let Some(tag) = pattern.tag_with(join_on, value) else { continue };
        let Some(shown) = registry.resolve_tag(&repository, &tag).await? else { continue };
        let bytes = release_image(&app.table, &head.pipeline, image, shown, Some(&tag)).await?;
        let (pattern, answered) = (pattern.clone(), head.answered.get(name).cloned());
        found.push(Member { pattern, tag, bytes, answered });
    }
    Ok(found.into_iter().max_by(|a, b| age(a).cmp(&age(b))))
}
