//! SNS: what was published, and subscribers that listen over HTTP.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::{ApiError, Input, Place, iso};

/// Most bytes of a message and its attributes, in all.
const LARGEST: usize = 262_144;
/// A subject is a line of an e-mail.
const LONGEST_SUBJECT: usize = 100;

/// The topics.
#[derive(Debug)]
pub struct Sns {
    place: Place,
    topics: Vec<String>,
    subscribers: Vec<Subscriber>,
    /// Topics and addresses of mail: nothing is sent there.
    mails: Vec<(String, String)>,
    published: Vec<Published>,
}

#[derive(Debug)]
struct Subscriber {
    topic: String,
    endpoint: String,
}

/// A message that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// When.
    pub at: Timestamp,
    /// The topic's ARN.
    pub topic: String,
    /// Its id.
    pub id: String,
    /// The subject, if any.
    pub subject: Option<String>,
    /// The text for each protocol; `default` is always there.
    pub message: Value,
    /// Attribute names and values.
    pub attributes: Value,
}

/// A message that an HTTP subscriber must be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Where to: a loopback address.
    pub endpoint: String,
    /// The body that SNS posts.
    pub body: Value,
}

impl Sns {
    /// The template's topics.
    pub fn new(place: &Place, topics: Vec<String>) -> Self {
        Self {
            place: place.clone(),
            topics,
            subscribers: Vec::new(),
            mails: Vec::new(),
            published: Vec::new(),
        }
    }

    /// Subscriptions of the template: topic and address of mail, taken for confirmed.
    #[must_use]
    pub fn with(mut self, mails: Vec<(String, String)>) -> Self {
        self.mails = mails;
        self
    }

    /// The ARNs of the topics.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// Everything published, in order.
    pub fn published(&self) -> &[Published] {
        &self.published
    }

    /// Answers a call, and says what must be delivered over HTTP.
    pub fn call(
        &mut self,
        action: &str,
        input: &Value,
        now: Timestamp,
    ) -> (Result<Value, ApiError>, Vec<Delivery>) {
        let input = Input(input);
        match action {
            "Publish" => match self.publish(input, now) {
                Ok(published) => {
                    let deliveries = self.deliveries(&published);
                    let answer = json!({ "MessageId": published.id });
                    self.published.push(published);
                    (Ok(answer), deliveries)
                }
                Err(refused) => (Err(refused), Vec::new()),
            },
            "CreateTopic" => (self.create_topic(input), Vec::new()),
            "Subscribe" => (self.subscribe(input), Vec::new()),
            "ListSubscriptionsByTopic" => (self.subscriptions(input), Vec::new()),
            "ListTopics" => {
                let topics = self.topics.iter().map(|arn| json!({ "TopicArn": arn }));
                (Ok(json!({ "Topics": topics.collect::<Vec<_>>() })), Vec::new())
            }
            _ => (Err(ApiError::unknown_action("SNS", action)), Vec::new()),
        }
    }

    fn subscriptions(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let topic = self.known(input.text("TopicArn").unwrap_or_default())?;
        let hooks = self.subscribers.iter().map(|it| (&it.topic, &it.endpoint, "http"));
        let mails = self.mails.iter().map(|(topic, address)| (topic, address, "email"));
        let own = hooks.chain(mails).filter(|(its, ..)| **its == topic).enumerate();
        let shown = own.map(|(at, (topic, endpoint, protocol))| {
            json!({
                "SubscriptionArn": format!("{topic}:{}", at + 1),
                "TopicArn": topic, "Endpoint": endpoint, "Protocol": protocol,
                "Owner": self.place.account,
            })
        });
        Ok(json!({ "Subscriptions": shown.collect::<Vec<_>>() }))
    }

    fn publish(&self, input: Input<'_>, now: Timestamp) -> Result<Published, ApiError> {
        let topic = self.known(input.text("TopicArn").unwrap_or_default())?;
        let text = input.text("Message").filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| invalid("Empty message"))?;
        let subject = input.text("Subject");
        let is_subject = |text: &str| {
            text.len() < LONGEST_SUBJECT && text.chars().all(|it| (' '..='~').contains(&it))
        };
        if subject.is_some_and(|subject| subject.is_empty() || !is_subject(subject)) {
            return Err(invalid("Subject"));
        }
        let mut attributes = json!({});
        for attribute in input.list("MessageAttributes") {
            let name = attribute["Name"].as_str().unwrap_or_default();
            attributes[name] = attribute["Value"]["StringValue"].clone();
        }
        if text.len() + attributes.to_string().len() > LARGEST {
            return Err(invalid("Message too long"));
        }
        let message = match input.text("MessageStructure") {
            None => json!({ "default": text }),
            Some("json") => serde_json::from_str::<Value>(text)
                .ok()
                .filter(|message| message["default"].is_string())
                .ok_or_else(|| {
                    invalid("Message Structure - No default entry in JSON message body")
                })?,
            Some(_) => return Err(invalid("MessageStructure")),
        };
        Ok(Published {
            at: now,
            topic,
            id: format!("00000000-0000-4000-8000-{:012}", self.published.len() + 1),
            subject: subject.map(str::to_owned),
            message,
            attributes,
        })
    }

    fn deliveries(&self, published: &Published) -> Vec<Delivery> {
        let subscribers = self.subscribers.iter().filter(|it| it.topic == published.topic);
        let text = |protocol| published.message[protocol].as_str();
        subscribers
            .map(|subscriber| Delivery {
                endpoint: subscriber.endpoint.clone(),
                body: json!({
                    "Type": "Notification",
                    "MessageId": published.id,
                    "TopicArn": published.topic,
                    "Subject": published.subject,
                    "Message": text("http").or(text("default")),
                    "Timestamp": iso(published.at),
                    "MessageAttributes": published.attributes,
                }),
            })
            .collect()
    }

    fn create_topic(&mut self, input: Input<'_>) -> Result<Value, ApiError> {
        let name = input.text("Name").ok_or_else(|| invalid("Topic Name"))?;
        let arn = self.place.arn("sns", name);
        if !self.topics.contains(&arn) {
            self.topics.push(arn.clone());
        }
        Ok(json!({ "TopicArn": arn }))
    }

    /// Only HTTP to this machine: nothing of the local AWS leaves it.
    fn subscribe(&mut self, input: Input<'_>) -> Result<Value, ApiError> {
        let topic = self.known(input.text("TopicArn").unwrap_or_default())?;
        let endpoint = input.text("Endpoint").unwrap_or_default();
        let is_local = ["http://127.0.0.1:", "http://localhost:"]
            .iter()
            .any(|prefix| endpoint.starts_with(prefix));
        if input.text("Protocol") != Some("http") || !is_local {
            return Err(invalid(
                "the local AWS delivers to Protocol http and Endpoint http://127.0.0.1:… only",
            ));
        }
        let arn = format!("{topic}:{}", self.subscribers.len() + 1);
        self.subscribers.push(Subscriber { topic, endpoint: endpoint.to_owned() });
        Ok(json!({ "SubscriptionArn": arn }))
    }

    fn known(&self, arn: &str) -> Result<String, ApiError> {
        self.topics.iter().find(|topic| *topic == arn).cloned().ok_or_else(|| ApiError {
            status: 404,
            code: "NotFound".to_owned(),
            message: "Topic does not exist".to_owned(),
        })
    }
}

fn invalid(what: &str) -> ApiError {
    ApiError::refused("InvalidParameter", format!("Invalid parameter: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:t";

    fn call(
        sns: &mut Sns,
        action: &str,
        input: &Value,
    ) -> (Result<Value, ApiError>, Vec<Delivery>) {
        sns.call(action, input, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_publish_is_kept_and_delivered_to_local_subscribers() {
        let mut sns = Sns::new(&Place::new("123456789012", "us-west-2"), vec![TOPIC.to_owned()]);
        let subscribe = json!({"TopicArn": TOPIC, "Protocol": "http",
                               "Endpoint": "http://127.0.0.1:9/hook"});
        assert!(call(&mut sns, "Subscribe", &subscribe).0.is_ok());
        let elsewhere = json!({"TopicArn": TOPIC, "Protocol": "http", "Endpoint": "http://x.com"});
        assert!(call(&mut sns, "Subscribe", &elsewhere).0.is_err());
        let publish = json!({
            "TopicArn": TOPIC, "MessageStructure": "json", "Subject": "live",
            "Message": r#"{"default": "{}", "email": "it is live"}"#,
            "MessageAttributes": [{"Name": "kind", "Value": {"DataType": "String", "StringValue": "live"}}],
        });
        let (answer, deliveries) = call(&mut sns, "Publish", &publish);
        assert!(answer.unwrap()["MessageId"].is_string());
        assert_eq!(deliveries[0].endpoint, "http://127.0.0.1:9/hook");
        assert_eq!(deliveries[0].body["Message"], "{}");
        let published = &sns.published()[0];
        assert_eq!(published.message["email"], "it is live");
        assert_eq!(published.attributes, json!({"kind": "live"}));
    }

    #[test]
    fn what_sns_refuses_is_refused() {
        let mut sns = Sns::new(&Place::new("123456789012", "us-west-2"), vec![TOPIC.to_owned()]);
        for (input, code) in [
            (json!({"TopicArn": "arn:other", "Message": "a"}), "NotFound"),
            (json!({"TopicArn": TOPIC}), "InvalidParameter"),
            (json!({"TopicArn": TOPIC, "Message": "a", "Subject": "a\nb"}), "InvalidParameter"),
            (json!({"TopicArn": TOPIC, "Message": "a", "Subject": "é"}), "InvalidParameter"),
            (
                json!({"TopicArn": TOPIC, "Message": "{}", "MessageStructure": "json"}),
                "InvalidParameter",
            ),
            (json!({"TopicArn": TOPIC, "Message": "a".repeat(LARGEST + 1)}), "InvalidParameter"),
        ] {
            let refused = call(&mut sns, "Publish", &input).0.unwrap_err();
            assert_eq!(refused.code, code, "{input}");
        }
        assert!(sns.published().is_empty());
    }
}
