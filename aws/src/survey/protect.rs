//! A way back needs its bytes: they must exist, and stay. What cannot be promised is said.

use std::collections::BTreeSet;

use tidegate_core::decide::Finding;
use tidegate_core::definition::NamedImage;
use tidegate_core::model::{Digest, ReleaseImage};
use tidegate_core::sighting::RunningImage;

use super::Survey;
use crate::Error;
use crate::registry::{Kept, Listed, Repository};

impl Survey<'_> {
    /// Puts the keep tag on the release's images, for a tag may move to newer bytes while the release
    /// waits or bakes; says which of them cannot be released because it is not there. One that is read
    /// from a copy may still be on its way; where a release goes back, it was there once.
    pub(super) async fn absent(
        &mut self,
        containers: &[(NamedImage, &ReleaseImage)],
    ) -> Result<Option<Finding>, Error> {
        let comes = self.scene.config.replica && !self.release.cause.goes_back();
        for (_, image) in containers {
            let repository = Repository::of(image);
            match self.protect(&repository, &image.digest).await {
                Ok(Some(_)) => continue,
                Ok(None) => {}
                // ECR makes a copy's repository with its first image.
                Err(Error::Refused(refusal)) if comes && refusal.is_not_found() => {}
                Err(error) => return Err(error),
            }
            let (label, name) = (image.label(), &repository.name);
            return Ok(Some(if comes {
                Finding::Awaited(format!("{label} is not in {} yet", image.uri()))
            } else {
                Finding::Unfit(format!(
                    "the release's image {label} is deleted from {name} or archived: push it again"
                ))
            }));
        }
        Ok(None)
    }

    /// Checks that the baseline's images can be pulled and puts the keep tag on them. An image that
    /// is gone is no way back; what may go later is a note.
    pub(super) async fn check_way_back(
        &mut self,
        images: &mut [RunningImage],
        containers: &[(NamedImage, &ReleaseImage)],
    ) -> Result<Vec<String>, Error> {
        let mut notes = Vec::new();
        for image in images.iter_mut() {
            let Some(digest) = image.digest.clone() else { continue };
            // A base of another owner may have renamed the container.
            let its = |(c, _): &&(NamedImage, &ReleaseImage)| {
                c.container == image.container || c.repository() == image.repository
            };
            let Some((_, release)) = containers.iter().find(its) else { continue };
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
        notes.sort_unstable();
        notes.dedup();
        Ok(notes)
    }

    /// Keeps one digest, once per survey. `None`: it is not there.
    async fn protect(
        &mut self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Vec<String>>, Error> {
        let key = (repository.clone(), digest.clone());
        if let Some(known) = self.protected.get(&key) {
            return Ok(Some(known.clone()));
        }
        let Some(image) = self.shown(repository, digest).await? else { return Ok(None) };
        let (mut notes, mut tags) = (Vec::new(), image.tags);
        if !tags.contains(&digest.keep_tag()) && !self.is_preview {
            // The tag may make old bytes look new: they would be released as if just pushed.
            let pipeline = &self.release.id.pipeline;
            self.app.table.remember_push(pipeline, digest, image.pushed_at).await?;
            match self.registry.keep(repository, digest).await? {
                Kept::Protected => tags.push(digest.keep_tag()),
                Kept::Unprotected(why) => {
                    notes.push(format!("{} could not be tagged to be kept: {why}", digest.short()));
                }
            }
        }
        if tags.contains(&digest.keep_tag()) {
            self.kept.insert(key.clone());
        }
        if !self.policies.contains_key(repository) {
            let policy = self.registry.lifecycle_policy(repository).await?;
            self.policies.insert(repository.clone(), policy);
        }
        if let Some(threat) = self.policies.get(repository).and_then(|policy| policy.threat(&tags))
        {
            notes.push(format!("{}: {threat}", digest.short()));
        }
        self.protected.insert(key, notes.clone());
        Ok(Some(notes))
    }

    /// Its keep tag is on it; or would be, where this survey only looks.
    pub(super) fn is_kept(&self, repository: &Repository, digest: &Digest) -> bool {
        self.is_preview || self.kept.contains(&(repository.clone(), digest.clone()))
    }

    /// An image as it is now; `None` when it is gone or archived. The first question of a
    /// repository asks for the release's bytes too: one call for both.
    async fn shown(
        &mut self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Listed>, Error> {
        if !self.asked.contains(&(repository.clone(), digest.clone())) {
            let of_release = self.release.images.values();
            let mut wanted: BTreeSet<Digest> = of_release
                .filter(|image| Repository::of(image) == *repository)
                .map(|image| image.digest.clone())
                .collect();
            wanted.insert(digest.clone());
            let wanted: Vec<Digest> = wanted.into_iter().collect();
            for image in self.registry.describe(repository, &wanted).await? {
                self.shown.insert((repository.clone(), image.digest.clone()), image);
            }
            self.asked.extend(wanted.into_iter().map(|digest| (repository.clone(), digest)));
        }
        Ok(self.shown.get(&(repository.clone(), digest.clone())).cloned())
    }
}
