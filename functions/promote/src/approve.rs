//! `unless_tag`: a tag that arrives on every image of a release that waits for an approval gives it.
//!
//! The tag must arrive while the release waits: one that was there before is nobody's word for this
//! release. So a lost event approves nothing, and the sweep does not look.

use tidegate_aws::registry::{Registry, Repository};
use tidegate_aws::table::{Commit, TableError};
use tidegate_aws::{App, Error, advance, promotion};
use tidegate_core::command;
use tidegate_core::config::PipelineConfig;
use tidegate_core::decide::Sightings;
use tidegate_core::event::PushEvent;
use tidegate_core::model::{Head, Release};

use crate::record::TRIES;

/// Approves what waits in a pipeline, if this push is the last tag that it takes.
pub(crate) async fn by_tag(
    app: &App,
    registry: &Registry,
    head: &Head,
    config: &PipelineConfig,
    push: &PushEvent,
) -> Result<Option<String>, Error> {
    let asked = config.approval.as_ref().and_then(|approval| approval.unless_tag.as_ref());
    let counts = asked.is_some_and(|pattern| pattern.matches(&push.tag).is_some());
    if !counts || head.moving.is_none() {
        return Ok(None);
    }
    for _ in 0..TRIES {
        let scene = app.table.scene(&head.pipeline).await?;
        let Some(release) = scene.moving.as_ref() else { return Ok(None) };
        let Some((plan, _)) = release.approval_asked() else { return Ok(None) };
        let brings = release.images.values().any(|image| image.digest == push.digest);
        if !brings || !on_every_image(registry, release, &push.tag).await? {
            return Ok(None);
        }
        if let Some(why) = promotion::withdrawn(&app.table, release).await? {
            tracing::warn!(why, tag = push.tag, "a tag would have approved it");
            return Ok(Some(why));
        }
        let how = format!("the tag `{}` arrived on every image of it", push.tag);
        let approved = command::approve(&scene, release, plan, ("ecr", &how), app.clock.now());
        // Refused where a person was quicker.
        let Ok(change) = approved else { return Ok(None) };
        if app.table.commit(&change).await? == Commit::Superseded {
            tracing::info!(release = %release.id, "superseded write, reading again");
            continue;
        }
        let said = format!("{}: {how}", release.id);
        tracing::info!(said, "approved");
        let scene = app.table.scene(&head.pipeline).await?;
        advance(&app.table, &app.clock, scene, &Sightings::new()).await?;
        return Ok(Some(said));
    }
    let what = format!("the tag {}:{} in {}", push.repository, push.tag, head.pipeline);
    Err(TableError::Contended { what, tries: TRIES }.into())
}

async fn on_every_image(registry: &Registry, release: &Release, tag: &str) -> Result<bool, Error> {
    for image in release.images.values() {
        let digest = std::slice::from_ref(&image.digest);
        let shown = registry.describe(&Repository::of(image), digest).await?.pop();
        if !shown.is_some_and(|shown| shown.tags.iter().any(|own| own == tag)) {
            tracing::info!(release = %release.id, tag, image = image.label(), "not tagged yet");
            return Ok(false);
        }
    }
    Ok(true)
}
