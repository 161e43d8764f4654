//! The queue where what nobody could deliver waits for a person, under an alarm.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_types::SdkConfig;

use crate::Refusal;

/// The dead letters of this installation.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    client: Client,
    url: String,
}

impl DeadLetters {
    /// The queue at `url`.
    pub fn new(sdk: &SdkConfig, url: impl Into<String>) -> Self {
        Self { client: Client::new(sdk), url: url.into() }
    }

    /// How many letters wait, about.
    pub async fn count(&self) -> Result<u64, Refusal> {
        const ACTION: &str = "sqs:GetQueueAttributes";
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let asked = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = asked.attribute_names(name.clone()).send().await;
        let answer = answer.map_err(Refusal::of(ACTION, &self.url))?;
        let count = answer.attributes().and_then(|all| all.get(&name)?.parse().ok());
        count.ok_or_else(|| Refusal::broken(ACTION, &self.url, "count"))
    }

    /// Puts a letter aside, whole.
    pub async fn park(&self, letter: &str) -> Result<(), Refusal> {
        let send = self.client.send_message().queue_url(&self.url).message_body(letter);
        send.send().await.map_err(Refusal::of("sqs:SendMessage", &self.url))?;
        Ok(())
    }
}
