//! REST with JSON: what is asked stands in method and path.

use serde_json::{Value, json};

use super::{JSON, Protocol, Request, Response, Signed, write};
use crate::api::ApiError;
use crate::call::Call;

/// `None` where the path is of no such service.
pub(super) fn read(
    request: Request<'_>,
    (caller, scope): &Signed,
) -> Option<Result<(Call, Protocol), Response>> {
    // A whole address begins with its scheme; a path does not.
    let path = request
        .uri
        .split_once("://")
        .map_or(request.uri, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let (service, action, named) = match (request.method, &parts[..]) {
        ("GET", ["schedules", name]) => ("scheduler", "GetSchedule", json!({ "Name": name })),
        ("POST", ["schedules", name]) => ("scheduler", "CreateSchedule", json!({ "Name": name })),
        ("PUT", ["schedules", name]) => ("scheduler", "UpdateSchedule", json!({ "Name": name })),
        ("GET", ["2015-03-31", "event-source-mappings", uuid]) => {
            ("lambda", "GetEventSourceMapping", json!({ "UUID": uuid }))
        }
        ("GET", ["2015-03-31", "functions", name, "policy"]) => {
            ("lambda", "GetPolicy", json!({ "FunctionName": name }))
        }
        _ => return None,
    };
    let body = if request.body.is_empty() { b"{}" } else { request.body };
    let mut input: Value = match serde_json::from_slice(body) {
        Ok(input) => input,
        Err(error) => {
            let refused = ApiError::refused("SerializationException", error.to_string());
            return Some(Err(write(&Protocol::Json(JSON), &refused.into())));
        }
    };
    for (member, value) in named.as_object().into_iter().flatten() {
        input[member] = value.clone();
    }
    let group = query.split('&').find_map(|pair| pair.strip_prefix("groupName="));
    if let Some(group) = group {
        input["GroupName"] = json!(group);
    }
    let call = Call {
        caller: caller.clone(),
        scope: scope.clone(),
        service: service.to_owned(),
        action: action.to_owned(),
        input,
    };
    Some(Ok((call, Protocol::Json(JSON))))
}
