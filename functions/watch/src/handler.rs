//! An ECS event, or the minute → a look → what follows.

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_aws::table::Commit;
use tidegate_aws::{App, Error, advance};
use tidegate_core::decide::{Sightings, all_told, due, note_task, note_told, open};
use tidegate_core::event::{self, TaskStopped, Woken};
use tidegate_core::model::{Change, Scene, Slot, SlotPhase, TargetId};

use crate::look;

/// A failing task's event may meet other writers of its slot; after this many the tick continues.
const TRIES: u32 = 5;

/// Handles an ECS event or the minute's tick.
pub async fn handle(app: &App, event: Value, deadline: Timestamp) -> Result<Value, Error> {
    match event::watch(&event) {
        Woken::Schedule => tick(app, deadline).await,
        Woken::By(happened) => at_target(app, &happened).await,
        Woken::Nothing(why) => {
            tracing::debug!(why, "nothing to do");
            Ok(json!({ "outcome": "nothing", "why": why }))
        }
        Woken::NotUnderstood(identity) => Err(Error::NotUnderstood(identity)),
    }
}

/// Everything that is open, nearest to its end first; one pipeline's trouble is not another's.
async fn tick(app: &App, deadline: Timestamp) -> Result<Value, Error> {
    let pipelines = app.table.open_pipelines().await?;
    let (mut looked, mut failed) = (0, Vec::new());
    for pipeline in &pipelines {
        if app.clock.now() + look::RESERVE >= deadline {
            tracing::warn!("the tick ran out of time; the next one begins with what is left");
            break;
        }
        if let Err(error) = at_pipeline(app, pipeline).await {
            tracing::error!(pipeline, error = &error as &dyn std::error::Error, "not judged");
            failed.push(error);
        }
        looked += 1;
    }
    match failed.pop() {
        // Lambda counts it, the alarm rings; the other pipelines were judged.
        Some(error) => Err(error),
        None => Ok(json!({ "outcome": "ticked", "pipelines": looked })),
    }
}

async fn at_pipeline(app: &App, pipeline: &str) -> Result<(), Error> {
    let scene = app.table.scene(pipeline).await?;
    let seen = look::at(app, &scene, &due(&scene, app.clock.now())).await?;
    advance(&app.table, &app.clock, pipeline, &seen).await?;
    Ok(())
}

async fn at_target(app: &App, happened: &TaskStopped) -> Result<Value, Error> {
    let TaskStopped { target, task, completed, what } = happened;
    let Some(scene) = scene_of(app, target).await? else {
        return Ok(json!({ "outcome": "nothing", "why": format!("no release owns {target}") }));
    };
    let pipeline = scene.head.pipeline.clone();
    let seen = match task {
        // Judged by what the event says, without any call to AWS.
        Some((revision, failure)) => {
            let news = !look::is_normal_life(app, &scene, target, revision, failure).await?
                && note(app, scene.clone(), target, |scene, slot, now| {
                    note_task(scene, slot, revision, failure, now)
                })
                .await?;
            if !news {
                return Ok(json!({ "outcome": "nothing", "why": "the task says nothing new" }));
            }
            Sightings::new()
        }
        None if !worth_a_look(&scene, target) => {
            return Ok(json!({ "outcome": "nothing", "why": "it is not being judged" }));
        }
        None if *completed => {
            let news = note(app, scene, target, |_, slot, now| note_told(slot, now)).await?;
            let scene = app.table.scene(&pipeline).await?;
            if !news || !all_told(&scene) {
                return Ok(json!({ "outcome": "noted", "why": "others are still on their way" }));
            }
            look::at(app, &scene, &open(&scene, false)).await?
        }
        None => look::at(app, &scene, &open(&scene, true)).await?,
    };
    let advanced = advance(&app.table, &app.clock, &pipeline, &seen).await?;
    tracing::info!(%target, what, changes = advanced.changes, "looked");
    Ok(json!({ "outcome": "looked", "changes": advanced.changes }))
}

/// The pipeline whose moving release owns the target.
async fn scene_of(app: &App, target: &TargetId) -> Result<Option<Scene>, Error> {
    let Some(slot) = app.table.slot_of(target).await? else { return Ok(None) };
    let scene = app.table.scene(&slot.release.pipeline).await?;
    let owns = scene.moving.as_ref().is_some_and(|release| release.id == slot.release);
    Ok(owns.then_some(scene))
}

fn worth_a_look(scene: &Scene, target: &TargetId) -> bool {
    scene.slots.get(target).is_some_and(|slot| {
        matches!(
            slot.phase,
            SlotPhase::Settling { .. } | SlotPhase::Healthy { .. } | SlotPhase::Returning { .. }
        )
    })
}

/// Writes down what an event says of a target; whether it was news.
async fn note(
    app: &App,
    mut scene: Scene,
    target: &TargetId,
    said: impl Fn(&Scene, &Slot, Timestamp) -> Option<Change>,
) -> Result<bool, Error> {
    for _ in 0..TRIES {
        let Some(slot) = scene.slots.get(target) else { return Ok(false) };
        let Some(change) = said(&scene, slot, app.clock.now()) else { return Ok(false) };
        match app.table.commit(&change).await? {
            Commit::Done => return Ok(true),
            Commit::Superseded => scene = app.table.scene(&scene.head.pipeline).await?,
        }
    }
    Ok(true)
}
