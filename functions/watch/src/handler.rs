//! An ECS event, or the minute → a look → what follows.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_aws::table::{Commit, Lost, TableError};
use tidegate_aws::{Advanced, App, Error, advance};
use tidegate_core::decide::{all_told, due, ends_at, note_task, note_told, open, waits_for};
use tidegate_core::event::{self, Happened, Woken};
use tidegate_core::model::{Change, Scene, Slot, TargetId};

use crate::checks::{self, Open};
use crate::look::{self, Look};
use crate::{TRIES, run};

/// The first wait under throttling, doubled each time: AWS's buckets fill within seconds.
const PAUSE: Duration = Duration::from_secs(1);

/// Handles an ECS event or the minute's tick.
pub async fn handle(app: &App, event: Value, deadline: Timestamp) -> Result<Value, Error> {
    let woken = event::watch(&event);
    let of_a_task = matches!(&woken, Woken::By(happened) if happened.task.is_some());
    let handled = match woken {
        Woken::Schedule => tick(app, deadline).await,
        Woken::By(happened) => patiently(app, &happened, deadline).await,
        Woken::Nothing(why) => {
            tracing::debug!(why, "nothing to do");
            Ok(json!({ "outcome": "nothing", "why": why }))
        }
        Woken::NotUnderstood(identity) => Err(Error::NotUnderstood(identity)),
    };
    match handled {
        // Nobody needs to be told of it, and the next tick looks at all that is open. What an event
        // says of a task is found nowhere else: Lambda delivers that again.
        Err(error) if is_throttle(&error) && !of_a_task => {
            tracing::warn!(error = &error as &dyn std::error::Error, "left to the next tick");
            Ok(json!({ "outcome": "throttled" }))
        }
        handled => handled,
    }
}

fn is_throttle(error: &Error) -> bool {
    match error {
        Error::Refused(refusal) => refusal.is_throttle(),
        Error::Table(TableError::Call { lost: Lost::Refused(code), .. }) => {
            ["Throttl", "ThroughputExceeded", "RequestLimitExceeded"]
                .iter()
                .any(|it| code.contains(it))
        }
        _ => false,
    }
}

/// Everything that is open, nearest to its end first; one pipeline's trouble is not another's.
async fn tick(app: &App, deadline: Timestamp) -> Result<Value, Error> {
    let (mut scenes, mut failed) = (Vec::new(), Vec::new());
    for pipeline in app.table.open_pipelines().await? {
        match app.table.scene(&pipeline).await {
            Ok(scene) => scenes.push(scene),
            Err(error) => failed.push((pipeline, error.into())),
        }
    }
    scenes.sort_by_key(|scene| ends_at(scene).unwrap_or(Timestamp::MAX));
    let (mut looked, mut checked) = (0, Vec::new());
    let many = scenes.len();
    for scene in scenes {
        if app.clock.now() + look::RESERVE >= deadline {
            let left = many - looked;
            tracing::warn!(left, "the tick ran out of time; those with the nearest end went first");
            break;
        }
        let pipeline = scene.head.pipeline.clone();
        let has_checks = !scene.config.checks.is_empty();
        let look = look::at(app, &scene, &due(&scene, app.clock.now())).await;
        if has_checks {
            checked.push(Open { pipeline: pipeline.clone(), seen: look.seen.clone() });
        }
        if let Err(error) = judge(app, scene, look).await {
            failed.push((pipeline, error));
        }
        looked += 1;
    }
    if !checked.is_empty() {
        failed.extend(checks::ask(app, checked, deadline).await);
    }
    for (pipeline, error) in &failed {
        tracing::error!(pipeline, error = error as &dyn std::error::Error, "not judged as a whole");
    }
    match failed.into_iter().map(|(_, error)| error).find(|error| !is_throttle(error)) {
        // Lambda counts it, the alarm rings; the other pipelines were judged.
        Some(error) => Err(error),
        None => Ok(json!({ "outcome": "ticked", "pipelines": looked })),
    }
}

/// Judges what was seen. What was not seen has a deadline all the same, so the refusal comes after.
async fn judge(app: &App, scene: Scene, look: Look) -> Result<Advanced, Error> {
    let advanced = advance(&app.table, &app.clock, scene, &look.seen).await?;
    match look.refused {
        Some(refusal) => Err(refusal.into()),
        None => Ok(advanced),
    }
}

/// An event that meets throttling waits: unlike a look, what it says cannot be asked for later.
async fn patiently(app: &App, happened: &Happened, deadline: Timestamp) -> Result<Value, Error> {
    let mut pause = PAUSE;
    loop {
        match at_target(app, happened).await {
            Err(error)
                if is_throttle(&error) && app.clock.now() + pause + look::RESERVE < deadline =>
            {
                app.clock.sleep(pause).await;
                pause *= 2;
            }
            ended => return ended,
        }
    }
}

async fn at_target(app: &App, happened: &Happened) -> Result<Value, Error> {
    let nothing = |why: &str| Ok(json!({ "outcome": "nothing", "why": why }));
    let Happened { target, started_by, task, completed, what } = happened;
    let target = match (target, task) {
        (Some(target), _) => target,
        (None, Some((revision, failure))) => {
            return run::ended(app, started_by, revision, failure).await;
        }
        (None, None) => return nothing("it names no target"),
    };
    let ran = task.as_ref().map(|(revision, _)| revision.as_str());
    let Some(scene) = scene_of(app, target, ran).await? else {
        return nothing("no release waits for word of this target");
    };
    let pipeline = scene.head.pipeline.clone();
    let (scene, targets) = match task {
        // Judged by what the event says, without any call to AWS.
        Some((revision, failure)) => {
            let news = !look::is_normal_life(app, &scene, target, revision, failure).await?
                && note(app, scene, target, |scene, slot, now| {
                    note_task(scene, slot, revision, failure, now)
                })
                .await?;
            if !news {
                return nothing("the task says nothing new");
            }
            (app.table.scene(&pipeline).await?, Vec::new())
        }
        None if *completed => {
            let news = note(app, scene, target, |_, slot, now| note_told(slot, now)).await?;
            if !news {
                return nothing("that it completed is known");
            }
            let scene = app.table.scene(&pipeline).await?;
            if !all_told(&scene) {
                return Ok(json!({ "outcome": "noted", "why": "others are still on their way" }));
            }
            let targets = open(&scene, false);
            (scene, targets)
        }
        None => {
            let targets = open(&scene, true);
            (scene, targets)
        }
    };
    let look = look::at(app, &scene, &targets).await;
    let advanced = judge(app, scene, look).await?;
    tracing::info!(%target, what, changes = advanced.changes, "looked");
    Ok(json!({ "outcome": "looked", "changes": advanced.changes }))
}

/// The pipeline whose moving release waits for what happened. A day of normal life costs one or two
/// small reads an event.
async fn scene_of(app: &App, target: &TargetId, ran: Option<&str>) -> Result<Option<Scene>, Error> {
    match app.table.slot_of(target).await? {
        Some(slot) if waits_for(&slot, ran) => Ok(app.table.scene_of_moving(&slot.release).await?),
        _ => Ok(None),
    }
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
    // Lambda delivers the event again: what it says is found nowhere else.
    let what = format!("what an event said of {target}");
    Err(TableError::Contended { what, tries: TRIES }.into())
}
