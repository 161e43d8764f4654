//! `tidegate unfreeze`: what waits may start.

use tidegate_core::command;

use crate::decision::carry_out;
use crate::output::Desk;
use crate::reason::reason;
use crate::reference::pipeline_name;
use crate::{Error, Exit, Session};

/// Let releases start again in a frozen pipeline; the one that waits starts at once
#[derive(Debug, Clone, clap::Args)]
pub struct Unfreeze {
    /// The pipeline
    #[arg(value_parser = pipeline_name)]
    pub pipeline: String,
    /// Why, for the audit trail
    #[arg(long, value_name = "WHY", default_value = "unfrozen by hand", value_parser = reason)]
    pub reason: String,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl Unfreeze {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let Self { pipeline, reason, dry_run } = self;
        let outcome = carry_out(session, pipeline, *dry_run, |moment| {
            command::unfreeze(moment.scene, moment.actor, reason, moment.now)
        });
        desk.say(&outcome.await?)?;
        Ok(Exit::Done)
    }
}
