//! REST with JSON: what is asked stands in method and path.

use serde_json::{Value, json};

/// The service, its action and the members of the request; `None` for a path that is nobody's.
pub(super) fn read(method: &str, path: &str) -> Option<(&'static str, &'static str, Value)> {
    let path = path.split('?').next().unwrap_or(path);
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    Some(match (method, &parts[..]) {
        ("GET", ["schedules", name]) => ("scheduler", "GetSchedule", json!({ "Name": name })),
        ("GET", ["2015-03-31", "event-source-mappings", uuid]) => {
            ("lambda", "GetEventSourceMapping", json!({ "UUID": uuid }))
        }
        ("GET", ["2015-03-31", "functions", name, "policy"]) => {
            ("lambda", "GetPolicy", json!({ "FunctionName": name }))
        }
        _ => return None,
    })
}
