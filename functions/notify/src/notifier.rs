//! A batch of the stream, told on every channel.

use aws_lambda_events::event::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use jiff::Timestamp;
use serde_json::Value;
use tidegate_aws::http::{Outbound, Reach};
use tidegate_aws::{App, Clock, Error};

use crate::Settings;
use crate::channel::Channel;
use crate::lane::{Lane, Stopped};
use crate::parking::Parking;
use crate::record::{self, Letter};

/// What one process holds: its channels, and what it told on each.
///
/// Delivery is at least once. A batch that comes again is not told again on channels that took
/// it, as long as the process lives; a new process does not know, so the id is always the same.
#[derive(Debug)]
pub struct Notifier {
    clock: Clock,
    topic: Lane,
    slack: Option<Lane>,
    teams: Option<Lane>,
    parking: Parking,
}

impl Notifier {
    /// The channels that `settings` switches on.
    pub fn new(app: &App, settings: Settings) -> Self {
        // The local AWS takes webhooks on the laptop itself.
        let reach = if app.sdk.endpoint_url().is_some() { Reach::Anywhere } else { Reach::Public };
        Self::over(app, settings, &Outbound::new(app.clock.clone(), reach))
    }

    /// The same, with webhooks called through `outbound`.
    pub fn over(app: &App, settings: Settings, outbound: &Outbound) -> Self {
        let Settings { topic, slack, teams, dead_letters } = settings;
        Self {
            clock: app.clock.clone(),
            topic: Lane::new(Channel::topic(app, topic)),
            slack: slack.map(|secret| Lane::new(Channel::slack(app, outbound, secret))),
            teams: teams.map(|secret| Lane::new(Channel::teams(app, outbound, secret))),
            parking: Parking::new(app, dead_letters.as_deref()),
        }
    }

    /// One invocation. Answers with the records from which the mapping must ask again.
    pub async fn handle(&self, event: Value, deadline: Timestamp) -> Result<Value, Error> {
        let raw = event["Records"].as_array().ok_or_else(|| {
            Error::NotUnderstood("expected a batch of DynamoDB stream records".to_owned())
        })?;
        let (mut letters, mut unreadable, mut sequences) = (Vec::new(), Vec::new(), Vec::new());
        for (index, record) in raw.iter().map(record::read).enumerate() {
            sequences.push(record.sequence);
            match record.content {
                Ok(letter) => letters.extend(letter.map(|letter| (index, letter))),
                Err(record) => unreadable.push((index, record)),
            }
        }
        // Side by side: a channel that is slow or down delays no other.
        let (topic, slack, teams) = tokio::join!(
            self.deliver(Some(&self.topic), &letters, deadline),
            self.deliver(self.slack.as_ref(), &letters, deadline),
            self.deliver(self.teams.as_ref(), &letters, deadline),
        );
        // Only for the topic is the batch asked for again.
        let mut again = topic.map(|stopped| stopped.at);
        for (index, record) in &unreadable {
            // What lies behind comes again anyway, and is parked when it is passed.
            if again.is_some_and(|again| again < *index) {
                break;
            }
            if self.parking.unreadable(record).await.is_err() {
                again = Some(*index);
            }
        }
        for (lane, stopped) in [(&self.slack, slack), (&self.teams, teams)] {
            if let (Some(lane), Some(stopped)) = (lane, stopped) {
                lane.give_up(&stopped, again, &letters, &self.parking).await;
            }
        }
        Ok(serde_json::to_value(answer(again, &sequences))?)
    }

    async fn deliver(
        &self,
        lane: Option<&Lane>,
        letters: &[(usize, Letter)],
        deadline: Timestamp,
    ) -> Option<Stopped> {
        // The SDK's futures are kilobytes each, and three are under way.
        Box::pin(lane?.deliver(letters, &self.parking, &self.clock, deadline)).await
    }
}

/// The mapping asks again from the lowest record that is named.
fn answer(first: Option<usize>, sequences: &[Option<String>]) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    if let Some(index) = first {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier.clone_from(&sequences[index]);
        response.batch_item_failures.push(failure);
    }
    response
}
