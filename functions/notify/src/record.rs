//! From a stream record to what people are told.

use aws_lambda_events::event::dynamodb::EventRecord;
use serde::Deserialize;
use serde_json::Value;
use tidegate_aws::table::SCHEMA;
use tidegate_core::messages::Notification;
use tidegate_core::model::Entry;

/// One record of the batch.
pub(crate) struct Record {
    /// What the mapping calls it when it must come again.
    pub(crate) sequence: Option<String>,
    /// What people are told; nothing, when the record is none of notify's business.
    pub(crate) content: Result<Option<Letter>, Unreadable>,
}

/// A notification on its way.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) notification: Notification,
}

/// A record that nobody understands: what it is called, why, and the whole of it.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) name: String,
    pub(crate) why: String,
    pub(crate) raw: Value,
}

/// The item beside the entry's own fields.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    todo: Option<String>,
    #[serde(default)]
    schema: Option<u64>,
}

/// Reads one record; the others of the batch do not depend on it.
pub(crate) fn read(raw: &Value) -> Record {
    let sequence = raw["dynamodb"]["SequenceNumber"].as_str().map(str::to_owned);
    let content = letter(raw).map_err(|why| Unreadable { name: name(raw), why, raw: raw.clone() });
    Record { sequence, content }
}

fn letter(raw: &Value) -> Result<Option<Letter>, String> {
    let record: EventRecord =
        EventRecord::deserialize(raw).map_err(|error| format!("not a stream record: {error}"))?;
    let image = record.change.new_image;
    let envelope: Envelope = serde_dynamo::from_item(image.clone())
        .map_err(|error| format!("not an item of ours: {error}"))?;
    // The mapping's filter says so too; a removed or foreign item is not an error.
    if envelope.todo.as_deref() != Some("notify") {
        return Ok(None);
    }
    let schema = envelope.schema.unwrap_or(SCHEMA);
    if schema > SCHEMA {
        return Err(format!("written in schema {schema}; this program knows up to {SCHEMA}"));
    }
    let entry: Entry =
        serde_dynamo::from_item(image).map_err(|error| format!("not a journal entry: {error}"))?;
    let notification = Notification::of(&entry).ok_or("marked `notify`, but it holds no notice")?;
    Ok(Some(Letter { notification }))
}

/// `pk sk`, as far as the record says.
fn name(raw: &Value) -> String {
    let keys = &raw["dynamodb"]["Keys"];
    let key = |name: &str| keys[name]["S"].as_str().unwrap_or("?");
    format!("{} {}", key("pk"), key("sk"))
}
