//! A push, or the sweep → what the registry shows → an answer in the table.

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_aws::table::TableError;
use tidegate_aws::{App, Error};
use tidegate_core::config;
use tidegate_core::event::{self, PushEvent, Woken};

use crate::record::{TRIES, record};
use crate::{approve, resolve, sweep};

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
    let (mut answers, mut failed) = (Vec::new(), None);
    for pipeline in pipelines {
        match at_pipeline(app, &pipeline, push).await {
            Ok(answered) => answers.extend(answered),
            // One pipeline's trouble is not another's; Lambda delivers the push to all of them
            // again, and those that answered know it.
            Err(error) => {
                tracing::error!(pipeline, error = &error as &dyn std::error::Error, "not answered");
                failed = Some(error);
            }
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    if answers.is_empty() {
        tracing::info!(repository = push.repository, tag = push.tag, "no pipeline looks at it");
    }
    Ok(json!({ "outcome": "answered", "answers": answers }))
}

/// Asks the registry again while other pushes are answered at the same time.
async fn at_pipeline(app: &App, pipeline: &str, push: &PushEvent) -> Result<Vec<String>, Error> {
    let mut registry = None;
    for _ in 0..TRIES {
        let head = app.table.head_of(pipeline).await?;
        // Retired since its name was read.
        let Some(head) = head.filter(|head| head.retired.is_none()) else { return Ok(Vec::new()) };
        let current = app.table.config(pipeline, head.config).await?;
        let registry = registry.get_or_insert_with(|| app.registry(current.role.as_ref()));
        let mut answers = Vec::new();
        for candidate in resolve::pushed(app, registry, &head, &current, push).await? {
            answers.push(record(app, pipeline, &candidate).await?);
        }
        if let Some(mut answers) = answers.into_iter().collect::<Option<Vec<_>>>() {
            answers.extend(approve::by_tag(app, registry, &head, &current, push).await?);
            return Ok(answers);
        }
    }
    let what = format!("the push of {}:{} to {pipeline}", push.repository, push.tag);
    Err(TableError::Contended { what, tries: TRIES }.into())
}
