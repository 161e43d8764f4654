//! CloudWatch Logs, as far as tasks print: the lines of what ECS still shows.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::{ApiError, Input};
use crate::ecs::Ecs;

/// As many events as an answer holds that nobody bounds; also the most.
const MOST: usize = 10_000;

/// Answers a call.
pub fn call(action: &str, input: &Value, ecs: &Ecs) -> Result<Value, ApiError> {
    let input = Input(input);
    if action != "GetLogEvents" {
        return Err(ApiError::unknown_action("CloudWatch Logs", action));
    }
    let (group, stream) = (input.need("logGroupName")?, input.need("logStreamName")?);
    let lines = ecs.printed(group, stream).ok_or_else(|| {
        let message = "The specified log stream does not exist.";
        ApiError::refused("ResourceNotFoundException", message)
    })?;
    let limit = input.number("limit").and_then(|limit| usize::try_from(limit).ok());
    let limit = limit.unwrap_or(MOST).clamp(1, MOST);
    let skipped = if input.flag("startFromHead") { 0 } else { lines.len().saturating_sub(limit) };
    let events = lines.iter().skip(skipped).take(limit).map(event);
    Ok(json!({ "events": events.collect::<Vec<_>>() }))
}

fn event((at, message): &(Timestamp, String)) -> Value {
    let at = at.as_millisecond();
    json!({ "timestamp": at, "ingestionTime": at, "message": message })
}
