//! Webhooks, through which people are told beside the topic.

use serde_json::json;

use super::{Line, Shown, Topic};
use crate::messages;

/// A webhook that the stack was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Whose it is, which decides the form of a message.
    pub channel: Channel,
    /// The ARN of the secret that holds its address.
    pub secret: String,
}

/// Who takes messages by a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Slack.
    Slack,
    /// Microsoft Teams.
    Teams,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Slack, Self::Teams];

    /// The parameter by which the stack is given such a webhook.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Slack => "SlackSecretArn",
            Self::Teams => "TeamsSecretArn",
        }
    }
}

/// A line for each. Only a message would show whether it is taken, and people would read that.
pub(super) fn lines(webhooks: &Shown<Vec<Webhook>>) -> Vec<Line> {
    match webhooks {
        Shown::There(given) => given.iter().map(line).collect(),
        Shown::Missing => Vec::new(),
        Shown::Hidden(hidden) => vec![Topic::EventPaths.unknown("webhooks", hidden)],
    }
}

fn line(Webhook { channel, secret }: &Webhook) -> Line {
    let (body, taken) = match channel {
        Channel::Slack => (json!({ "text": "a try" }), "Slack answers `ok`"),
        Channel::Teams => (messages::teams_words("a try"), "its workflow lists it among its runs"),
    };
    // arn:aws:secretsmanager:REGION:ACCOUNT:…
    let region = secret.split(':').nth(3).map_or(String::new(), |it| format!(" --region {it}"));
    Topic::EventPaths.warning(
        channel.parameter(),
        "a webhook is configured; whether it takes messages was not asked",
        // The address is a password: curl reads it, and no list of processes shows it.
        format!(
            "Send it one: `aws secretsmanager get-secret-value --secret-id {secret}{region} --query \
             SecretString --output text | sed 's/..*/url = \"&\"/' | curl -K - -H \
             content-type:application/json -d '{body}'`, which needs secretsmanager:GetSecretValue on \
             that secret (no policy of the stack gives it to people); {taken}"
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::{Hidden, State, To};
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret";

    /// What the remedy posts.
    fn body(line: &Line) -> Value {
        let remedy = line.remedy.as_ref().unwrap();
        serde_json::from_str(remedy.split('\'').nth(3).unwrap()).unwrap()
    }

    #[test]
    fn each_is_a_warning_and_is_tried_in_its_own_form() {
        let given = Channel::ALL
            .map(|channel| Webhook { channel, secret: format!("{ARN}:{}", channel.parameter()) });
        let told = lines(&Shown::There(given.to_vec()));
        let [slack, teams] = &told[..] else { panic!("{told:#?}") };
        for line in [slack, teams] {
            let remedy = line.remedy.as_ref().unwrap();
            assert_eq!(line.state, State::Warning, "{line:?}");
            let asks = format!("--secret-id {ARN}:{} --region eu-west-1 ", line.subject);
            assert!(remedy.contains(&asks), "{line:?}");
            assert!(remedy.contains("needs secretsmanager:GetSecretValue on"), "{line:?}");
            // Its arguments show in every list of processes.
            let (_, curl) = remedy.split_once(" | curl -K - ").unwrap();
            assert!(!curl.contains("$("), "{line:?}");
        }
        assert_eq!(body(slack), json!({ "text": "a try" }));
        let body = body(teams);
        let card = &body["attachments"][0];
        assert_eq!(body["type"], "message");
        assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
        assert_eq!(card["content"]["type"], "AdaptiveCard");
        assert_eq!(card["content"]["body"][0]["inlines"][0]["text"], "a try");
    }

    #[test]
    fn what_the_stack_was_given_is_unknown_where_aws_does_not_say() {
        let hidden = Hidden {
            action: "cloudformation:DescribeStacks".to_owned(),
            resource: "tidegate".to_owned(),
            words: "AccessDenied: not authorized".to_owned(),
            to: To::You,
        };
        assert_eq!(lines(&Shown::Hidden(hidden))[0].state, State::Unknown);
        assert_eq!(lines(&Shown::There(Vec::new())), []);
    }
}
