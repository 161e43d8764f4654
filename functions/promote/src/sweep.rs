//! ECR's events are best effort: every five minutes the registry itself is asked.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_aws::registry::{Registry, Selected};
use tidegate_aws::{App, Error, advance};
use tidegate_core::decide::Sightings;
use tidegate_core::push::{Candidate, SWEEP};

use crate::record::record;
use crate::resolve;

/// What must be left of the invocation to sweep one more pipeline.
const RESERVE: Duration = Duration::from_secs(10);

/// Finds pushes that no event told of, and moves on what waits.
pub(crate) async fn sweep(app: &App, deadline: Timestamp) -> Result<Value, Error> {
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for pipeline in app.table.watching_pipelines().await? {
        if app.clock.now() + RESERVE >= deadline {
            tracing::warn!("the sweep ran out of time; the next one begins anew");
            break;
        }
        match one(app, &pipeline).await {
            Ok(answers) => found.extend(answers),
            Err(error) => {
                tracing::error!(pipeline, error = &error as &dyn std::error::Error, "not swept");
                failed.push(error);
            }
        }
    }
    match failed.pop() {
        Some(error) => Err(error),
        None => Ok(json!({ "outcome": "swept", "found": found })),
    }
}

async fn one(app: &App, pipeline: &str) -> Result<Vec<String>, Error> {
    let Some(head) = app.table.head_of(pipeline).await? else { return Ok(Vec::new()) };
    let config = app.table.config(pipeline, head.config).await?;
    let registry = Registry::new(&app.sdk);
    let mut answers = Vec::new();
    for (name, image) in &config.images {
        let answered = head.answered.get(name).map(|memory| &memory.digest);
        // Oldest first, so that the newest is answered last.
        for Selected { pattern, tag, shown } in registry.selected(image, answered).await? {
            let bytes = resolve::bytes(app, pipeline, image, shown, &tag).await?;
            let by = SWEEP.to_owned();
            let candidate = Candidate { image: name.clone(), pattern, tag, bytes, by };
            answers.push(record(app, pipeline, &candidate).await?);
        }
    }
    advance(&app.table, &app.clock, pipeline, &Sightings::new()).await?;
    Ok(answers)
}
