//! The functions with an AWS beside them that knows nothing: whatever wakes them must end in an
//! answer or in an error that names it.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;
use serde_json::Value;
use tidegate_aws::http::Outbound;
use tidegate_aws::sdk::Access;
use tidegate_aws::{App, Clock, Dice, Error};
use tidegate_notify::{Notifier, Settings};

/// The shortest of the functions' timeouts in template.yaml.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Answers every call with nothing found.
#[derive(Debug)]
struct Empty;

impl HttpConnector for Empty {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let status = 200.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from("{}"))))
    }
}

/// One process of each function, and the runtime that they run on.
pub struct World {
    pub app: App,
    pub notifier: Notifier,
    runtime: tokio::runtime::Runtime,
}

impl World {
    pub fn new() -> Self {
        let connector = SharedHttpConnector::new(Empty);
        let begins = "2026-11-21T09:00:00Z".parse::<Timestamp>().expect("a time");
        let clock = Clock::virtual_from(begins);
        let credentials = Credentials::new("id", "key", None, None, "fuzz");
        let access = Access {
            region: "us-west-2".to_owned(),
            endpoint: String::new(),
            credentials: SharedCredentialsProvider::new(credentials),
        };
        let outbound = Outbound::over(clock.clone(), connector.clone());
        let sdk = access.sdk_config(&clock, http_client_fn(move |_, _| connector.clone()));
        let dice = Dice::seeded(1);
        let app = App::new(sdk, "table".to_owned(), "us-west-2".to_owned(), clock, dice);
        let settings = Settings {
            topic: "arn:aws:sns:us-west-2:123456789012:tidegate".to_owned(),
            slack: None,
            teams: None,
            dead_letters: Some("https://sqs.us-west-2.amazonaws.com/123456789012/dead".to_owned()),
        };
        let notifier = Notifier::over(&app, settings, &outbound);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        Self { app, notifier, runtime }
    }

    /// Lets one invocation end: well, or with an error that says what it did not understand.
    pub fn ends(&self, invocation: impl AsyncFnOnce(Timestamp) -> Result<Value, Error>) {
        let ended = self.runtime.block_on(async {
            let deadline = self.app.clock.now() + TIMEOUT;
            tokio::select! {
                ended = invocation(deadline) => Some(ended),
                () = self.app.clock.sleep(TIMEOUT) => None,
            }
        });
        if let Err(error) = ended.expect("an invocation that ends in time") {
            assert!(!error.told().is_empty());
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// The event that these bytes are, if Lambda would hand them over.
pub fn event(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}
