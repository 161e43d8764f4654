//! The one way to speak HTTP: rustls with ring over hyper, to AWS and to people's endpoints.

mod outbound;
mod reach;
#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_types::base64;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use crate::Clock;

pub use outbound::{HttpAnswer, HttpFault, Outbound};
pub use reach::Reach;

/// A healthy endpoint accepts within milliseconds; the SDK's own default is 3.1 s.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// `1` trusts the system's roots instead of ours: a proxy that inspects TLS, or a newer root.
const NATIVE_ROOTS: &str = "TIDEGATE_NATIVE_ROOTS";

/// See `roots/README.md`.
const AWS_ROOTS: [&str; 5] = [
    include_str!("../roots/amazon-root-ca-1.pem"),
    include_str!("../roots/amazon-root-ca-2.pem"),
    include_str!("../roots/amazon-root-ca-3.pem"),
    include_str!("../roots/amazon-root-ca-4.pem"),
    include_str!("../roots/starfield-services-g2.pem"),
];

/// The HTTP client for calls to AWS; it speaks plain `http://` to the local AWS.
///
/// Every SDK client shares its one connector: roots are parsed once, connections are reused.
pub fn aws_http_client(clock: &Clock) -> SharedHttpClient {
    let connector = connector(clock, Reach::Anywhere, trust(aws_roots));
    http_client_fn(move |_, _| connector.clone())
}

fn connector(clock: &Clock, reach: Reach, trust: TrustStore) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let tls = TlsContext::builder().with_trust_store(trust).build().unwrap_or_default();
    let connector = Connector::builder()
        .sleep_impl(clock.clone())
        .connector_settings(settings)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build_with_resolver(reach::Resolver(reach));
    SharedHttpConnector::new(connector)
}

fn trust(roots: fn(TrustStore) -> TrustStore) -> TrustStore {
    if std::env::var(NATIVE_ROOTS).is_ok_and(|value| value == "1") {
        TrustStore::empty().with_native_roots(true)
    } else {
        roots(TrustStore::empty())
    }
}

fn aws_roots(store: TrustStore) -> TrustStore {
    AWS_ROOTS.iter().fold(store, |store, pem| store.with_pem_certificate(*pem))
}

/// What browsers trust. The store takes PEM only, so the bytes go there and back: some 5 ms, once,
/// and only where somebody's endpoint is called at all.
fn public_roots(store: TrustStore) -> TrustStore {
    TLS_SERVER_ROOT_CERTS.iter().fold(store, |store, der| {
        let body = base64::encode(der);
        store.with_pem_certificate(format!(
            "-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
        ))
    })
}
