//! The local AWS's own corner, `/_local/…`: what was told, what goes wrong, what was given up.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Desk;
use crate::cloud::Word;
use crate::faults::FaultRule;

/// Everything that was published, on every channel, in order.
pub(super) async fn notifications(State(desk): State<Desk>) -> Json<Value> {
    Json(desk.world.look(|cloud| {
        let topics = cloud.sns.published().iter().map(|it| {
            let (subject, message, attributes) = (&it.subject, &it.message, &it.attributes);
            let body = json!({ "subject": subject, "message": message, "attributes": attributes });
            (it.at, "sns", body)
        });
        let hooks = cloud.webhooks.iter().map(|it| (it.at, it.channel.as_str(), it.body.clone()));
        let mut all: Vec<_> = topics.chain(hooks).collect();
        all.sort_by_key(|(at, ..)| *at);
        all.into_iter()
            .map(|(at, channel, body)| json!({ "at": at, "channel": channel, "body": body }))
            .collect()
    }))
}

/// Every call, without its members.
pub(super) async fn calls(State(desk): State<Desk>) -> Json<Value> {
    Json(desk.world.look(|cloud| {
        let lines = cloud.calls().iter().map(|noted| {
            json!({
                "at": noted.at,
                "caller": noted.call.caller.to_string(),
                "call": noted.call.name(),
                "refusal": noted.refusal,
            })
        });
        lines.collect()
    }))
}

pub(super) async fn dead_letters(State(desk): State<Desk>) -> Json<Value> {
    Json(desk.world.look(|cloud| json!(cloud.queues.parked())))
}

pub(super) async fn faults(State(desk): State<Desk>) -> Json<Value> {
    Json(desk.world.look(|cloud| json!(cloud.faults.fired())))
}

/// A rule, or a list of them.
pub(super) async fn add_fault(State(desk): State<Desk>, Json(body): Json<Value>) -> Response {
    let rules = if body.is_array() { body } else { json!([body]) };
    match serde_json::from_value::<Vec<FaultRule>>(rules) {
        Ok(rules) => {
            desk.world.with(|cloud, _| rules.into_iter().for_each(|it| cloud.faults.add(it)));
            StatusCode::CREATED.into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("not a fault: {error}\n")).into_response(),
    }
}

pub(super) async fn clear_faults(State(desk): State<Desk>) -> StatusCode {
    desk.world.with(|cloud, _| cloud.faults.clear());
    StatusCode::NO_CONTENT
}

/// A URL outside of AWS, as far as a check of the config names it.
pub(super) async fn outside(State(desk): State<Desk>, Path(url): Path<String>) -> Response {
    match desk.world.with(|cloud, now| cloud.ask(&url, now)) {
        Word::Answer(status, body, after) => {
            desk.world.clock.sleep(after).await;
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, body).into_response()
        }
        Word::NoHost => (StatusCode::BAD_GATEWAY, "no such host\n").into_response(),
        Word::Silence => std::future::pending().await,
    }
}

/// Slack and Teams as far as notify knows them: they take a JSON body and say yes.
pub(super) async fn webhook(
    State(desk): State<Desk>,
    Path(channel): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    if !["slack", "teams"].contains(&channel.as_str()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    desk.world.with(|cloud, now| cloud.receive(&channel, body, now));
    "ok".into_response()
}
