//! What a tag means now: asked of the registry, never taken from an event.

use tidegate_aws::registry::{Registry, Repository};
use tidegate_aws::{App, Error, release_image};
use tidegate_core::config::PipelineConfig;
use tidegate_core::event::PushEvent;
use tidegate_core::model::Head;
use tidegate_core::push::{Candidate, Member};

use crate::join;

/// The images of `config` that a push selects, each with what the registry shows for it.
pub(crate) async fn pushed(
    app: &App,
    registry: &Registry,
    head: &Head,
    config: &PipelineConfig,
    push: &PushEvent,
) -> Result<Vec<Candidate>, Error> {
    let mut candidates = Vec::new();
    for (name, image) in &config.images {
        let here = image.repository == push.repository
            && image.registry.account == push.account
            && image.registry.region == push.region;
        let pattern = image.tags.iter().find(|pattern| pattern.matches(&push.tag).is_some());
        let Some(pattern) = pattern.filter(|_| here) else { continue };
        let repository = Repository::of_config(image);
        // A literal tag means what it shows now; an event whose bytes it no longer shows is late,
        // and the present bytes are answered in its place.
        let found = if pattern.is_literal() {
            registry.resolve_tag(&repository, &push.tag).await?
        } else {
            match registry.describe(&repository, std::slice::from_ref(&push.digest)).await?.pop() {
                Some(listed) => Some(registry.with_children(&repository, listed).await?),
                None => None,
            }
        };
        let Some(found) = found else {
            tracing::info!(repository = push.repository, tag = push.tag, "pushed and gone again");
            continue;
        };
        let bytes =
            release_image(&app.table, &head.pipeline, image, found, Some(&push.tag)).await?;
        let (pattern, tag) = (pattern.clone(), push.tag.clone());
        let answered = head.answered.get(name).cloned();
        let alone = Candidate::alone("ecr", name, Member { pattern, tag, bytes, answered });
        candidates.push(join::complete(app, registry, head, config, alone).await?);
    }
    Ok(candidates)
}
