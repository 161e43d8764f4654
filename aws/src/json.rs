//! Services of which one call is needed: AWS JSON by hand, signed and sent by the SDK's own machinery.
//!
//! The crates of CloudWatch are 90,000 lines and a binary protocol for one question; see
//! docs/decisions/0005-libraries.md.

use std::fmt;

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::SdkConfig;
use aws_types::region::SigningRegion;
use aws_types::{SigningName, region::Region};
use serde_json::Value;

use crate::Refusal;

/// A service that speaks JSON.
#[derive(Debug, Clone)]
pub(crate) struct JsonService {
    pub(crate) config: SdkConfig,
    /// Its signing name, which its host begins with.
    pub(crate) name: &'static str,
    /// What `X-Amz-Target` begins with; empty where paths and methods say what is asked.
    pub(crate) target: &'static str,
    /// Of AWS JSON: `1.0` or `1.1`.
    pub(crate) version: &'static str,
}

/// One request: its method, its path with the query, and its body.
struct Outgoing {
    method: &'static str,
    path: String,
    content_type: String,
    target: Option<String>,
    body: String,
}

impl JsonService {
    /// Asks by the operation's name. `action` is the operation as IAM writes it, `resource` what it is
    /// asked about.
    pub(crate) async fn call(
        &self,
        action: &'static str,
        resource: &str,
        input: &Value,
    ) -> Result<Value, Refusal> {
        let (_, operation) = action.split_once(':').unwrap_or(("", action));
        let outgoing = Outgoing {
            method: "POST",
            path: "/".to_owned(),
            content_type: format!("application/x-amz-json-{}", self.version),
            target: Some(format!("{}.{operation}", self.target)),
            body: input.to_string(),
        };
        self.send(action, resource, outgoing).await
    }

    /// Asks by method and path.
    pub(crate) async fn rest(
        &self,
        action: &'static str,
        resource: &str,
        (method, path): (&'static str, String),
        input: Option<&Value>,
    ) -> Result<Value, Refusal> {
        let outgoing = Outgoing {
            method,
            path,
            content_type: "application/json".to_owned(),
            target: None,
            body: input.map(Value::to_string).unwrap_or_default(),
        };
        self.send(action, resource, outgoing).await
    }

    /// Asks, and again where the connection broke or the service stumbled.
    async fn send(
        &self,
        action: &'static str,
        resource: &str,
        outgoing: Outgoing,
    ) -> Result<Value, Refusal> {
        let (_, operation) = action.split_once(':').unwrap_or(("", action));
        let mut built = Operation::builder()
            .service_name(self.name)
            .operation_name(operation)
            .endpoint_url(&self.endpoint())
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .runtime_plugin(self.signed());
        if let Some(http) = self.config.http_client() {
            built = built.http_client(http);
        }
        if let Some(sleep) = self.config.sleep_impl() {
            built = built.sleep_impl(sleep);
        }
        if let Some(time) = self.config.time_source() {
            built = built.time_source(time);
        }
        if let Some(retries) = self.config.retry_config() {
            built = built.standard_retry(retries);
        }
        if let Some(timeouts) = self.config.timeout_config() {
            built = built.timeout_config(timeouts.clone());
        }
        let operation = built.serializer(request).deserializer(answer).build();
        operation.invoke(outgoing).await.map_err(Refusal::of(action, resource))
    }

    fn region(&self) -> Region {
        self.config.region().cloned().unwrap_or(Region::from_static(""))
    }

    fn endpoint(&self) -> String {
        let region = self.region();
        let suffix = if region.as_ref().starts_with("cn-") { ".cn" } else { "" };
        let own = || format!("https://{}.{region}.amazonaws.com{suffix}", self.name);
        self.config.endpoint_url().map_or_else(own, str::to_owned)
    }

    fn signed(&self) -> StaticRuntimePlugin {
        let mut layer = Layer::new("signed");
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(self.region())),
            name: Some(SigningName::from(self.name)),
            ..SigV4OperationSigningConfig::default()
        });
        let mut components = RuntimeComponentsBuilder::new("signed")
            .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
            .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
                StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
            )))
            .with_identity_cache(Some(IdentityCache::no_cache()));
        if let Some(credentials) = self.config.credentials_provider() {
            components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
        }
        StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
    }
}

impl fmt::Debug for Outgoing {
    /// Without the body: the environment of containers may stand in it, and the SDK may trace this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("method", &self.method).field("path", &self.path).finish()
    }
}

fn request(outgoing: Outgoing) -> Result<HttpRequest, BoxError> {
    let Outgoing { method, path, content_type, target, body } = outgoing;
    let length = body.len().to_string();
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method(method)?;
    request.set_uri(path)?;
    request.headers_mut().insert("content-type", content_type);
    request.headers_mut().insert("content-length", length);
    if let Some(target) = target {
        request.headers_mut().insert("x-amz-target", target);
    }
    Ok(request)
}

fn answer(response: &HttpResponse) -> Result<Value, OrchestratorError<ErrorMetadata>> {
    let bytes = response.body().bytes().filter(|bytes| !bytes.is_empty()).unwrap_or(b"{}");
    let body: Result<Value, _> = serde_json::from_slice(bytes);
    if response.status().is_success() {
        return body.map_err(OrchestratorError::other);
    }
    let body = body.unwrap_or_default();
    let text = |names: [&str; 2]| names.iter().find_map(|name| body[*name].as_str());
    // REST says it in a header, with the address of its namespace behind it.
    let header = response.headers().get("x-amzn-errortype");
    let code = header.or(text(["__type", "code"])).unwrap_or_default();
    let code = code.split(':').next().unwrap_or(code);
    let refused = ErrorMetadata::builder()
        .code(code.rsplit('#').next().unwrap_or(code))
        .message(text(["message", "Message"]).unwrap_or_default())
        .build();
    Err(OrchestratorError::operation(refused))
}
