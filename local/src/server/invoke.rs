//! Lambda's Invoke API.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Desk;

/// `name` is a logical id (`PromoteFunction`), a folder's name (`promote`), a name or an ARN.
pub(super) async fn invoke(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let known = desk.world.look(|cloud| cloud.function(&name).map(|it| it.program.clone()));
    let Some(program) = known else {
        let refused = json!({ "Type": "User", "Message": format!("Function not found: {name}") });
        let kind = [("x-amzn-errortype", "ResourceNotFoundException")];
        return (StatusCode::NOT_FOUND, kind, Json(refused)).into_response();
    };
    let event = match serde_json::from_slice::<Value>(&body) {
        Ok(event) => event,
        Err(_) if body.is_empty() => json!({}),
        Err(error) => {
            let refused = json!({ "Type": "User", "Message": error.to_string() });
            let kind = [("x-amzn-errortype", "InvalidRequestContentException")];
            return (StatusCode::BAD_REQUEST, kind, Json(refused)).into_response();
        }
    };
    let kind = headers.get("x-amz-invocation-type").and_then(|value| value.to_str().ok());
    if kind == Some("Event") {
        desk.world.with(|cloud, now| cloud.invoke_later(&program, event, now));
        return StatusCode::ACCEPTED.into_response();
    }
    match desk.world.invoke(&program, event).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => {
            let payload = serde_json::from_str::<Value>(&error)
                .unwrap_or_else(|_| json!({ "errorMessage": error }));
            ([("x-amz-function-error", "Unhandled")], Json(payload)).into_response()
        }
    }
}
