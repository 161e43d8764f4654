//! What a function holds: its clock, its table, and the way to every AWS service.

use aws_types::SdkConfig;

use crate::sdk::in_region;
use crate::setting::{SettingError, required, setting};
use crate::{Clock, Dice, Ecs, Table};

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
    /// The account and region the function runs in.
    pub region: String,
}

impl App {
    /// Reads the environment that template.yaml sets.
    pub fn from_env() -> Result<Self, SettingError> {
        let clock = Clock::parse(&setting("TIDEGATE_CLOCK")?.unwrap_or_default())
            .map_err(|e| SettingError::Invalid { name: "TIDEGATE_CLOCK", source: Box::new(e) })?;
        let access = crate::sdk::Access::from_env()?;
        let sdk = access.sdk_config(&clock, crate::http::aws_http_client(&clock));
        Ok(Self::new(sdk, required("TIDEGATE_TABLE")?, access.region, clock, Dice::from_entropy()))
    }

    /// Opens the connection to the table while Lambda still gives init a whole core; a failure
    /// here is the first call's to report.
    pub async fn warm_up(&self) {
        if let Err(error) = self.table.head_of("warm-up").await {
            tracing::debug!(error = &error as &dyn std::error::Error, "not warmed up");
        }
    }

    /// ECS in a pipeline's region.
    pub fn ecs(&self, region: &str) -> Ecs {
        Ecs::new(&in_region(&self.sdk, region), &self.clock)
    }

    /// The same from parts: how the twin runs the functions in its own world.
    pub fn new(sdk: SdkConfig, table: String, region: String, clock: Clock, dice: Dice) -> Self {
        let table = Table::new(&sdk, table, clock.clone(), dice.clone());
        Self { clock, dice, table, sdk, region }
    }
}

/// Lambda's deadline of an invocation, milliseconds since the epoch, as a moment.
pub fn deadline(milliseconds: u64) -> jiff::Timestamp {
    i64::try_from(milliseconds)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .unwrap_or(jiff::Timestamp::MAX)
}
