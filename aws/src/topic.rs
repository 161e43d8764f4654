//! SNS: where notifications go first.

use std::collections::HashMap;

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use aws_types::SdkConfig;

use crate::Refusal;

const PUBLISH: &str = "sns:Publish";
/// SNS takes subjects of fewer than 100 characters.
const MOST_SUBJECT: usize = 99;

/// One SNS topic.
#[derive(Debug, Clone)]
pub struct Topic {
    client: Client,
    arn: String,
}

impl Topic {
    /// The topic `arn`.
    pub fn new(config: &SdkConfig, arn: impl Into<String>) -> Self {
        Self { client: Client::new(config), arn: arn.into() }
    }

    /// Its subscriptions: those that were confirmed, and those that wait for it.
    pub async fn subscriptions(&self) -> Result<(usize, usize), Refusal> {
        let list = self.client.list_subscriptions_by_topic().topic_arn(&self.arn);
        let mut pages = list.into_paginator().items().send();
        let (mut confirmed, mut pending) = (0, 0);
        while let Some(subscription) = pages.next().await {
            let subscription =
                subscription.map_err(Refusal::of("sns:ListSubscriptionsByTopic", &self.arn))?;
            // SNS writes `PendingConfirmation` in the place of the ARN.
            let is_confirmed = subscription.subscription_arn().is_some_and(|it| it.contains(':'));
            *(if is_confirmed { &mut confirmed } else { &mut pending }) += 1;
        }
        Ok((confirmed, pending))
    }

    /// Publishes `email` to mail subscribers and `json` to all others, with attributes to filter by.
    pub async fn publish(
        &self,
        subject: &str,
        email: &str,
        json: &str,
        attributes: &[(&str, &str)],
    ) -> Result<(), Refusal> {
        let attributes: HashMap<_, _> = attributes
            .iter()
            // An empty value is refused, and says nothing.
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| Ok(((*name).to_owned(), text(value)?)))
            .collect::<Result<_, _>>()
            .map_err(|_: aws_sdk_sns::error::BuildError| {
                Refusal::broken(PUBLISH, &self.arn, "attribute type")
            })?;
        self.client
            .publish()
            .topic_arn(&self.arn)
            .subject(subject_line(subject))
            .message_structure("json")
            .message(message(email, json))
            .set_message_attributes(Some(attributes).filter(|all| !all.is_empty()))
            .send()
            .await
            .map_err(Refusal::of(PUBLISH, &self.arn))?;
        Ok(())
    }
}

fn text(value: &str) -> Result<MessageAttributeValue, aws_sdk_sns::error::BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}

fn message(email: &str, json: &str) -> String {
    serde_json::json!({ "default": json, "email": email }).to_string()
}

/// SNS wants one line of printable ASCII.
fn subject_line(subject: &str) -> String {
    subject
        .chars()
        .map(|c| match c {
            ' '..='~' => c,
            '→' => '>',
            '–' | '—' => '-',
            c if c.is_whitespace() => ' ',
            _ => '?',
        })
        .take(MOST_SUBJECT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, config};

    #[tokio::test]
    async fn people_get_text_and_programs_get_json() {
        let fake = Fake::new();
        fake.answer(
            200,
            "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
             <MessageId>1</MessageId></PublishResult></PublishResponse>",
        );
        let topic = Topic::new(&config(&fake), "arn:topic");
        let attributes = [("severity", "critical"), ("service", "")];
        topic.publish("p/42: rolled back\n", "Text", "{\"v\":1}", &attributes).await.unwrap();
        let body = &fake.requests()[0].body;
        for part in [
            "Action=Publish",
            "TopicArn=arn%3Atopic",
            "Subject=p%2F42%3A%20rolled%20back%20&",
            "MessageStructure=json",
            "entry.1.Name=severity",
            "StringValue=critical",
        ] {
            assert!(body.contains(part), "{part} in {body}");
        }
        assert!(!body.contains("entry.2"), "an empty attribute is left out: {body}");
    }

    #[tokio::test]
    async fn a_subscription_that_nobody_confirmed_tells_nobody() {
        let fake = Fake::new();
        let member =
            |arn: &str| format!("<member><SubscriptionArn>{arn}</SubscriptionArn></member>");
        let members =
            member("arn:aws:sns:us-west-2:123456789012:t:1") + &member("PendingConfirmation");
        fake.answer(
            200,
            &format!(
                "<ListSubscriptionsByTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
                 <ListSubscriptionsByTopicResult><Subscriptions>{members}</Subscriptions>\
                 </ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>"
            ),
        );
        let topic = Topic::new(&config(&fake), "arn:topic");
        assert_eq!(topic.subscriptions().await.unwrap(), (1, 1));
    }

    #[test]
    fn mail_gets_text_and_every_other_protocol_json() {
        let message: serde_json::Value =
            serde_json::from_str(&message("Text", "{\"v\":1}")).unwrap();
        assert_eq!(message["email"], "Text");
        assert_eq!(message["default"], "{\"v\":1}", "a string that holds JSON");
    }

    #[test]
    fn a_subject_is_one_short_line_of_ascii() {
        assert_eq!(subject_line("a\nb → c – ü"), "a b > c - ?");
        assert_eq!(subject_line(&"x".repeat(200)).len(), 99);
    }
}
