//! What a function holds: its clock, its table, and the way to every AWS service.

use std::time::Duration;

use aws_types::SdkConfig;
use tidegate_core::config::Role;

use crate::alarms::Alarms;
use crate::elb::Elb;
use crate::probe::Probe;
use crate::registry::Registry;
use crate::role::Reach;
use crate::setting::{SettingError, required, retention, setting};
use crate::{Clock, Dice, Ecs, Table, Targets};

/// One function's connections, made once per process.
#[derive(Debug, Clone)]
pub struct App {
    /// The one clock.
    pub clock: Clock,
    /// Jitter, and names for invocations.
    pub dice: Dice,
    /// The table.
    pub table: Table,
    /// Credentials, region, HTTP client: what each service's client is made of.
    pub sdk: SdkConfig,
    /// The region the function runs in.
    pub region: String,
    /// The way to the URLs that checks name.
    pub probe: Probe,
    /// The way to other regions, and to what a role reaches.
    pub reach: Reach,
}

impl App {
    /// Reads the environment that template.yaml sets.
    pub fn from_env() -> Result<Self, SettingError> {
        let clock = Clock::parse(&setting("TIDEGATE_CLOCK")?.unwrap_or_default())
            .map_err(|e| SettingError::Invalid { name: "TIDEGATE_CLOCK", source: Box::new(e) })?;
        let access = crate::sdk::Access::from_env()?;
        let sdk = access.sdk_config(&clock, crate::http::aws_http_client(&clock));
        let (table, dice) = (required("TIDEGATE_TABLE")?, Dice::from_entropy());
        let days = setting("TIDEGATE_RETENTION_DAYS")?.unwrap_or_default();
        let retention = retention(&days)?;
        let app = Self::new(sdk, table, access.region, clock, dice).keeping(retention);
        Ok(app.named(&required("AWS_LAMBDA_FUNCTION_NAME")?))
    }

    /// From now on past rollouts, pushes and the audit trail written here expire after so long.
    #[must_use]
    pub fn keeping(self, retention: Option<Duration>) -> Self {
        Self { table: self.table.keeping(retention), ..self }
    }

    /// Opens the connection to the table while Lambda still gives init a whole core; a failure
    /// here is the first call's to report.
    pub async fn warm_up(&self) {
        if let Err(error) = self.table.head_of("warm-up").await {
            tracing::debug!(error = &error as &dyn std::error::Error, "not warmed up");
        }
    }

    /// From now on sessions of roles are called `name`.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { reach: Reach::new(self.sdk.clone(), name), ..self }
    }

    /// From now on checks ask through `probe`.
    #[must_use]
    pub fn asking(self, probe: Probe) -> Self {
        Self { probe, ..self }
    }

    /// ECS in a pipeline's region, as its role.
    pub fn ecs(&self, region: &str, role: Option<&Role>) -> Ecs {
        Ecs::new(&self.reach.at(region, role), &self.clock)
    }

    /// Targets of every kind in a pipeline's region, as its role.
    pub fn targets(&self, region: &str, role: Option<&Role>) -> Targets {
        Targets::new(&self.reach.at(region, role), &self.clock)
    }

    /// Load balancers in a pipeline's region, as its role.
    pub fn elb(&self, region: &str, role: Option<&Role>) -> Elb {
        Elb::new(&self.reach.at(region, role))
    }

    /// CloudWatch's alarms in a pipeline's region, as its role.
    pub fn alarms(&self, region: &str, role: Option<&Role>) -> Alarms {
        Alarms::new(&self.reach.at(region, role))
    }

    /// ECR, for a pipeline of this role.
    pub fn registry(&self, role: Option<&Role>) -> Registry {
        Registry::new(&self.reach, role)
    }

    /// The same from parts: how the twin runs the functions in its own world.
    pub fn new(sdk: SdkConfig, table: String, region: String, clock: Clock, dice: Dice) -> Self {
        let table = Table::new(&sdk, table, clock.clone(), dice.clone());
        let probe = Probe::new(&clock, sdk.endpoint_url());
        let reach = Reach::new(sdk.clone(), "tidegate");
        Self { clock, dice, table, sdk, region, probe, reach }
    }
}

/// Lambda's deadline of an invocation, milliseconds since the epoch, as a moment.
pub fn deadline(milliseconds: u64) -> jiff::Timestamp {
    i64::try_from(milliseconds)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .unwrap_or(jiff::Timestamp::MAX)
}
