//! An operator's connections: their own credentials, each connection made when first needed.

use std::io::{IsTerminal, stderr, stdin};
use std::sync::OnceLock;

use aws_types::SdkConfig;
use tidegate_aws::{App, Clock, Dice, Probe, Reach, Table, refusal};
use tidegate_core::config::Registry;

use crate::{Access, Error};

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
        let sdk = self.access.sdk(self.clock()?).await?;
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
