//! The channels on which people are told.

mod webhook;

use std::time::Duration;

use jiff::Timestamp;
use tidegate_aws::http::Outbound;
use tidegate_aws::secrets::Secrets;
use tidegate_aws::topic::Topic;
use tidegate_aws::{App, Clock, Refusal};
use tidegate_core::messages::{self, Notification};

use webhook::Webhook;

/// A channel.
#[derive(Debug)]
pub(crate) enum Channel {
    /// SNS: e-mail and programs.
    Topic(Topic),
    /// Slack's incoming webhook, or the Teams workflow's.
    Webhook(Webhook),
}

/// How telling ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The channel has it.
    Yes,
    /// The channel may take it later.
    Later(String),
    /// Asking again changes nothing.
    Never(String),
}

impl Channel {
    pub(crate) fn topic(app: &App, arn: String) -> Self {
        Self::Topic(Topic::new(&app.sdk, arn))
    }

    pub(crate) fn slack(app: &App, outbound: &Outbound, secret: String) -> Self {
        let secrets = Secrets::new(&app.sdk);
        Self::Webhook(Webhook::new("slack", messages::slack, secrets, secret, outbound.clone()))
    }

    pub(crate) fn teams(app: &App, outbound: &Outbound, secret: String) -> Self {
        let secrets = Secrets::new(&app.sdk);
        Self::Webhook(Webhook::new("teams", messages::teams, secrets, secret, outbound.clone()))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Topic(_) => "sns",
            Self::Webhook(webhook) => webhook.name,
        }
    }

    /// Whether the notification also goes elsewhere.
    pub(crate) fn is_optional(&self) -> bool {
        matches!(self, Self::Webhook(_))
    }

    pub(crate) async fn tell(
        &self,
        notification: &Notification,
        clock: &Clock,
        deadline: Timestamp,
    ) -> Told {
        let Some(time) = time_left(clock, deadline) else {
            return Told::Later("the invocation ends".to_owned());
        };
        match self {
            Self::Topic(topic) => tokio::select! {
                told = publish(topic, notification) => told,
                () = clock.sleep(time) => Told::Later("the invocation ends".to_owned()),
            },
            Self::Webhook(webhook) => webhook.tell(notification, clock, deadline).await,
        }
    }
}

async fn publish(topic: &Topic, notification: &Notification) -> Told {
    let json = match serde_json::to_string(notification) {
        Ok(json) => json,
        Err(error) => return Told::Never(format!("it could not be written as JSON: {error}")),
    };
    let attributes = [
        ("pipeline", notification.pipeline.as_str()),
        ("release", &notification.release),
        ("kind", notification.kind),
        ("severity", notification.severity),
    ];
    let (subject, email) = (messages::subject(notification), messages::email(notification));
    match topic.publish(&subject, &email, &json, &attributes).await {
        Ok(()) => Told::Yes,
        Err(refusal) => refusal.into(),
    }
}

impl From<Refusal> for Told {
    fn from(refusal: Refusal) -> Self {
        if refusal.is_final() {
            Self::Never(refusal.to_string())
        } else {
            Self::Later(refusal.to_string())
        }
    }
}

/// Kept for the answer to Lambda, and for parking what a last try made hopeless.
pub(crate) const RESERVE: Duration = Duration::from_secs(5);

/// How long a call may take; nothing when none should be begun.
fn time_left(clock: &Clock, deadline: Timestamp) -> Option<Duration> {
    let left = Duration::try_from(deadline.duration_since(clock.now())).ok()?;
    left.checked_sub(RESERVE).filter(|left| !left.is_zero())
}
