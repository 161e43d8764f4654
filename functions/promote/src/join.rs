//! `join_on`: the images that hold the same captured value as the one that was pushed, asked of the
//! registry at each push. So neither a lost event nor the order of arrival matters.

use tidegate_aws::registry::{Registry, Repository};
use tidegate_aws::{App, Error, release_image};
use tidegate_core::config::{ImageConfig, PipelineConfig, Placeholder};
use tidegate_core::guard::{Guard, stands};
use tidegate_core::model::Head;
use tidegate_core::push::{Candidate, Member, Missing};

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
    Ok(found.into_iter().max_by_key(|member| (member.bytes.pushed_at, member.bytes.digest.clone())))
}
