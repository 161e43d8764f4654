//! A run of a schedule or a rule ended. ECS cuts the name of who started it, so the revision that ran says
//! whose it was: Tidegate wrote the release into its tags.

use serde_json::{Value, json};
use tidegate_aws::table::{Commit, TableError};
use tidegate_aws::{App, Error, RefusalKind, advance};
use tidegate_core::decide::{Sightings, note_run};
use tidegate_core::event::may_have_started;
use tidegate_core::marks;
use tidegate_core::model::{ReleaseId, Scene, Slot, TaskFailure};

use crate::TRIES;

/// Writes down what the run says of each schedule that names this revision. Costs one call of ECS for a
/// run of anybody's schedule in the clusters that are watched.
pub(crate) async fn ended(
    app: &App,
    started_by: &str,
    revision: &str,
    run: &TaskFailure,
) -> Result<Value, Error> {
    let nothing = |why: &str| Ok(json!({ "outcome": "nothing", "why": why }));
    let Some(release) = made_for(app, revision).await? else {
        return nothing("no release brought the revision that ran");
    };
    let (mut news, mut lost) = (0, 0);
    let scene = loop {
        let scene = scene_of(app, &release).await?;
        let now = app.clock.now();
        let change = whose(&scene, started_by, revision)
            .and_then(|slot| note_run(&scene, slot, revision, run, now));
        let Some(change) = change else { break scene };
        match app.table.commit(&change).await? {
            Commit::Done => news += 1,
            Commit::Superseded if lost < TRIES => lost += 1,
            Commit::Superseded => {
                let what = format!("what a run of {revision} said");
                return Err(TableError::Contended { what, tries: TRIES }.into());
            }
        }
    };
    if news == 0 {
        return nothing("the run says nothing new");
    }
    let advanced = advance(&app.table, &app.clock, scene, &Sightings::new()).await?;
    tracing::info!(%release, revision, changes = advanced.changes, "a run ended");
    Ok(json!({ "outcome": "noted", "changes": advanced.changes }))
}

/// The one schedule that ran it. Several of one family name one revision; where the cut name fits more
/// than one of them, the run says nothing of either.
fn whose<'s>(scene: &'s Scene, started_by: &str, revision: &str) -> Option<&'s Slot> {
    let mut fitting = scene
        .slots
        .values()
        .filter(|slot| slot.ours() == Some(revision) && may_have_started(&slot.target, started_by));
    let only = fitting.next()?;
    fitting.next().is_none().then_some(only)
}

/// All that the table says of the release's pipeline, and of its targets although it moves no more.
async fn scene_of(app: &App, id: &ReleaseId) -> Result<Scene, Error> {
    let mut scene = app.table.scene(&id.pipeline).await?;
    let moves = scene.moving.as_ref().is_some_and(|moving| moving.id == *id);
    let live = scene.live.as_ref().filter(|live| !moves && live.id == *id);
    if let Some(live) = live {
        let targets: Vec<_> = live.targets().filter(|it| it.kind.is_scheduled()).cloned().collect();
        let slots = app.table.slots(&targets).await?;
        scene.slots.extend(slots.into_iter().filter(|(_, slot)| slot.release == *id));
    }
    Ok(scene)
}

/// The release that a revision was registered for. Schedules are targets in the installation's own
/// account only, so no role is taken on.
async fn made_for(app: &App, revision: &str) -> Result<Option<ReleaseId>, Error> {
    let region = revision.split(':').nth(3).unwrap_or(&app.region);
    let definition = match app.ecs(region, None).task_definition(revision).await {
        Ok(definition) => definition,
        Err(refusal) if refusal.is_not_found() => return Ok(None),
        // Somebody else's schedule, where the installation has none of its own to ask about.
        Err(refusal) if refusal.kind == RefusalKind::AccessDenied => {
            tracing::warn!(%refusal, "whose run it was is not known");
            return Ok(None);
        }
        Err(refusal) => return Err(refusal.into()),
    };
    Ok(marks::release_of(&definition.tags).and_then(|release| release.parse().ok()))
}
