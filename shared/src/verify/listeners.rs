//! Who listens: to what people are told, and to the alarms of the installation itself.

use super::{Line, Shown, Topic, Webhook};

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
    /// Of notifications, which go to webhooks too where the stack has some: these have lines of their own.
    pub(super) fn of_notifications(&self, name: &str, webhooks: &Shown<Vec<Webhook>>) -> Line {
        if self.confirmed > 0 {
            return self.confirmed(name);
        }
        let topic = Topic::EventPaths;
        let is_given = match webhooks {
            Shown::There(given) => !given.is_empty(),
            Shown::Missing => false,
            // Whether there is one is a line of its own, unknown.
            Shown::Hidden(_) => return topic.warning(name, self.absence(), self.mended()),
        };
        match (is_given, self.pending) {
            (true, 0) => topic.green(name, "no subscription: people are told by webhook alone"),
            (true, _) => topic.warning(name, self.absence(), self.mended()),
            (false, 0) => topic.failed(
                name,
                "nobody is told: no subscription, and no webhook",
                format!("{}, or give the stack `SlackSecretArn`", self.mended()),
            ),
            (false, _) => {
                topic.failed(name, format!("nobody is told: {}", self.absence()), self.mended())
            }
        }
    }

    /// Of alarms. They tell of what Tidegate itself fails at, and releases go on without them.
    pub(super) fn of_alarms(&self, name: &str) -> Line {
        if self.confirmed > 0 {
            return self.confirmed(name);
        }
        let said = format!("its alarms ring unheard: {}", self.absence());
        Topic::EventPaths.warning(name, said, self.mended())
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

    /// What makes somebody of nobody.
    fn mended(&self) -> String {
        let subscribe = format!("`aws sns subscribe --topic-arn {} --protocol email …`", self.arn);
        match self.pending {
            0 => subscribe,
            _ => format!("Open the mail that SNS sent and confirm it, or {subscribe}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Channel, Hidden, State, To};
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
            let none = Shown::There(Vec::new());
            listeners(confirmed, pending).of_notifications("NotificationTopic", &none)
        };
        let subscribe = "aws sns subscribe --topic-arn arn:t";
        is(&told(0, 0), State::Failed, "no subscription, and no webhook", subscribe);
        is(&told(0, 1), State::Failed, "wait to be confirmed: 1", "confirm it");
        assert_eq!(told(1, 0).state, State::Green);
        is(&told(1, 1), State::Warning, "confirmed: 1, not confirmed: 1", "confirm it");
    }

    #[test]
    fn beside_a_webhook_the_topic_says_its_subscriptions() {
        let slack = Webhook { channel: Channel::Slack, secret: "arn:secret".to_owned() };
        let given = Shown::There(vec![slack]);
        let told = |confirmed, pending, webhooks| {
            listeners(confirmed, pending).of_notifications("NotificationTopic", webhooks)
        };
        assert_eq!(told(1, 0, &given).said, "subscriptions confirmed: 1");
        let alone = told(0, 0, &given);
        assert_eq!((alone.state, &alone.said[..15]), (State::Green, "no subscription"));
        is(&told(0, 1, &given), State::Warning, "wait to be confirmed: 1", "confirm it");
        let hidden = Shown::Hidden(Hidden {
            action: "cloudformation:DescribeStacks".to_owned(),
            resource: "tidegate".to_owned(),
            words: "AccessDenied".to_owned(),
            to: To::You,
        });
        is(&told(0, 0, &hidden), State::Warning, "no subscription", "aws sns subscribe");
        assert_eq!(told(1, 0, &hidden).state, State::Green);
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
