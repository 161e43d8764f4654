//! Which bytes really run. Never "resolve the tag now": those may be the new bytes already.

use std::collections::BTreeMap;

use tidegate_core::definition::NamedImage;
use tidegate_core::model::{Digest, Slot, TargetId};
use tidegate_core::sighting::{RunningImage, Sighting};

use crate::Refusal;
use crate::ecs::Ecs;

/// The digest each of these containers runs, with how it was learnt.
///
/// In this order: named by digest already; what ECS resolved for the service revision; what the
/// running tasks of the primary deployment show; what Tidegate last made live there.
pub async fn running_images(
    ecs: &Ecs,
    target: &TargetId,
    sighting: &Sighting,
    named: &[NamedImage],
    before: Option<&Slot>,
) -> Result<Vec<RunningImage>, Refusal> {
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
        let revisions = ecs.service_revisions(std::slice::from_ref(revision)).await?;
        let resolved = revisions.into_values().flat_map(|revision| revision.containers);
        let resolved = resolved.filter_map(|c| Some((c.container, c.digest?))).collect();
        fill(&mut images, &resolved, "resolved by ECS for this service revision");
    }
    if unknown(&images)
        && let Some(primary) = sighting.primary()
        && sighting.running > 0
    {
        let tasks = ecs.running_tasks(&target.cluster, &primary.id).await?;
        let mut votes: BTreeMap<String, BTreeMap<Digest, usize>> = BTreeMap::new();
        for container in tasks.into_iter().flat_map(|task| task.containers) {
            if let Some(digest) = container.digest {
                *votes.entry(container.container).or_default().entry(digest).or_default() += 1;
            }
        }
        let mixed = votes.values().any(|digests| digests.len() > 1);
        let most = votes
            .into_iter()
            .filter_map(|(container, digests)| {
                let (digest, _) = digests.into_iter().max_by_key(|(_, tasks)| *tasks)?;
                Some((container, digest))
            })
            .collect();
        let source = if mixed {
            "what most of its running tasks show; they differ"
        } else {
            "shown by its running tasks"
        };
        fill(&mut images, &most, source);
    }
    if let Some(slot) = before {
        fill(&mut images, &slot.live, "made live by Tidegate");
    }
    for image in images.iter_mut().filter(|image| image.digest.is_none()) {
        "no task runs it, and neither ECS nor Tidegate recorded its digest"
            .clone_into(&mut image.source);
    }
    Ok(images)
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
