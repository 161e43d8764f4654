//! A way back needs its bytes: they must exist, and stay. What cannot be promised is said.

use tidegate_core::definition::NamedImage;
use tidegate_core::model::{Digest, ReleaseImage};
use tidegate_core::sighting::RunningImage;

use super::Survey;
use crate::Error;
use crate::registry::{Kept, Repository};

impl Survey<'_> {
    /// Checks that the baseline's images can be pulled and puts the keep tag on them and on the
    /// release's. An image that is gone is no way back; what may go later is a note.
    pub(super) async fn check_way_back(
        &mut self,
        images: &mut [RunningImage],
        containers: &[(NamedImage, &ReleaseImage)],
    ) -> Result<Vec<String>, Error> {
        let mut notes = Vec::new();
        for image in images.iter_mut() {
            let Some(digest) = image.digest.clone() else { continue };
            let Some((_, release)) = containers.iter().find(|(c, _)| c.container == image.container)
            else {
                continue;
            };
            let repository = Repository::of(release);
            if let Some(found) = self.protect(&repository, &digest).await? {
                notes.extend(found);
            } else {
                image.digest = None;
                image.source = format!(
                    "it runs {}, which is deleted from {} or archived",
                    digest.short(),
                    repository.name
                );
            }
        }
        for (_, release) in containers {
            // Its tag may move to newer bytes while this release waits or bakes.
            self.protect(&Repository::of(release), &release.digest).await?;
        }
        notes.sort();
        notes.dedup();
        Ok(notes)
    }

    /// Keeps one digest, once per survey. `None`: it is not there.
    async fn protect(
        &mut self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Vec<String>>, Error> {
        let key = (repository.name.clone(), digest.to_string());
        if let Some(known) = self.protected.get(&key) {
            return Ok(Some(known.clone()));
        }
        let Some(image) = self.registry.describe(repository, std::slice::from_ref(digest)).await?.pop()
        else {
            return Ok(None);
        };
        let mut notes = Vec::new();
        let mut tags = image.tags.clone();
        if !tags.contains(&digest.keep_tag()) {
            match self.registry.keep(repository, digest).await? {
                Kept::Protected => tags.push(digest.keep_tag()),
                Kept::Unprotected(why) => {
                    notes.push(format!("{} could not be tagged to be kept: {why}", digest.short()));
                }
            }
        }
        if let Some(threat) = self.registry.lifecycle_threat(repository, &tags).await? {
            notes.push(format!("{}: {threat}", digest.short()));
        }
        self.protected.insert(key, notes.clone());
        Ok(Some(notes))
    }
}
