//! What runs where nothing shows a digest: a deployment of a Lightsail container service, and the next run
//! of a schedule.

use jiff::Timestamp;
use tidegate_core::definition::NamedImage;
use tidegate_core::definition::lightsail::is_pinned;
use tidegate_core::model::{Digest, Slot};
use tidegate_core::sighting::{RunningImage, Sighting};

use super::Runs;
use super::running::is_where_it_was_left;
use crate::Refusal;
use crate::registry::Repository;

impl Runs {
    /// A keep tag never moves, so it proves its digest; any other tag does where what it shows was pushed
    /// before the deployment was made; else what Tidegate left there counts.
    pub(super) async fn deployed(
        &self,
        sighting: &Sighting,
        named: &[NamedImage],
        before: Option<&Slot>,
    ) -> Result<Vec<RunningImage>, Refusal> {
        let primary = sighting.primary();
        let left = before.filter(|slot| primary.is_some_and(|it| is_where_it_was_left(slot, it)));
        let mut images = Vec::new();
        for image in named {
            let shown = self.shown(image, primary.map(|primary| primary.created_at)).await?;
            let live = left.and_then(|slot| slot.live.get(&image.container)).cloned();
            let (digest, source) = match (shown, live) {
                (Some((digest, source)), _) => (Some(digest), source),
                (None, Some(digest)) => (Some(digest), "made live by Tidegate"),
                (None, None) => {
                    (None, "its tag shows nothing, or bytes that are newer than the deployment")
                }
            };
            images.push(RunningImage {
                container: image.container.clone(),
                repository: image.repository().to_owned(),
                named: image.image.clone(),
                digest,
                source: source.to_owned(),
            });
        }
        Ok(images)
    }

    /// What the tags of a schedule's images mean now: that is what its next run takes. Only for adoption,
    /// before anything was pushed: later a tag may show the bytes that are about to be released.
    pub async fn next_run(
        &self,
        named: &[NamedImage],
        images: &mut [RunningImage],
    ) -> Result<(), Refusal> {
        for (image, running) in named.iter().zip(images) {
            let repository = Repository::of_uri(image.repository());
            let (None, Some(repository), Some(tag)) = (&running.digest, repository, image.tag())
            else {
                continue;
            };
            if let Some(shown) = self.registry.tagged_as(&repository, tag).await? {
                running.digest = Some(shown.digest);
                "its tag shows it, and each run asks the tag".clone_into(&mut running.source);
            }
        }
        Ok(())
    }

    /// The digest that an image's tag proves of a deployment made at `made_at`.
    async fn shown(
        &self,
        image: &NamedImage,
        made_at: Option<Timestamp>,
    ) -> Result<Option<(Digest, &'static str)>, Refusal> {
        let repository = Repository::of_uri(image.repository());
        let (Some(repository), Some(tag)) = (repository, image.tag()) else { return Ok(None) };
        let shown = self.registry.tagged_as(&repository, tag).await?;
        Ok(match shown {
            Some(shown) if is_pinned(image) => {
                Some((shown.digest, "its keep tag names it, and never moves"))
            }
            Some(shown) if made_at.is_some_and(|made_at| shown.pushed_at < made_at) => {
                Some((shown.digest, "its tag shows it, pushed before the deployment was made"))
            }
            _ => None,
        })
    }
}
