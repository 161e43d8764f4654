//! What wakes a function, read from AWS's JSON. Unknown fields are ignored: AWS adds them.

mod ecr;
mod ecs;

use serde_json::Value;

pub use ecr::{PushEvent, promote};
pub use ecs::{Happened, may_have_started, watch};

/// What a payload is to the function it came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Woken<T> {
    /// What the function is for.
    By(T),
    /// The schedule: look at everything that is open.
    Schedule,
    /// Understood, and nothing to do; why.
    Nothing(String),
    /// Nobody understands it; what it says of itself.
    NotUnderstood(String),
}

/// What a payload says of itself, for the log: never its whole text, which may hold anything.
pub fn identity(event: &Value) -> String {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or("?");
    let resource = event.pointer("/resources/0").and_then(Value::as_str).unwrap_or("no resource");
    let identity =
        format!("{} {} {} ({resource})", text("source"), text("detail-type"), text("id"));
    identity.chars().take(300).collect()
}

/// `{"kind":"…"}`, as our schedules send it, or EventBridge's own scheduled event.
fn is_schedule(event: &Value, kind: &str) -> bool {
    event.get("kind").and_then(Value::as_str) == Some(kind)
        || event.get("detail-type").and_then(Value::as_str) == Some("Scheduled Event")
}

#[cfg(test)]
mod tests;
