//! What a pipeline's tags show in the registry now.

use tidegate_aws::registry::{Registry, Repository, Selected, released};
use tidegate_aws::{Table, release_image};
use tidegate_core::config::{ImageConfig, PipelineConfig};
use tidegate_core::model::{Digest, ReleaseImage};
use tidegate_core::sighting::RegistryImage;

use crate::{Error, Session};

/// The repositories, and when a pipeline first saw what they hold: a tag put on it later may make it
/// look newer.
pub(crate) struct Pushes<'a> {
    registry: Registry,
    table: &'a Table,
    pipeline: &'a str,
}

impl<'a> Pushes<'a> {
    pub(crate) async fn of(
        session: &'a Session,
        config: &'a PipelineConfig,
    ) -> Result<Self, Error> {
        let registry = Registry::new(session.reach().await?, config.role.as_ref());
        Ok(Self { registry, table: session.table().await?, pipeline: &config.name })
    }

    /// The newest push that `image` selects; `None` when nothing matches yet.
    pub(crate) async fn newest(&self, image: &ImageConfig) -> Result<Option<ReleaseImage>, Error> {
        let first_seen = async |digest: &Digest| {
            Ok::<_, Error>(self.table.first_seen_at(self.pipeline, digest).await?)
        };
        let newest = self.registry.selected(image, None, first_seen).await?.pop();
        Ok(newest.map(|Selected { tag, shown, .. }| released(image, shown, Some(&tag))))
    }

    /// What `tag` shows now.
    pub(crate) async fn tagged(
        &self,
        image: &ImageConfig,
        tag: &str,
    ) -> Result<Option<ReleaseImage>, Error> {
        match self.registry.resolve_tag(&Repository::of_config(image), tag).await? {
            Some(shown) => self.released(image, shown, Some(tag)).await.map(Some),
            None => Ok(None),
        }
    }

    /// The image with these bytes, under those of its tags that the config selects.
    pub(crate) async fn with_digest(
        &self,
        image: &ImageConfig,
        digest: &Digest,
    ) -> Result<Option<ReleaseImage>, Error> {
        let repository = Repository::of_config(image);
        let digest = std::slice::from_ref(digest);
        let Some(listed) = self.registry.describe(&repository, digest).await?.pop() else {
            return Ok(None);
        };
        let shown = self.registry.with_children(&repository, listed).await?;
        self.released(image, shown, None).await.map(Some)
    }

    async fn released(
        &self,
        image: &ImageConfig,
        shown: RegistryImage,
        tag: Option<&str>,
    ) -> Result<ReleaseImage, Error> {
        Ok(release_image(self.table, self.pipeline, image, shown, tag).await?)
    }
}
