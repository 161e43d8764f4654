//! A run of a schedule or a rule ended. ECS cuts the name of who started it, so the revision that ran says
//! whose it was: Tidegate wrote the release into its tags.

use serde_json::{Value, json};
use tidegate_aws::{App, Error};
use tidegate_core::decide::{Sightings, note_run};
use tidegate_core::model::{ReleaseId, Scene, TargetId, TaskFailure};

use crate::handler::note;

/// Writes down what the run says of each schedule that names this revision. Costs one call of ECS for a
/// run of anybody's schedule in the clusters that are watched.
pub(crate) async fn ended(app: &App, revision: &str, run: &TaskFailure) -> Result<Value, Error> {
    let nothing = |why: &str| Ok(json!({ "outcome": "nothing", "why": why }));
    let Some(release) = made_for(app, revision).await? else {
        return nothing("no release brought the revision that ran");
    };
    let mut scene = app.table.scene(&release.pipeline).await?;
    let mut news = false;
    for target in scheduled(&scene, revision) {
        let noted =
            note(app, scene, &target, |scene, slot, now| note_run(scene, slot, revision, run, now));
        news |= noted.await?;
        scene = app.table.scene(&release.pipeline).await?;
    }
    if !news {
        return nothing("the run says nothing new");
    }
    let advanced = tidegate_aws::advance(&app.table, &app.clock, scene, &Sightings::new()).await?;
    tracing::info!(%release, revision, changes = advanced.changes, "a run ended");
    Ok(json!({ "outcome": "noted", "changes": advanced.changes }))
}

/// The release that a revision was registered for.
async fn made_for(app: &App, revision: &str) -> Result<Option<ReleaseId>, Error> {
    let region = revision.split(':').nth(3).unwrap_or(&app.region);
    let definition = match app.ecs(region).task_definition(revision).await {
        Ok(definition) => definition,
        Err(refusal) if refusal.is_not_found() => return Ok(None),
        Err(refusal) => return Err(refusal.into()),
    };
    let tag = definition.tags.into_iter().find(|(key, _)| key == "tidegate:release");
    Ok(tag.and_then(|(_, release)| release.parse().ok()))
}

fn scheduled(scene: &Scene, revision: &str) -> Vec<TargetId> {
    let names = |slot: &&tidegate_core::model::Slot| {
        slot.target.kind.is_scheduled() && slot.ours() == Some(revision)
    };
    scene.slots.values().filter(names).map(|slot| slot.target.clone()).collect()
}
