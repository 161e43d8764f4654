//! A push, or the sweep → what the registry shows → an answer in the table.

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_aws::registry::Registry;
use tidegate_aws::table::Commit;
use tidegate_aws::{App, Error, advance};
use tidegate_core::config;
use tidegate_core::decide::Sightings;
use tidegate_core::event::{self, PushEvent, Woken};
use tidegate_core::push::{Answer, Candidate, answer};

use crate::{resolve, sweep};

/// Writers of one head in the same second: after so many the event is retried by Lambda.
const TRIES: u32 = 8;

/// Handles an ECR push or the sweep's schedule.
pub async fn handle(app: &App, event: Value, deadline: Timestamp) -> Result<Value, Error> {
    match event::promote(&event) {
        Woken::Schedule => sweep::sweep(app, deadline).await,
        Woken::By(push) => pushed(app, &push).await,
        Woken::Nothing(why) => {
            tracing::info!(why, "nothing to do");
            Ok(json!({ "outcome": "nothing", "why": why }))
        }
        Woken::NotUnderstood(identity) => Err(Error::NotUnderstood(identity)),
    }
}

async fn pushed(app: &App, push: &PushEvent) -> Result<Value, Error> {
    let place =
        config::Registry { account: push.account.clone(), region: push.region.clone() };
    let pipelines = app.table.watchers(&place, &push.repository).await?;
    let registry = Registry::new(&app.sdk);
    let mut answers = Vec::new();
    for pipeline in pipelines {
        let scene = app.table.scene(&pipeline).await?;
        let current = app.table.config(&pipeline, scene.head.config).await?;
        for candidate in resolve::pushed(app, &registry, &pipeline, &current, push).await? {
            answers.push(record(app, &pipeline, &candidate).await?);
        }
    }
    if answers.is_empty() {
        tracing::info!(repository = push.repository, tag = push.tag, "no pipeline looks at it");
    }
    Ok(json!({ "outcome": "answered", "answers": answers }))
}

/// Answers one candidate in the table, and moves the pipeline on.
pub(crate) async fn record(
    app: &App,
    pipeline: &str,
    candidate: &Candidate,
) -> Result<String, Error> {
    for _ in 0..TRIES {
        let scene = app.table.scene(pipeline).await?;
        let change = match answer(&scene, candidate, app.clock.now()) {
            Answer::Known(why) => {
                tracing::info!(pipeline, why, "known");
                return Ok(why);
            }
            Answer::Record(change) => change,
        };
        if app.table.commit(&change).await? == Commit::Superseded {
            tracing::info!(pipeline, "superseded write, reading again");
            continue;
        }
        let said = match (&change.push, change.releases.first()) {
            (Some(push), _) => push.why.clone(),
            (None, Some(release)) => format!("{} brings {}", release.id, release.label()),
            (None, None) => "recorded".to_owned(),
        };
        tracing::info!(pipeline, said, "recorded");
        advance(&app.table, &app.clock, pipeline, &Sightings::new()).await?;
        return Ok(said);
    }
    let what = format!("the push of {} to {pipeline}", candidate.bytes.label());
    Err(tidegate_aws::table::TableError::Contended { what, tries: TRIES }.into())
}
