//! What a pipeline's targets run now, and which pushes that answers: read, never moved.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_aws::Targets;
use tidegate_aws::registry::Registry;
use tidegate_aws::survey::Runs;
use tidegate_core::config::{PipelineConfig, TargetConfig};
use tidegate_core::definition::{NamedImage, takers};
use tidegate_core::model::{Digest, Memory, ReleaseId, ReleaseImage};

use crate::pushes::Pushes;
use crate::{Error, Session};

/// What `config apply` finds for a pipeline.
#[derive(Debug, Default)]
pub(crate) struct Adoption {
    /// What runs, by the image's name in the config.
    pub(crate) runs: BTreeMap<String, ReleaseImage>,
    /// The newest push of each image.
    pub(crate) answered: BTreeMap<String, Memory>,
    /// What a person should know.
    pub(crate) notes: Vec<String>,
}

/// Which bytes of one image run in how many containers.
type Votes = BTreeMap<Digest, usize>;

/// Looks at the pipeline's services and repositories.
pub(crate) async fn look(session: &Session, config: &PipelineConfig) -> Result<Adoption, Error> {
    let pushes = Pushes::of(session, config).await?;
    let mut found = Adoption::default();
    let mut running = running(session, config, &mut found.notes).await?;
    let offered = live_upstream(session, config).await?;
    for (name, image) in &config.images {
        let newest = match offered.get(name) {
            Some(image) => Some(image.clone()),
            None => pushes.newest(image).await?,
        };
        if let Some(push) = &newest {
            found.answered.insert(name.clone(), Memory::of(push));
        }
        let votes = running.remove(name).unwrap_or_default();
        if votes.len() > 1 {
            let digests: Vec<_> = votes
                .iter()
                .map(|(digest, count)| format!("{} ({count})", digest.short()))
                .collect();
            let runs = digests.join(", ");
            found
                .notes
                .push(format!("{name}: its containers differ: {runs}; the most common counts"));
        }
        let Some((digest, _)) = votes.into_iter().max_by_key(|(_, count)| *count) else {
            found.notes.push(format!("{name}: no running container shows its digest"));
            continue;
        };
        // A task may show a platform's digest where the push was of the index that lists it.
        let bytes = match newest.filter(|push| push.accepts.contains(&digest)) {
            Some(push) => Some(push),
            None => pushes.with_digest(image, &digest).await?,
        };
        match bytes {
            Some(bytes) => {
                found.runs.insert(name.clone(), bytes);
            }
            None => found.notes.push(format!(
                "{name}: {} runs, but is deleted from {} or archived: nothing can go back to it",
                digest.short(),
                image.repository
            )),
        }
    }
    Ok(found)
}

/// What is live in the pipeline that this one is promoted from: it was offered, as it were, before.
async fn live_upstream(
    session: &Session,
    config: &PipelineConfig,
) -> Result<BTreeMap<String, ReleaseImage>, Error> {
    let Some(from) = &config.promote_from else { return Ok(BTreeMap::new()) };
    let table = session.table().await?;
    let Some(number) = table.head_of(from).await?.and_then(|head| head.live) else {
        return Ok(BTreeMap::new());
    };
    let live = table.release_of(&ReleaseId::new(from.clone(), number)).await?;
    Ok(live.map(|live| config.promoted(&live.images)).unwrap_or_default())
}

/// What every container that takes one of the pipeline's images runs.
async fn running(
    session: &Session,
    config: &PipelineConfig,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<String, Votes>, Error> {
    let (reach, role) = (session.reach().await?, config.role.as_ref());
    let everything = Targets::new(&reach.at(&config.region, role), session.clock()?);
    let ecs = &everything.ecs;
    let targets: Vec<&TargetConfig> = config.waves.iter().flatten().collect();
    let ids: Vec<_> = targets.iter().map(|target| config.target_id(&target.name)).collect();
    let slots = session.table().await?.slots(&ids).await?;
    let mut seen = everything.look(&ids).await;
    let shown = seen.values().filter_map(|seen| seen.as_ref().ok()?.as_ref());
    let mut runs = Runs::new(ecs, &Registry::new(reach, role), shown.map(|seen| &seen.sighting));
    let mut votes: BTreeMap<String, Votes> = BTreeMap::new();
    for (target, id) in targets.into_iter().zip(&ids) {
        let Some(seen) = seen.remove(id).transpose()?.flatten() else { continue };
        let definition = match seen.definition {
            Some(definition) => definition,
            None => ecs.task_definition(&seen.task_definition).await?,
        };
        let sources = config.images.iter().map(|(name, image)| (name.as_str(), image.uri()));
        let mut named = takers(&definition.json, &target.containers, sources);
        // A container runs one image: the first, where two come from its repository.
        let mut known = BTreeSet::new();
        named.retain(|(named, _)| known.insert(named.container.clone()));
        let containers: Vec<NamedImage> = named.iter().map(|(named, _)| named.clone()).collect();
        let nothing = BTreeSet::new();
        let mut running =
            runs.images(id, &seen.sighting, &containers, slots.get(id), &nothing).await?;
        if id.kind.is_scheduled() {
            runs.next_run(&containers, &mut running).await?;
        }
        for ((_, image), running) in named.iter().zip(running) {
            match running.digest {
                Some(digest) => {
                    *votes.entry((*image).to_owned()).or_default().entry(digest).or_default() += 1;
                }
                None => notes.push(format!(
                    "{}: {} runs {}: {}",
                    target.name, running.container, running.named, running.source
                )),
            }
        }
    }
    Ok(votes)
}
