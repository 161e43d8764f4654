//! What a pipeline's tags show in the registry now.

use tidegate_aws::registry::{Registry, Repository, Selected, released};
use tidegate_core::config::ImageConfig;
use tidegate_core::model::{Digest, ReleaseImage};

use crate::Error;

/// The newest push that `image` selects; `None` when nothing matches yet.
pub(crate) async fn newest(
    registry: &Registry,
    image: &ImageConfig,
) -> Result<Option<ReleaseImage>, Error> {
    let newest = registry.selected(image, None).await?.pop();
    Ok(newest.map(|Selected { tag, shown, .. }| released(image, shown, vec![tag])))
}

/// What `tag` shows now.
pub(crate) async fn tagged(
    registry: &Registry,
    image: &ImageConfig,
    tag: &str,
) -> Result<Option<ReleaseImage>, Error> {
    let shown = registry.resolve_tag(&Repository::of_config(image), tag).await?;
    Ok(shown.map(|shown| released(image, shown, vec![tag.to_owned()])))
}

/// The image with these bytes, under those of its tags that the config selects.
pub(crate) async fn with_digest(
    registry: &Registry,
    image: &ImageConfig,
    digest: &Digest,
) -> Result<Option<ReleaseImage>, Error> {
    let repository = Repository::of_config(image);
    let Some(listed) = registry.describe(&repository, std::slice::from_ref(digest)).await?.pop()
    else {
        return Ok(None);
    };
    let shown = registry.with_children(&repository, listed).await?;
    let selects = |tag: &&String| image.tags.iter().any(|p| p.matches(tag).is_some());
    let tags = shown.tags.iter().filter(selects).cloned().collect();
    Ok(Some(released(image, shown, tags)))
}
