//! Services of which one call is needed: signed and sent by the SDK's own machinery, without their
//! crates; see docs/decisions/0005-libraries.md.

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
use aws_smithy_runtime_api::client::orchestrator::{
    HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::SdkConfig;
use aws_types::region::SigningRegion;
use aws_types::{SigningName, region::Region};

use crate::Refusal;

/// What a service's answer is read into.
pub(crate) type Read<T> = Result<T, OrchestratorError<ErrorMetadata>>;

/// A service that is asked by hand.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) config: SdkConfig,
    /// Its signing name, which its host begins with.
    pub(crate) name: &'static str,
}

/// What is sent: `POST /` with these headers.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Signed {
    /// Asks, and again where the connection broke or the service stumbled. `action` is the operation
    /// as IAM writes it, `resource` what it is asked about.
    pub(crate) async fn call<T>(
        &self,
        action: &'static str,
        resource: &str,
        asked: Asked,
        read: fn(&HttpResponse) -> Read<T>,
    ) -> Result<T, Refusal>
    where
        T: std::fmt::Debug + Send + Sync + 'static,
    {
        let (_, operation) = action.split_once(':').unwrap_or(("", action));
        let mut built = Operation::builder()
            .service_name(self.name)
            .operation_name(operation)
            .endpoint_url(&self.endpoint())
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .runtime_plugin(self.signature());
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
        let operation = built.serializer(request).deserializer(read).build();
        operation.invoke(asked).await.map_err(Refusal::of(action, resource))
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

    fn signature(&self) -> StaticRuntimePlugin {
        let mut layer = Layer::new("signed");
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        // Credentials, and what a program printed: no answer's text is written to a log.
        layer.store_put(SensitiveOutput);
        layer.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(self.region())),
            name: Some(SigningName::from(self.name)),
            ..SigV4OperationSigningConfig::default()
        });
        let cache = self.config.identity_cache().unwrap_or_else(IdentityCache::no_cache);
        let mut components = RuntimeComponentsBuilder::new("signed")
            .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
            .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
                StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
            )))
            .with_identity_cache(Some(cache));
        if let Some(credentials) = self.config.credentials_provider() {
            components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
        }
        StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
    }
}

/// An error as the service named it.
pub(crate) fn refused(code: &str, message: &str) -> OrchestratorError<ErrorMetadata> {
    let said = ErrorMetadata::builder().code(code).message(message).build();
    OrchestratorError::operation(said)
}

fn request(asked: Asked) -> Result<HttpRequest, BoxError> {
    let length = asked.body.len().to_string();
    let mut request = HttpRequest::new(SdkBody::from(asked.body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-length", length);
    for (name, value) in asked.headers {
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}
