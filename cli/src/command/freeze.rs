//! `tidegate freeze`: nothing new starts.

use tidegate_core::command;

use crate::decision::carry_out;
use crate::output::Desk;
use crate::reason::reason;
use crate::reference::pipeline_name;
use crate::{Error, Exit, Session};

/// Start nothing new in a pipeline, until `tidegate unfreeze`
///
/// What has taken a target goes on, and so does a rollback: to stop those, see `rollback` and
/// `abandon`. What has taken none waits.
#[derive(Debug, Clone, clap::Args)]
pub struct Freeze {
    /// The pipeline
    #[arg(value_parser = pipeline_name)]
    pub pipeline: String,
    /// Why, for the audit trail
    #[arg(long, value_name = "WHY", default_value = "frozen by hand", value_parser = reason)]
    pub reason: String,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl Freeze {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let Self { pipeline, reason, dry_run } = self;
        let outcome = carry_out(session, pipeline, *dry_run, |moment| {
            command::freeze(moment.scene, moment.actor, reason, moment.now)
        });
        desk.say(&outcome.await?)?;
        Ok(Exit::Done)
    }
}
