//! A push, or the sweep → what the registry shows → an answer in the table.

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_aws::registry::Registry;
use tidegate_aws::{App, Error};
use tidegate_core::config;
use tidegate_core::event::{self, PushEvent, Woken};

use crate::record::record;
use crate::{resolve, sweep};

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
    let place = config::Registry { account: push.account.clone(), region: push.region.clone() };
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
