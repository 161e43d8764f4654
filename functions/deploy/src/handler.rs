//! A stream batch → turns.

use aws_lambda_events::event::dynamodb::Event;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_aws::table::keys;
use tidegate_aws::{App, Error};
use tidegate_core::model::ReleaseId;

use crate::{retag, survey, turn};

/// Handles a batch of the table's stream; the mapping's batch size is 1.
///
/// Only the keys of a record are read: what is asked by now is in the table. A record that
/// fails is named, so that the mapping retries it and then parks it, and no other.
pub async fn handle(app: &App, event: Value, deadline: Timestamp) -> Result<Value, Error> {
    let Ok(batch) = Event::deserialize(&event) else {
        return Err(Error::NotUnderstood("a batch that is no DynamoDB stream event".to_owned()));
    };
    let mut failed = Vec::new();
    for record in batch.records {
        let key = |name: &str| -> String {
            serde_dynamo::from_item::<_, std::collections::HashMap<String, String>>(
                record.change.keys.clone(),
            )
            .ok()
            .and_then(|mut keys| keys.remove(name))
            .unwrap_or_default()
        };
        let (pk, sk) = (key("pk"), key("sk"));
        if let Err(error) = act(app, &pk, &sk, deadline).await {
            tracing::error!(pk, sk, error = &error as &dyn std::error::Error, "not done");
            let number = record.change.sequence_number.unwrap_or_default();
            failed.push(json!({ "itemIdentifier": number }));
        }
    }
    Ok(json!({ "batchItemFailures": failed }))
}

async fn act(app: &App, pk: &str, sk: &str, deadline: Timestamp) -> Result<(), Error> {
    if let Some(target) = keys::target_of(pk).filter(|_| sk == "now") {
        return turn::take(app, &target, deadline).await;
    }
    match (keys::pipeline_of(pk), keys::release_of(sk)) {
        (Some(pipeline), Some(number)) => {
            of_release(app, &ReleaseId::new(pipeline, number), deadline).await
        }
        _ => Err(Error::NotUnderstood(format!("stream record of {pk} {sk}"))),
    }
}

/// A release asks for its survey, or once it is live for its tag.
async fn of_release(app: &App, id: &ReleaseId, deadline: Timestamp) -> Result<(), Error> {
    let scene = app.table.scene(&id.pipeline).await?;
    match scene.live.as_ref().filter(|live| live.id == *id && live.todo.is_some()) {
        Some(live) => retag::put(app, &scene, live).await,
        None => survey::take(app, &scene, id, deadline).await,
    }
}
