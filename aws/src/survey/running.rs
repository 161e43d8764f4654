//! Which bytes really run. Never "resolve the tag now": those may be the new bytes already.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tidegate_core::definition::NamedImage;
use tidegate_core::model::{Digest, Slot, TargetId, TargetKind};
use tidegate_core::sighting::{Deployment, RunningImage, Sighting};

use crate::Refusal;
use crate::ecs::{Ecs, RunningTask, ServiceRevision};
use crate::registry::Registry;

/// What the services of one look run. Service revisions are read for all of them at once, when the
/// first is asked for: twenty services cost one call, and those that run pinned images none.
#[derive(Debug)]
pub struct Runs {
    ecs: Ecs,
    pub(super) registry: Registry,
    unread: Vec<String>,
    revisions: BTreeMap<String, ServiceRevision>,
}

impl Runs {
    /// Of the services in these sightings.
    pub fn new<'a>(
        ecs: &Ecs,
        registry: &Registry,
        sightings: impl IntoIterator<Item = &'a Sighting>,
    ) -> Self {
        let unread = sightings.into_iter().filter_map(|it| it.service_revision.clone()).collect();
        let (ecs, registry) = (ecs.clone(), registry.clone());
        Self { ecs, registry, unread, revisions: BTreeMap::new() }
    }

    /// What ECS resolved for a service revision, by container.
    async fn resolved(&mut self, arn: &str) -> Result<BTreeMap<String, Digest>, Refusal> {
        if !self.unread.is_empty() {
            self.revisions = self.ecs.service_revisions(&self.unread).await?;
            self.unread.clear();
        }
        let containers = self.revisions.get(arn).into_iter().flat_map(|found| &found.containers);
        let mut resolved = BTreeMap::new();
        resolved.extend(containers.filter_map(|c| Some((c.container.clone(), c.digest.clone()?))));
        Ok(resolved)
    }

    /// The digest each of these containers runs, with how it was learnt.
    ///
    /// In this order: named by digest already; what ECS resolved for the service revision; what the
    /// running tasks of the primary deployment show (those in `avoid` last); what Tidegate last made
    /// live there.
    pub async fn images(
        &mut self,
        target: &TargetId,
        sighting: &Sighting,
        named: &[NamedImage],
        before: Option<&Slot>,
        avoid: &BTreeSet<Digest>,
    ) -> Result<Vec<RunningImage>, Refusal> {
        if target.kind == TargetKind::Lightsail {
            return self.deployed(sighting, named, before).await;
        }
        let mut images: Vec<RunningImage> = named
            .iter()
            .map(|image| RunningImage {
                container: image.container.clone(),
                repository: image.repository().to_owned(),
                named: image.image.clone(),
                digest: image.digest(),
                source: if image.digest().is_some() { "pinned" } else { "" }.to_owned(),
            })
            .collect();
        if unknown(&images)
            && let Some(revision) = &sighting.service_revision
        {
            let resolved = self.resolved(revision).await?;
            fill(&mut images, &resolved, "resolved by ECS for this service revision");
        }
        if unknown(&images)
            && let Some(primary) = sighting.primary()
            && sighting.running > 0
        {
            let tasks = self.ecs.running_tasks(&target.within, &primary.id).await?;
            let votes = Votes::of(tasks);
            // Bytes that this release brings, or that are blocked, are no baseline while others run.
            fill(&mut images, &votes.winners(avoid), votes.source());
            if let Some(slot) = before.filter(|slot| is_where_it_was_left(slot, primary)) {
                fill(&mut images, &slot.live, "made live by Tidegate");
            }
            fill(&mut images, &votes.winners(&BTreeSet::new()), votes.source());
        }
        if let Some(slot) = before
            && sighting.primary().is_some_and(|primary| is_where_it_was_left(slot, primary))
        {
            fill(&mut images, &slot.live, "made live by Tidegate");
        }
        for image in images.iter_mut().filter(|image| image.digest.is_none()) {
            "no task runs it, and neither ECS nor Tidegate recorded its digest"
                .clone_into(&mut image.source);
        }
        Ok(images)
    }
}

/// What was made live there says something only of a revision that Tidegate left there.
pub(super) fn is_where_it_was_left(slot: &Slot, primary: &Deployment) -> bool {
    slot.ours() == Some(primary.revision.as_str()) || slot.is_baseline(&primary.revision)
}

/// What the running tasks show, by container: for each digest how many, and since when.
struct Votes(BTreeMap<String, BTreeMap<Digest, (usize, Timestamp)>>);

impl Votes {
    fn of(tasks: Vec<RunningTask>) -> Self {
        let mut votes: BTreeMap<String, BTreeMap<Digest, (usize, Timestamp)>> = BTreeMap::new();
        for task in tasks {
            for container in task.containers {
                let Some(digest) = container.digest else { continue };
                let of_container = votes.entry(container.container).or_default();
                let vote = of_container.entry(digest).or_insert((0, task.created_at));
                *vote = (vote.0 + 1, vote.1.min(task.created_at));
            }
        }
        Self(votes)
    }

    /// Most tasks win, then the oldest; `avoid` does not stand.
    fn winners(&self, avoid: &BTreeSet<Digest>) -> BTreeMap<String, Digest> {
        let winner = |digests: &BTreeMap<Digest, (usize, Timestamp)>| {
            let standing = digests.iter().filter(|(digest, _)| !avoid.contains(*digest));
            standing
                .max_by_key(|(_, (tasks, since))| (*tasks, Reverse(*since)))
                .map(|(d, _)| d.clone())
        };
        let winners = self.0.iter().map(|(container, digests)| (container, winner(digests)));
        let mut all = BTreeMap::new();
        all.extend(winners.filter_map(|(container, digest)| Some((container.clone(), digest?))));
        all
    }

    fn source(&self) -> &'static str {
        if self.0.values().any(|digests| digests.len() > 1) {
            "what most of its running tasks show; they differ"
        } else {
            "shown by its running tasks"
        }
    }
}

fn unknown(images: &[RunningImage]) -> bool {
    images.iter().any(|image| image.digest.is_none())
}

fn fill(images: &mut [RunningImage], known: &BTreeMap<String, Digest>, source: &str) {
    for image in images.iter_mut().filter(|image| image.digest.is_none()) {
        if let Some(digest) = known.get(&image.container) {
            image.digest = Some(digest.clone());
            source.clone_into(&mut image.source);
        }
    }
}
