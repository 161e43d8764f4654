//! Services of which a few calls are needed: AWS JSON by hand, signed and sent by [`crate::call`].
//!
//! The crates of CloudWatch are 90,000 lines and a binary protocol for one question.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::SdkConfig;
use serde_json::Value;

use crate::Refusal;
use crate::call::call;

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
    /// Asks; `action` is the operation as IAM writes it, `resource` what it is asked about.
    pub(crate) async fn call(
        &self,
        action: &'static str,
        resource: &str,
        input: &Value,
    ) -> Result<Value, Refusal> {
        let (_, operation) = action.split_once(':').unwrap_or(("", action));
        let request = request(&format!("{}.{operation}", self.target), self.version, input);
        let refused = |error| Refusal::of(action, resource)(error);
        call(&self.config, self.name, operation, request, answer).await.map_err(refused)
    }

    /// Asks for a list, page by page; `token` is the member that names the next one.
    pub(crate) async fn pages(
        &self,
        action: &'static str,
        resource: &str,
        token: &str,
        mut input: Value,
        mut read: impl FnMut(&Value),
    ) -> Result<(), Refusal> {
        loop {
            let page = self.call(action, resource, &input).await?;
            read(&page);
            match page[token].as_str() {
                Some(next) => input[token] = next.into(),
                None => return Ok(()),
            }
        }
    }
}

fn request(target: &str, version: &str, input: &Value) -> Result<HttpRequest, BoxError> {
    let body = input.to_string();
    let length = body.len().to_string();
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", format!("application/x-amz-json-{version}"));
    request.headers_mut().insert("content-length", length);
    request.headers_mut().insert("x-amz-target", target.to_owned());
    Ok(request)
}

/// An answer in JSON, or the refusal that it is: its code is in the body, or in a header (REST).
pub(crate) fn answer(response: &HttpResponse) -> Result<Value, OrchestratorError<ErrorMetadata>> {
    let body: Result<Value, _> =
        serde_json::from_slice(response.body().bytes().unwrap_or_default());
    if response.status().is_success() {
        return body.map_err(OrchestratorError::other);
    }
    let body = body.unwrap_or_default();
    let text = |names: [&str; 2]| names.iter().find_map(|name| body[*name].as_str());
    // `ResourceNotFoundException:http://internal.amazon.com/coral/…`
    let header = response.headers().get("x-amzn-errortype").and_then(|it| it.split(':').next());
    // What no service of AWS wrote: a proxy's page, a load balancer's.
    let status = format!("HTTP {}", response.status().as_u16());
    let code = text(["__type", "code"]).or(header).unwrap_or(&status);
    let code = code.split(":http").next().unwrap_or(code);
    let refused = ErrorMetadata::builder()
        .code(code.rsplit('#').next().unwrap_or(code))
        .message(text(["message", "Message"]).unwrap_or("no message"))
        .build();
    Err(OrchestratorError::operation(refused))
}
