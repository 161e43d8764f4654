//! The one SDK config: where AWS is, as whom we ask, and how long we wait.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::Clock;
use crate::http::CONNECT_TIMEOUT;
use crate::setting::{SettingError, required, setting};

/// All tries of one call together: deploy's lease is 20 s, and a call must end well inside it.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// One try and two more: whoever is still throttled then waits for the next tick, not in here.
const ATTEMPTS: u32 = 3;

/// Where AWS is, and as whom we ask it.
#[derive(Debug, Clone)]
pub struct Access {
    /// The region of everything that names no other.
    pub region: String,
    /// Instead of AWS's own endpoints; empty is AWS.
    pub endpoint: String,
    /// Who asks.
    pub credentials: SharedCredentialsProvider,
}

impl Access {
    /// What Lambda's environment says. Its credentials outlive the process, so they are read once.
    pub fn from_env() -> Result<Self, SettingError> {
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            setting("AWS_SESSION_TOKEN")?,
            None,
            "lambda environment",
        );
        Ok(Self {
            region: required("AWS_REGION")?,
            endpoint: setting("TIDEGATE_ENDPOINT_URL")?.unwrap_or_default(),
            credentials: SharedCredentialsProvider::new(credentials),
        })
    }

    /// The config that every SDK client is made from.
    pub fn sdk_config(&self, clock: &Clock, http: SharedHttpClient) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let mut config = SdkConfig::builder();
        config.set_endpoint_url(Some(self.endpoint.clone()).filter(|url| !url.is_empty()));
        config
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials.clone())
            .http_client(http)
            .time_source(clock.clone())
            .sleep_impl(clock.clone())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts)
            .build()
    }
}

/// `config` for another region.
pub fn in_region(config: &SdkConfig, region: &str) -> SdkConfig {
    config.to_builder().region(Region::new(region.to_owned())).build()
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use jiff::Timestamp;

    use super::*;
    use crate::RefusalKind;
    use crate::secrets::Secrets;

    /// Takes every request and never answers.
    #[derive(Debug)]
    struct Silence;

    impl HttpConnector for Silence {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::new(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_ends_within_the_lease_on_our_clock() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let clock = Clock::virtual_from(start);
        let access = Access {
            region: "us-west-2".to_owned(),
            endpoint: String::new(),
            credentials: SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "")),
        };
        let silence = SharedHttpConnector::new(Silence);
        let config = access.sdk_config(&clock, http_client_fn(move |_, _| silence.clone()));
        let refusal = Secrets::new(&config).secret("arn").await.unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Unreachable, "{refusal}");
        assert_eq!(clock.now(), start + OPERATION_TIMEOUT);
    }
}
