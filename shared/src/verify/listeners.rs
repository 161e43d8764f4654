//! Who listens: to what people are told, and to the alarms of the installation itself.

use super::{Line, Topic};

/// A topic of SNS, and who subscribed to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listeners {
    /// Its ARN.
    pub arn: String,
    /// Subscriptions that were confirmed.
    pub confirmed: usize,
    /// Those that wait for somebody to confirm them.
    pub pending: usize,
}

impl Listeners {
    /// Of notifications, which go to a webhook too where the stack has one: the ARN of its secret.
    pub(super) fn of_notifications(&self, name: &str, webhook: Option<&str>) -> Line {
        let topic = Topic::EventPaths;
        match (self.confirmed, webhook) {
            (0, Some(secret)) => topic.warning(
                name,
                "a webhook is configured; whether it takes messages was not asked",
                format!(
                    "Send it one: `curl -H content-type:application/json -d '{{\"text\":\"a try\"}}' \
                     \"$(aws secretsmanager get-secret-value --secret-id {secret} --query SecretString \
                     --output text)\"`; Slack answers `ok`, a workflow of Teams lists it among its runs"
                ),
            ),
            (0, None) if self.pending == 0 => topic.failed(
                name,
                "nobody is told: no subscription, and no webhook",
                format!("{}, or give the stack `SlackSecretArn`", self.subscribe()),
            ),
            (0, None) => {
                topic.failed(name, format!("nobody is told: {}", self.absence()), self.confirm())
            }
            _ => self.confirmed(name),
        }
    }

    /// Of alarms. They tell of what Tidegate itself fails at, and releases go on without them.
    pub(super) fn of_alarms(&self, name: &str) -> Line {
        if self.confirmed > 0 {
            return self.confirmed(name);
        }
        let remedy = if self.pending == 0 { self.subscribe() } else { self.confirm() };
        let said = format!("its alarms ring unheard: {}", self.absence());
        Topic::EventPaths.warning(name, said, remedy)
    }

    /// Somebody listens.
    fn confirmed(&self, name: &str) -> Line {
        let Self { arn: _, confirmed, pending } = self;
        let said = format!("subscriptions confirmed: {confirmed}");
        if *pending == 0 {
            return Topic::EventPaths.green(name, said);
        }
        let said = format!("{said}, not confirmed: {pending}");
        Topic::EventPaths.warning(name, said, "Open the mail that SNS sent, and confirm it")
    }

    /// Nobody does.
    fn absence(&self) -> String {
        match self.pending {
            0 => "no subscription".to_owned(),
            pending => format!("subscriptions that wait to be confirmed: {pending}"),
        }
    }

    fn subscribe(&self) -> String {
        format!("`aws sns subscribe --topic-arn {} --protocol email …`", self.arn)
    }

    fn confirm(&self) -> String {
        format!("Open the mail that SNS sent and confirm it, or {}", self.subscribe())
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    fn listeners(confirmed: usize, pending: usize) -> Listeners {
        Listeners { arn: "arn:t".to_owned(), confirmed, pending }
    }

    #[track_caller]
    fn is(line: &Line, state: State, said: &str, remedy: &str) {
        assert_eq!(line.state, state, "{line:?}");
        assert!(line.said.contains(said), "{line:?}");
        assert!(line.remedy.as_ref().unwrap().contains(remedy), "{line:?}");
    }

    #[test]
    fn somebody_must_hear_of_it() {
        let told = |confirmed, pending| {
            listeners(confirmed, pending).of_notifications("NotificationTopic", None)
        };
        let subscribe = "aws sns subscribe --topic-arn arn:t";
        is(&told(0, 0), State::Failed, "no subscription, and no webhook", subscribe);
        is(&told(0, 1), State::Failed, "wait to be confirmed: 1", "confirm it");
        assert_eq!(told(1, 0).state, State::Green);
        is(&told(1, 1), State::Warning, "confirmed: 1, not confirmed: 1", "confirm it");
    }

    #[test]
    fn a_webhook_that_nobody_tried_is_not_green() {
        let told = |confirmed| {
            listeners(confirmed, 0).of_notifications("NotificationTopic", Some("arn:secret"))
        };
        is(&told(0), State::Warning, "was not asked", "get-secret-value --secret-id arn:secret");
        assert_eq!(told(1).state, State::Green);
    }

    #[test]
    fn an_alarm_that_nobody_hears_is_a_warning() {
        let heard = |confirmed, pending| listeners(confirmed, pending).of_alarms("AlarmTopic");
        let subscribe = "aws sns subscribe --topic-arn arn:t --protocol email";
        is(&heard(0, 0), State::Warning, "ring unheard: no subscription", subscribe);
        is(&heard(0, 1), State::Warning, "ring unheard: subscriptions that wait", "confirm it");
        is(&heard(2, 1), State::Warning, "confirmed: 2, not confirmed: 1", "confirm it");
        assert_eq!(heard(1, 0).state, State::Green);
    }
}
