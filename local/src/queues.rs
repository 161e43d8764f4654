//! SQS, as far as dead letters need it: messages go in, people and tests look.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::{ApiError, Input};

/// The queues, by name. One comes to be when something is sent to it.
#[derive(Debug, Default)]
pub struct Queues(BTreeMap<String, Vec<Value>>);

impl Queues {
    /// Sends `message`; `queue` is an ARN or a URL.
    pub fn send(&mut self, queue: &str, message: Value) {
        let name = queue.rsplit([':', '/']).next().unwrap_or(queue);
        self.0.entry(name.to_owned()).or_default().push(message);
    }

    /// Everything that was parked, by queue name.
    pub fn parked(&self) -> &BTreeMap<String, Vec<Value>> {
        &self.0
    }

    /// Answers a call.
    pub fn call(&mut self, action: &str, input: &Value) -> Result<Value, ApiError> {
        let input = Input(input);
        match action {
            "SendMessage" => self.take(input),
            "GetQueueAttributes" => {
                let name = input.need("QueueUrl")?.rsplit('/').next().unwrap_or_default();
                let count = self.0.get(name).map_or(0, Vec::len);
                Ok(json!({ "Attributes": { "ApproximateNumberOfMessages": count.to_string() } }))
            }
            _ => Err(ApiError::unknown_action("SQS", action)),
        }
    }

    fn take(&mut self, input: Input<'_>) -> Result<Value, ApiError> {
        let (queue, text) = (input.need("QueueUrl")?, input.need("MessageBody")?);
        self.send(queue, serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
        let id = self.0.values().map(Vec::len).sum::<usize>();
        Ok(json!({ "MessageId": format!("00000000-0000-4000-8000-{id:012}") }))
    }
}
