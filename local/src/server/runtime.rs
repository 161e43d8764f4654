//! The Lambda Runtime API, as the functions' processes know it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::Desk;
use crate::lambda::process::Outcome;

pub(super) async fn next(State(desk): State<Desk>, Path(key): Path<String>) -> Response {
    let job = match desk.runtime.desk(&key) {
        Some(desk) => desk.next().await,
        None => None,
    };
    let Some((id, arn, event, deadline)) = job else {
        return StatusCode::GONE.into_response();
    };
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-invoked-function-arn", arn),
        ("lambda-runtime-deadline-ms", deadline.as_millisecond().to_string()),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000".to_owned()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    (headers, Json(event)).into_response()
}

pub(super) async fn response(
    State(desk): State<Desk>,
    Path((key, _id)): Path<(String, String)>,
    body: String,
) -> StatusCode {
    answer(&desk, &key, Ok(serde_json::from_str(&body).unwrap_or(Value::Null)))
}

pub(super) async fn error(
    State(desk): State<Desk>,
    Path((key, _id)): Path<(String, String)>,
    body: String,
) -> StatusCode {
    answer(&desk, &key, Err(body))
}

pub(super) async fn init_error(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    body: String,
) -> StatusCode {
    answer(&desk, &key, Err(format!("init failed: {body}")))
}

fn answer(desk: &Desk, key: &str, outcome: Outcome) -> StatusCode {
    match desk.runtime.desk(key) {
        Some(desk) if desk.answer(outcome) => StatusCode::ACCEPTED,
        _ => StatusCode::GONE,
    }
}
