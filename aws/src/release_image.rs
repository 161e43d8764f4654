//! Bytes of the registry, as a release brings them: what shows them, and the table, which knows since when.

use tidegate_core::config::ImageConfig;
use tidegate_core::model::ReleaseImage;
use tidegate_core::sighting::RegistryImage;

use crate::Table;
use crate::registry::released;
use crate::table::TableError;

/// The image of a config with these bytes, pushed when `pipeline` first saw them; `tag` selected it, if
/// any did.
pub async fn release_image(
    table: &Table,
    pipeline: &str,
    image: &ImageConfig,
    shown: RegistryImage,
    tag: Option<&str>,
) -> Result<ReleaseImage, TableError> {
    let first = table.first_seen_at(pipeline, &shown.digest).await?;
    let pushed_at = first.unwrap_or(shown.pushed_at);
    Ok(ReleaseImage { pushed_at, ..released(image, shown, tag) })
}
