//! An image of the registry, as a release brings it.

use tidegate_aws::registry::released;
use tidegate_aws::{App, Error};
use tidegate_core::config::ImageConfig;
use tidegate_core::model::ReleaseImage;
use tidegate_core::sighting::RegistryImage;

/// The bytes with all that proves them, and their push time as first seen.
pub(crate) async fn release_image(
    app: &App,
    pipeline: &str,
    image: &ImageConfig,
    shown: RegistryImage,
    tag: &str,
) -> Result<ReleaseImage, Error> {
    let first = app.table.first_seen_at(pipeline, &shown.digest).await?;
    let pushed_at = first.unwrap_or(shown.pushed_at);
    Ok(ReleaseImage { pushed_at, ..released(image, shown, Some(tag)) })
}
