//! SNS, Secrets Manager, SQS and two webhooks, all of them switchable; what they were told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_aws::http::Outbound;
use tidegate_aws::sdk::Access;
use tidegate_aws::{App, Clock, Dice};
use tidegate_core::messages;
use tidegate_core::model::{Entry, Notice, NoticeKind, ReleaseId, Severity, Subject};
use tidegate_notify::{Notifier, Settings};

pub(crate) const SLACK: &str = "https://hooks.slack.example/services/T/B/one";
pub(crate) const SLACK_MOVED: &str = "https://hooks.slack.example/services/T/B/two";
pub(crate) const TEAMS: &str = "https://teams.example/workflows/one";

/// How a service answers from now on: status, body, `Retry-After`.
type Mood = (u16, &'static str, Option<&'static str>);

/// Everything outside.
#[derive(Clone)]
pub(crate) struct World {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

#[derive(Default)]
pub(crate) struct State {
    /// Answers that differ from "fine", by service or address; each lasts until it is changed.
    pub(crate) moods: BTreeMap<&'static str, Mood>,
    /// One answer, before the mood.
    pub(crate) once: BTreeMap<&'static str, Mood>,
    /// Where Slack's secret points.
    pub(crate) slack_secret: Option<&'static str>,
    /// What was taken: where, and the body.
    pub(crate) taken: Vec<(String, String)>,
    /// How often each was asked, whatever it answered.
    pub(crate) asked: BTreeMap<String, usize>,
}

impl World {
    pub(crate) fn new() -> Self {
        let origin = "2026-11-21T03:00:00Z".parse().unwrap();
        Self { clock: Clock::virtual_from(origin), state: Arc::default() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A fresh process of notify.
    pub(crate) fn process(&self) -> Notifier {
        let connector = SharedHttpConnector::new(self.clone());
        let credentials = Credentials::new("id", "key", None, None, "test");
        let access = Access {
            region: "us-west-2".to_owned(),
            endpoint: String::new(),
            credentials: SharedCredentialsProvider::new(credentials),
        };
        let outbound = Outbound::over(self.clock.clone(), connector.clone());
        let http = http_client_fn(move |_, _| connector.clone());
        let sdk = access.sdk_config(&self.clock, http);
        let region = "us-west-2".to_owned();
        let app = App::new(sdk, "t".to_owned(), region, self.clock.clone(), Dice::seeded(1));
        let secret = |name: &str| {
            Some(format!("arn:aws:secretsmanager:us-west-2:123456789012:secret:{name}-a1b2c3"))
        };
        let settings = Settings {
            topic: "arn:aws:sns:us-west-2:123456789012:tidegate".to_owned(),
            slack: secret("slack"),
            teams: secret("teams"),
            dead_letters: Some(
                "https://sqs.us-west-2.amazonaws.com/123456789012/dead-letters".to_owned(),
            ),
        };
        Notifier::over(&app, settings, &outbound)
    }

    /// One invocation of 60 s; answers with the sequence numbers that must come again.
    pub(crate) async fn deliver(&self, process: &Notifier, records: &[Value]) -> Vec<String> {
        let deadline = self.now() + std::time::Duration::from_secs(60);
        let answer = process.handle(json!({ "Records": records }), deadline).await.unwrap();
        let failures = answer["batchItemFailures"].as_array().unwrap();
        failures.iter().map(|f| f["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }

    /// The bodies that `place` took.
    pub(crate) fn taken(&self, place: &str) -> Vec<String> {
        let state = self.state();
        state.taken.iter().filter(|(at, _)| at == place).map(|(_, body)| body.clone()).collect()
    }

    pub(crate) fn asked(&self, place: &str) -> usize {
        self.state().asked.get(place).copied().unwrap_or_default()
    }
}

impl HttpConnector for World {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let url = request.uri().to_owned();
        let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
        let place = ["sns.", "secretsmanager.", "sqs."]
            .into_iter()
            .find(|service| url.contains(&format!("//{service}")))
            .map_or(url.clone(), |service| service.trim_end_matches('.').to_owned());
        let mut state = self.state();
        *state.asked.entry(place.clone()).or_default() += 1;
        let mood = state.once.remove(&*place).or_else(|| state.moods.get(&*place).copied());
        let (status, text, retry_after) = if let Some((status, text, after)) = mood {
            (status, text.to_owned(), after)
        } else {
            let answer = state.answer(&place, &body);
            state.taken.push((place, body));
            (200, answer, None)
        };
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(text));
        if let Some(after) = retry_after {
            response.headers_mut().insert("retry-after", after);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl State {
    fn answer(&self, place: &str, body: &str) -> String {
        match place {
            "sns" => "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult>\
                      </PublishResponse>"
                .to_owned(),
            "secretsmanager" if body.contains("slack") => {
                json!({ "SecretString": self.slack_secret.unwrap_or(SLACK) }).to_string()
            }
            "secretsmanager" => json!({ "SecretString": TEAMS }).to_string(),
            "sqs" => json!({ "MessageId": "m", "MD5OfMessageBody": "0" }).to_string(),
            _ => "ok".to_owned(),
        }
    }
}

/// A journal entry with a notice, written at `at`.
pub(crate) fn entry(step: u64, at: Timestamp) -> Entry {
    Entry {
        release: ReleaseId::new("someli-production", 42),
        subject: Subject::Release,
        step,
        at,
        actor: "tidegate".to_owned(),
        from: "rolling".to_owned(),
        to: "rolling_back".to_owned(),
        reason: "Rag: container `crons` exited with code 1 after 2 s".to_owned(),
        evidence: vec!["task 0f9d: container crons exited 1".to_owned()],
        notice: Some(Notice {
            kind: NoticeKind::RollbackStarted,
            severity: Severity::Warning,
            title: format!("step {step}: <crons> & friends go back"),
            text: vec!["Why: it crashed.".to_owned()],
            commands: vec!["tidegate show someli-production/42".to_owned()],
            targets: Vec::new(),
        }),
    }
}

/// Its record in the stream; the sequence number is `10` and the step.
pub(crate) fn record(entry: &Entry) -> Value {
    let mut image =
        serde_json::to_value(serde_dynamo::to_item::<_, serde_dynamo::Item>(entry).unwrap())
            .unwrap();
    let pk = json!({ "S": "pipeline#someli-production" });
    let sk = json!({ "S": format!("journal#00000042#r#{:04}", entry.step) });
    image["pk"] = pk.clone();
    image["sk"] = sk.clone();
    image["schema"] = json!({ "N": "1" });
    image["todo"] = json!({ "S": "notify" });
    json!({
        "eventID": messages::id(entry),
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-west-2",
        "eventSourceARN": "arn:aws:dynamodb:us-west-2:123456789012:table/t/stream/2026-11-21T00:00:00.000",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_230_000.0,
            "Keys": { "pk": pk, "sk": sk },
            "NewImage": image,
            "SequenceNumber": format!("10{}", entry.step),
            "SizeBytes": 54,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    })
}
