//! An AWS of given answers, for the tests of the edge: what is asserted is what is sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use serde_json::Value;

use crate::Clock;
use crate::sdk::Access;

/// Answers in the order given; asking once more is a bug in the code under test.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<World>>);

#[derive(Debug, Default)]
struct World {
    answers: VecDeque<(u16, Option<String>)>,
    requests: Vec<Request>,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    /// The operation's name, for services that say it in a header.
    pub(crate) operation: String,
    /// `Content-Length` as sent.
    pub(crate) length: usize,
    /// The host it went to.
    pub(crate) uri: String,
    /// The body.
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The next answer.
    pub(crate) fn answer(&self, status: u16, body: &str) {
        self.0.lock().unwrap().answers.push_back((status, Some(body.to_owned())));
    }

    /// The next answer says that it went well, and breaks off.
    pub(crate) fn break_off(&self) {
        self.0.lock().unwrap().answers.push_back((200, None));
    }

    /// The next answer, an AWS error of the JSON protocols.
    pub(crate) fn refuse(&self, status: u16, code: &str, message: &str) {
        self.answer(status, &serde_json::json!({"__type": code, "message": message}).to_string());
    }

    /// Everything sent so far; no answer may be left over.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let world = self.0.lock().unwrap();
        assert!(world.answers.is_empty(), "never asked for: {:?}", world.answers);
        world.requests.clone()
    }

    /// The names of the operations sent so far.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.operation).collect()
    }
}

impl HttpConnector for Fake {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let header = |name: &str| request.headers().get(name).unwrap_or_default().to_owned();
        let mut world = self.0.lock().unwrap();
        world.requests.push(Request {
            operation: header("x-amz-target").rsplit('.').next().unwrap().to_owned(),
            length: header("content-length").parse().unwrap_or_default(),
            uri: request.uri().to_owned(),
            body: String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap(),
        });
        let (status, body) = world.answers.pop_front().expect("one request too many");
        let status = status.try_into().unwrap();
        // A body that was taken already cannot be read.
        let body = body.map_or_else(SdkBody::taken, SdkBody::from);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body)))
    }
}

/// A config whose every call goes to `fake`.
pub(crate) fn config(fake: &Fake) -> SdkConfig {
    let access = Access {
        region: "us-west-2".to_owned(),
        endpoint: String::new(),
        credentials: SharedCredentialsProvider::new(Credentials::new("id", "key", None, None, "")),
    };
    let connector = SharedHttpConnector::new(fake.clone());
    access.sdk_config(&Clock::system(), http_client_fn(move |_, _| connector.clone()))
}
