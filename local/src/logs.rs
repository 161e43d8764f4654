//! CloudWatch Logs, as far as tasks print: log groups, and the lines of what ECS still shows.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::{ApiError, Input};
use crate::ecs::Ecs;

/// As many events as an answer holds that nobody bounds; also the most.
const MOST: usize = 10_000;

/// The log groups, each with when it was made: what was printed before is lost.
#[derive(Debug, Default)]
pub struct Logs(BTreeMap<String, Timestamp>);

impl Logs {
    /// A group that is there since `now`, unless it is there already.
    pub fn seed(&mut self, group: &str, now: Timestamp) {
        self.0.entry(group.to_owned()).or_insert(now);
    }

    /// Answers a call.
    pub fn call(
        &mut self,
        action: &str,
        input: &Value,
        ecs: &Ecs,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let input = Input(input);
        let group = input.need("logGroupName")?;
        match action {
            "CreateLogGroup" => {
                if self.0.contains_key(group) {
                    let message = "The specified log group already exists";
                    return Err(ApiError::refused("ResourceAlreadyExistsException", message));
                }
                self.0.insert(group.to_owned(), now);
                Ok(json!({}))
            }
            "DeleteLogGroup" => {
                self.since(group)?;
                self.0.remove(group);
                Ok(json!({}))
            }
            "DescribeLogStreams" => describe(input, self.since(group)?, ecs),
            "GetLogEvents" => get(input, ecs),
            _ => Err(ApiError::unknown_action("CloudWatch Logs", action)),
        }
    }

    fn since(&self, group: &str) -> Result<Timestamp, ApiError> {
        let message = "The specified log group does not exist.";
        let missing = || ApiError::refused("ResourceNotFoundException", message);
        self.0.get(group).copied().ok_or_else(missing)
    }
}

/// The streams of a group's tasks, those with the newest line first.
fn describe(input: Input<'_>, since: Timestamp, ecs: &Ecs) -> Result<Value, ApiError> {
    const ACTION: &str = "DescribeLogStreams";
    input.only(ACTION, &["logGroupName", "orderBy", "descending", "limit"])?;
    if input.text("orderBy") != Some("LastEventTime") || !input.flag("descending") {
        let why = "the local AWS models orderBy LastEventTime, descending, only";
        return Err(ApiError::refused("InvalidParameterException", why));
    }
    let group = input.need("logGroupName")?;
    let mut streams: Vec<_> = ecs
        .streams(group)
        .into_iter()
        .filter_map(|stream| {
            let newest = ecs.printed(group, &stream)?.last()?.0;
            (newest >= since).then_some((Reverse(newest), stream))
        })
        .collect();
    streams.sort();
    let limit = input.number("limit").and_then(|limit| usize::try_from(limit).ok());
    let shown = streams.into_iter().take(limit.unwrap_or(MOST)).map(|(Reverse(newest), name)| {
        json!({ "logStreamName": name, "lastEventTimestamp": newest.as_millisecond() })
    });
    Ok(json!({ "logStreams": shown.collect::<Vec<_>>() }))
}

fn get(input: Input<'_>, ecs: &Ecs) -> Result<Value, ApiError> {
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
