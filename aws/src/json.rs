//! Services that speak AWS JSON and of which one call is needed.
//!
//! The crates of CloudWatch are 90,000 lines and a binary protocol for one question.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_types::SdkConfig;
use serde_json::Value;

use crate::Refusal;
use crate::signed::{Asked, Read, Signed, refused};

/// A service that speaks AWS JSON.
#[derive(Debug, Clone)]
pub(crate) struct JsonService {
    pub(crate) config: SdkConfig,
    /// Its signing name, which its host begins with.
    pub(crate) name: &'static str,
    /// What `X-Amz-Target` begins with.
    pub(crate) target: &'static str,
    /// Of AWS JSON: `1.0` or `1.1`.
    pub(crate) version: &'static str,
}

impl JsonService {
    /// Asks as [`Signed::call`] does.
    pub(crate) async fn call(
        &self,
        action: &'static str,
        resource: &str,
        input: &Value,
    ) -> Result<Value, Refusal> {
        let (_, operation) = action.split_once(':').unwrap_or(("", action));
        let headers = vec![
            ("content-type", format!("application/x-amz-json-{}", self.version)),
            ("x-amz-target", format!("{}.{operation}", self.target)),
        ];
        let asked = Asked { headers, body: input.to_string() };
        let service = Signed { config: self.config.clone(), name: self.name };
        service.call(action, resource, asked, answer).await
    }
}

fn answer(response: &HttpResponse) -> Read<Value> {
    let body: Result<Value, _> =
        serde_json::from_slice(response.body().bytes().unwrap_or_default());
    if response.status().is_success() {
        return body.map_err(OrchestratorError::other);
    }
    let body = body.unwrap_or_default();
    let text = |names: [&str; 2]| names.iter().find_map(|name| body[*name].as_str());
    let code = text(["__type", "code"]).unwrap_or_default();
    let message = text(["message", "Message"]).unwrap_or_default();
    Err(refused(code.rsplit('#').next().unwrap_or(code), message))
}
