//! Lightsail container services: what their active deployment runs, and what the next one will. Nothing is
//! registered: a revision is the set of images that a deployment states.

use std::collections::BTreeSet;

use tidegate_core::config::{ImageConfig, TargetConfig};
use tidegate_core::decide::Finding;
use tidegate_core::definition::lightsail::{identity, is_pinned, named as images_of, successor};
use tidegate_core::definition::{NamedImage, difference};
use tidegate_core::model::{Baseline, Pin, Release, ReleaseImage, TargetId};
use tidegate_core::sighting::RunningImage;

use super::{Survey, pin};
use crate::Error;
use crate::ecs::{RawTaskDefinition, Seen};
use crate::registry::Repository;

impl Survey<'_> {
    /// What is found at a container service. `None` when AWS throttled for too long.
    pub(super) async fn container_service(
        &mut self,
        target: &TargetId,
        config: &TargetConfig,
        seen: &Seen,
        running: &RawTaskDefinition,
    ) -> Result<Option<Finding>, Error> {
        let (name, sighting) = (&target.name, &seen.sighting);
        let containers = self.containers(&config.containers, running);
        if let Some(why) = self.not_taken(config, &containers) {
            return Ok(Some(Finding::Unfit(why)));
        }
        let named: Vec<NamedImage> = containers.iter().map(|(named, _)| named.clone()).collect();
        let before = self.scene.slots.get(target);
        let mut images =
            self.runs.images(target, sighting, &named, before, &BTreeSet::new()).await?;
        let made_before = |release: &Release| {
            sighting.primary().is_some_and(|primary| primary.created_at < release.at)
        };
        self.drop_guessed(&mut images);
        // A deployment that was made since may run what the tag meant by then.
        if self.scene.live.as_ref().is_some_and(made_before) {
            self.live_before(&mut images);
        }
        self.drop_blocked(&mut images);
        let mut notes = self.check_way_back(&mut images, &containers).await?;
        if let Some(absent) = self.absent(&containers).await? {
            return Ok(Some(absent));
        }
        for (_, image) in &containers {
            if !self.is_kept(&Repository::of(image), &image.digest) {
                let (label, repository) = (image.label(), &image.repository);
                return Ok(Some(Finding::Unfit(format!(
                    "{label} has no keep tag, and Lightsail is given no other name for it: let deploy \
                     put tags into {repository} (ecr:PutImage)"
                ))));
            }
        }
        self.only_kept(&mut images, &containers);
        let back: Vec<Pin> = images.iter().filter_map(Pin::of_running).collect();
        notes.extend(self.known_before(target, sighting, running, &images));
        let revision = identity(name, &images_of(&successor(&running.json, &back)));
        let seen = Baseline::of(sighting, &running.arn);
        let baseline = Box::new(Baseline { revision, images, notes, ..seen });
        if containers.is_empty() {
            return Ok(Some(Finding::Unaffected { baseline }));
        }
        let pins: Vec<Pin> = containers.iter().map(|(named, image)| pin(named, image)).collect();
        let next = successor(&running.json, &pins);
        let revision = identity(name, &images_of(&next));
        let difference = difference(&running.json, &next);
        Ok(Some(Finding::Ready { baseline, pins, revision, difference }))
    }

    /// What a tag like `live` shows now proves nothing of what it meant when the deployment was made: it may
    /// have been moved since, back to older bytes as well. A tag that names its build is not moved.
    fn drop_guessed(&self, images: &mut [RunningImage]) {
        let own = |image: &RunningImage, tag: &str| {
            let mut all = self.scene.config.images.values();
            let names_it = |it: &ImageConfig| it.tags.iter().any(|it| it.names_a_build(tag));
            all.any(|it| it.uri() == image.repository && names_it(it))
        };
        for image in images.iter_mut().filter(|image| image.digest.is_some()) {
            let named = NamedImage { container: String::new(), image: image.named.clone() };
            let tag = named.tag().filter(|_| !is_pinned(&named));
            if tag.is_some_and(|tag| !own(image, tag)) {
                image.digest = None;
                "its tag may have shown other bytes when the deployment was made"
                    .clone_into(&mut image.source);
            }
        }
    }

    /// A container that the config names and that takes no image of the release though it should.
    fn not_taken(
        &self,
        config: &TargetConfig,
        containers: &[(NamedImage, &ReleaseImage)],
    ) -> Option<String> {
        let taken = |name: &String| containers.iter().any(|(named, _)| named.container == *name);
        let released = config.containers.iter().filter_map(|(name, image)| {
            Some((name, self.release.images.get(image)?)).filter(|_| !taken(name))
        });
        let (container, image) = released.into_iter().next()?;
        Some(format!(
            "container `{container}` is not in the active deployment, or runs no image of {}",
            image.repository
        ))
    }

    /// A way back has a name as well.
    fn only_kept(&self, images: &mut [RunningImage], containers: &[(NamedImage, &ReleaseImage)]) {
        for (running, (_, image)) in images.iter_mut().zip(containers) {
            let Some(digest) = &running.digest else { continue };
            if !self.is_kept(&Repository::of(image), digest) {
                running.source = format!("{} could not be given its keep tag", digest.short());
                running.digest = None;
            }
        }
    }
}
