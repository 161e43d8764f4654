//! One call to a service that has no crate here, signed and sent by the SDK's own machinery.

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
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
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::SdkConfig;
use aws_types::region::SigningRegion;
use aws_types::{SigningName, region::Region};

use crate::attempts::Attempts;
use crate::endpoint::Endpoint;

/// What an answer is read to, or why it is a refusal.
type Read<T> = Result<T, OrchestratorError<ErrorMetadata>>;

/// Sends `request` to the service of this signing name, and again where the connection broke, the
/// service stumbled or it was asked too much; `read` turns the answer into what the caller wants.
pub(crate) async fn call<T>(
    config: &SdkConfig,
    name: &'static str,
    operation: &str,
    request: Result<HttpRequest, BoxError>,
    read: impl Fn(&HttpResponse) -> Read<T> + Send + Sync + 'static,
) -> Result<T, SdkError<ErrorMetadata, HttpResponse>>
where
    T: std::fmt::Debug + Send + Sync + 'static,
{
    let endpoint = Endpoint::of(config, name);
    let mut built = Operation::builder()
        .service_name(name)
        .operation_name(operation.to_owned())
        .endpoint_url(&endpoint.url)
        .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
        .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .runtime_plugin(signed(config, name, endpoint.region))
        .interceptor(Attempts);
    if let Some(http) = config.http_client() {
        built = built.http_client(http);
    }
    if let Some(sleep) = config.sleep_impl() {
        built = built.sleep_impl(sleep);
    }
    if let Some(time) = config.time_source() {
        built = built.time_source(time);
    }
    if let Some(retries) = config.retry_config() {
        built = built.standard_retry(retries);
    }
    if let Some(timeouts) = config.timeout_config() {
        built = built.timeout_config(timeouts.clone());
    }
    let operation = built.serializer(|request| request).deserializer(read).build();
    operation.invoke(request).await
}

fn signed(config: &SdkConfig, name: &'static str, region: Region) -> StaticRuntimePlugin {
    let mut layer = Layer::new("signed");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    // Credentials, environments, what a program printed: no answer's text is written to a log.
    layer.store_put(SensitiveOutput);
    layer.store_put(SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(region)),
        name: Some(SigningName::from(name)),
        ..SigV4OperationSigningConfig::default()
    });
    let cache = config.identity_cache().unwrap_or_else(IdentityCache::no_cache);
    let mut components = RuntimeComponentsBuilder::new("signed")
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
            StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
        )))
        .with_identity_cache(Some(cache));
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}
