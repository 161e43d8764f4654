//! The queue where what nobody could deliver waits for a person, under an alarm.

use aws_sdk_sqs::Client;
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

    /// Puts a letter aside, whole.
    pub async fn park(&self, letter: &str) -> Result<(), Refusal> {
        let send = self.client.send_message().queue_url(&self.url).message_body(letter);
        send.send().await.map_err(Refusal::of("sqs:SendMessage", &self.url))?;
        Ok(())
    }
}
