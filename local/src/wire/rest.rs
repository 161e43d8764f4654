//! Services whose paths and methods say what is asked: EventBridge Scheduler.

use serde_json::{Value, json};

use super::{JSON, Protocol, Request, Response, write};
use crate::api::ApiError;
use crate::call::{Call, Caller};

/// `None` where the path is of no such service.
pub(super) fn read(
    request: Request<'_>,
    caller: &Caller,
) -> Option<Result<(Call, Protocol), Response>> {
    // A whole address begins with its scheme; a path does not.
    let path = request
        .uri
        .split_once("://")
        .map_or(request.uri, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let name = path.strip_prefix("/schedules/")?;
    let protocol = Protocol::Json(JSON);
    let refuse = |error: ApiError| Some(Err(write(&Protocol::Json(JSON), &error.into())));
    let action = match request.method {
        "GET" => "GetSchedule",
        "POST" => "CreateSchedule",
        "PUT" => "UpdateSchedule",
        other => {
            let action = format!("{other} of a schedule");
            return refuse(ApiError::unknown_action("EventBridge Scheduler", &action));
        }
    };
    let body = if request.body.is_empty() { b"{}" } else { request.body };
    let mut input: Value = match serde_json::from_slice(body) {
        Ok(input) => input,
        Err(error) => {
            return refuse(ApiError::refused("SerializationException", error.to_string()));
        }
    };
    input["Name"] = json!(name);
    let group = query.split('&').find_map(|pair| pair.strip_prefix("groupName="));
    if let Some(group) = group {
        input["GroupName"] = json!(group);
    }
    let service = "scheduler".to_owned();
    Some(Ok((Call { caller: caller.clone(), service, action: action.to_owned(), input }, protocol)))
}
