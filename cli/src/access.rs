//! Where Tidegate's table is, and as whom it is asked: as every AWS tool understands it.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::SharedCredentialsProvider;
use tidegate_aws::Clock;
use tidegate_core::config::check_region;

use crate::Error;

/// A call that takes longer is lost; a person waits for it.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(30);

/// One try of it: AWS answers within a second or two, so three fit. A transaction that is sent again
/// is known by its token, and is not done twice.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);

/// Where Tidegate's table is, and as whom it is asked.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Access {
    /// Tidegate's table; `sam deploy` prints its name
    #[arg(long, global = true, env = "TIDEGATE_TABLE", value_name = "NAME", help_heading = "AWS")]
    pub table: Option<String>,
    /// AWS region, instead of the one of the profile or the environment
    #[arg(long, global = true, value_name = "REGION", help_heading = "AWS")]
    pub region: Option<String>,
    /// Instead of AWS's own endpoints, for example `http://127.0.0.1:4566`
    #[arg(long, global = true, value_name = "URL", value_parser = url, help_heading = "AWS")]
    pub endpoint_url: Option<String>,
    /// Profile of ~/.aws/config, instead of `AWS_PROFILE`
    #[arg(long, global = true, value_name = "NAME", help_heading = "AWS")]
    pub profile: Option<String>,
}

impl Access {
    /// What every SDK client is made of.
    pub(crate) async fn sdk(&self, clock: &Clock) -> Result<SdkConfig, Error> {
        let Self { table: _, region, endpoint_url, profile } = self;
        // The system's roots: an operator may sit behind a proxy that inspects TLS.
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http.clone())
            .time_source(clock.clone())
            .sleep_impl(clock.clone())
            .timeout_config(timeouts);
        if let Some(region) = region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(url) = endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        let sdk = loader.load().await;
        let Some(region) = sdk.region() else {
            let advice =
                "no AWS region is set: use --region, AWS_REGION, or a profile that has one";
            return Err(Error::Usage(advice.to_owned()));
        };
        check_region(region.as_ref()).map_err(Error::Usage)?;
        refuse_variants(&sdk)?;
        let Some(profile) = profile else { return Ok(sdk) };
        // As in every AWS tool, who is named on the command line comes before the environment's keys.
        let parts = ProviderConfig::without_region()
            .with_http_client(http)
            .with_time_source(clock.clone())
            .with_sleep_impl(clock.clone())
            .with_region(sdk.region().cloned());
        let named = ProfileFileCredentialsProvider::builder()
            .configure(&parts)
            .profile_name(profile)
            .build();
        let named = SharedCredentialsProvider::new(named);
        Ok(sdk.into_builder().credentials_provider(named).build())
    }
}

/// The SDK would show the whole request to whoever forgets the scheme.
fn url(text: &str) -> Result<String, String> {
    let whole = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    whole.then(|| text.to_owned()).ok_or_else(|| format!("expected a URL: http://{text}"))
}

/// Half of the services are asked by hand, at their standard endpoints: what was asked for of all
/// would hold for the others only.
fn refuse_variants(sdk: &SdkConfig) -> Result<(), Error> {
    let fips = sdk.use_fips().unwrap_or_default().then_some(("FIPS", "FIPS"));
    let dual = sdk.use_dual_stack().unwrap_or_default().then_some(("dual-stack", "DUALSTACK"));
    let Some((kind, variable)) = fips.or(dual) else { return Ok(()) };
    Err(Error::Usage(format!(
        "{kind} endpoints are asked for, and Tidegate knows the standard endpoints only: \
         unset AWS_USE_{variable}_ENDPOINT, or use_{}_endpoint in the profile",
        variable.to_lowercase()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_that_are_not_known_are_refused_by_name() {
        let refused = |sdk: aws_types::sdk_config::Builder| refuse_variants(&sdk.build());
        assert!(refused(SdkConfig::builder().use_fips(false)).is_ok());
        let fips = refused(SdkConfig::builder().use_fips(true)).unwrap_err();
        let dual = refused(SdkConfig::builder().use_dual_stack(true)).unwrap_err();
        assert!(fips.to_string().contains("unset AWS_USE_FIPS_ENDPOINT"), "{fips}");
        assert!(dual.to_string().contains("use_dualstack_endpoint in the profile"), "{dual}");
    }
}
