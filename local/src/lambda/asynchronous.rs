//! Asynchronous invocations: tried again after one and two minutes, then given up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::mapping::GivenUp;
use crate::template::Function;

/// Lambda waits a minute after the first failure and two after the second.
const WAITS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

/// An event on its way to a function, and how often it was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The event.
    pub body: Value,
    /// When Lambda took it.
    pub accepted: Timestamp,
    /// Tries that failed.
    pub failures: u64,
}

/// What follows a failure.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Try again then.
    Retry(Timestamp, Event),
    /// No more tries.
    GiveUp(GivenUp),
}

impl Event {
    /// A new event.
    pub fn new(body: Value, accepted: Timestamp) -> Self {
        Self { body, accepted, failures: 0 }
    }

    /// The function failed on it at `now`.
    pub fn failed(mut self, function: &Function, error: &str, now: Timestamp) -> Next {
        let tried = usize::try_from(self.failures).unwrap_or(usize::MAX);
        self.failures += 1;
        let again = now + WAITS[tried.min(WAITS.len() - 1)];
        let age = again.duration_since(self.accepted);
        let young = SignedDuration::try_from(function.retries.age).is_ok_and(|most| age <= most);
        if self.failures <= function.retries.attempts && young {
            return Next::Retry(again, self);
        }
        let condition = if young { "RetriesExhausted" } else { "EventAgeExceeded" };
        let message = json!({
            "version": "1.0",
            "timestamp": now.to_string(),
            "requestContext": {
                "functionArn": format!("{}:$LATEST", function.arn),
                "condition": condition,
                "approximateInvokeCount": self.failures,
            },
            "requestPayload": self.body,
            "responseContext":
                {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorMessage": error},
        });
        Next::GiveUp(GivenUp { queue: function.retries.on_failure.clone(), message })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::template::Retries;

    #[test]
    fn an_event_is_tried_after_one_and_two_minutes_then_parked_whole() {
        let function = Function {
            id: "F".to_owned(),
            program: "promote".to_owned(),
            name: "f".to_owned(),
            arn: "arn:f".to_owned(),
            role: String::new(),
            timeout: Duration::from_secs(3),
            memory: 128,
            environment: BTreeMap::new(),
            retries: Retries {
                attempts: 2,
                age: Duration::from_secs(3600),
                on_failure: Some("arn:dead".to_owned()),
            },
            rules: Vec::new(),
            schedules: Vec::new(),
            mappings: Vec::new(),
        };
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let event = Event::new(json!({"a": 1}), at(0));
        let Next::Retry(first, event) = event.failed(&function, "x", at(0)) else { panic!() };
        assert_eq!(first, at(60));
        let Next::Retry(second, event) = event.failed(&function, "x", at(60)) else { panic!() };
        assert_eq!(second, at(180));
        let Next::GiveUp(parked) = event.failed(&function, "x", at(180)) else { panic!() };
        assert_eq!(parked.queue.as_deref(), Some("arn:dead"));
        assert_eq!(parked.message["requestPayload"], json!({"a": 1}));
        assert_eq!(parked.message["requestContext"]["condition"], "RetriesExhausted");

        let old = Event::new(json!({}), at(-3600));
        let Next::GiveUp(parked) = old.failed(&function, "x", at(0)) else { panic!() };
        assert_eq!(parked.message["requestContext"]["condition"], "EventAgeExceeded");
    }
}
