//! An operator's connections: their own credentials, each connection made when first needed.

use std::io::{IsTerminal, stderr, stdin};
use std::sync::OnceLock;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::SharedCredentialsProvider;
use tidegate_aws::{App, Clock, Dice, Probe, Reach, Table, refusal};
use tidegate_core::config::{Registry, check_region};

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

/// The SDK would show the whole request to whoever forgets the scheme.
fn url(text: &str) -> Result<String, String> {
    let whole = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    whole.then(|| text.to_owned()).ok_or_else(|| format!("expected a URL: http://{text}"))
}

/// Who the operator is, as STS names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The `actor` of the audit trail.
    pub arn: String,
    /// The account that the credentials belong to.
    pub account: String,
}

/// An operator's connections.
#[derive(Debug)]
pub struct Session {
    access: Access,
    clock: OnceLock<Clock>,
    sdk: OnceLock<SdkConfig>,
    reach: OnceLock<Reach>,
    table: OnceLock<Table>,
    identity: OnceLock<Identity>,
    /// Instead of the network, in which URLs are asked.
    probe: Option<Probe>,
    interactive: bool,
}

impl Session {
    /// A session that asks the environment, the profile and AWS, once it has to.
    pub fn new(access: Access) -> Self {
        Self {
            access,
            clock: OnceLock::new(),
            sdk: OnceLock::new(),
            reach: OnceLock::new(),
            table: OnceLock::new(),
            identity: OnceLock::new(),
            probe: None,
            // The question goes to stderr, so that stdout can be a pipe.
            interactive: stdin().is_terminal() && stderr().is_terminal(),
        }
    }

    /// A session from parts, in which nobody can be asked.
    pub fn of(table: Table, clock: Clock, sdk: SdkConfig, identity: Identity) -> Self {
        Self {
            access: Access::default(),
            clock: clock.into(),
            sdk: sdk.into(),
            reach: OnceLock::new(),
            table: table.into(),
            identity: identity.into(),
            probe: None,
            interactive: false,
        }
    }

    /// From now on URLs are asked through `probe`.
    #[must_use]
    pub fn asking(self, probe: Probe) -> Self {
        Self { probe: Some(probe), ..self }
    }

    /// Whether a person sits there who can answer.
    pub(crate) fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// The one clock. `TIDEGATE_CLOCK` is the local AWS's, whose time runs faster.
    pub(crate) fn clock(&self) -> Result<&Clock, Error> {
        if let Some(clock) = self.clock.get() {
            return Ok(clock);
        }
        let text = std::env::var("TIDEGATE_CLOCK").unwrap_or_default();
        let clock = Clock::parse(&text).map_err(|error| Error::Usage(error.to_string()))?;
        Ok(self.clock.get_or_init(|| clock))
    }

    /// What every SDK client is made of.
    pub(crate) async fn sdk(&self) -> Result<&SdkConfig, Error> {
        if let Some(sdk) = self.sdk.get() {
            return Ok(sdk);
        }
        let Access { table: _, region, endpoint_url, profile } = &self.access;
        let clock = self.clock()?;
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
        let mut sdk = loader.load().await;
        let Some(region) = sdk.region() else {
            let advice =
                "no AWS region is set: use --region, AWS_REGION, or a profile that has one";
            return Err(Error::Usage(advice.to_owned()));
        };
        check_region(region.as_ref()).map_err(Error::Usage)?;
        refuse_variants(&sdk)?;
        if let Some(profile) = profile {
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
            sdk = sdk
                .into_builder()
                .credentials_provider(SharedCredentialsProvider::new(named))
                .build();
        }
        Ok(self.sdk.get_or_init(|| sdk))
    }

    /// The way to other regions, and to what a pipeline's role reaches: with the operator's own
    /// credentials, who takes the role on as the functions do.
    pub(crate) async fn reach(&self) -> Result<&Reach, Error> {
        let sdk = self.sdk().await?;
        Ok(self.reach.get_or_init(|| Reach::new(sdk.clone(), "tidegate-operator")))
    }

    /// Tidegate's table.
    pub(crate) async fn table(&self) -> Result<&Table, Error> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let name = self.access.table.clone().filter(|name| !name.is_empty()).ok_or_else(|| {
            let advice = "the table is not named: use --table or TIDEGATE_TABLE; \
                          the stack's output `Table` has it";
            Error::Usage(advice.to_owned())
        })?;
        let sdk = self.sdk().await?;
        let table = Table::new(sdk, name, self.clock()?.clone(), Dice::from_entropy());
        Ok(self.table.get_or_init(|| table))
    }

    /// Who the operator is.
    pub(crate) async fn identity(&self) -> Result<&Identity, Error> {
        if let Some(identity) = self.identity.get() {
            return Ok(identity);
        }
        let answer = aws_sdk_sts::Client::new(self.sdk().await?)
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| Error::Identity(refusal::told(&error)))?;
        let (Some(arn), Some(account)) = (answer.arn, answer.account) else {
            return Err(Error::Identity("the answer names nobody".to_owned()));
        };
        Ok(self.identity.get_or_init(|| Identity { arn, account }))
    }

    /// The region of everything that names no other.
    pub(crate) async fn region(&self) -> Result<String, Error> {
        Ok(self.sdk().await?.region().map(ToString::to_string).unwrap_or_default())
    }

    /// What the functions look with, as this operator.
    pub(crate) async fn app(&self) -> Result<App, Error> {
        let (sdk, clock) = (self.sdk().await?.clone(), self.clock()?.clone());
        let (table, region) = (self.table().await?.name().to_owned(), self.region().await?);
        let app = App::new(sdk, table, region, clock, Dice::from_entropy());
        Ok(match &self.probe {
            Some(probe) => app.asking(probe.clone()),
            None => app,
        })
    }

    /// The account and region of the installation: where a config says nothing else.
    pub(crate) async fn home(&self) -> Result<Registry, Error> {
        let account = self.identity().await?.account.clone();
        Ok(Registry { account, region: self.region().await? })
    }
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
