//! `tidegate block`: these bytes are not released here.

use tidegate_core::command;
use tidegate_core::model::Digest;

use crate::decision::carry_out;
use crate::output::Desk;
use crate::reason::reason;
use crate::reference::pipeline_name;
use crate::{Error, Exit, Session};

/// Refuse a digest in a pipeline, until `tidegate unblock`
///
/// What is live goes on running it. A release that moves with it fails, and goes back or stops as
/// `on_failure` says.
#[derive(Debug, Clone, clap::Args)]
pub struct Block {
    /// The pipeline
    #[arg(value_parser = pipeline_name)]
    pub pipeline: String,
    /// The bytes, sha256:…
    pub digest: Digest,
    /// Why, for the audit trail
    #[arg(long, value_name = "WHY", default_value = "blocked by hand", value_parser = reason)]
    pub reason: String,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl Block {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let Self { pipeline, digest, reason, dry_run } = self;
        let outcome = carry_out(session, pipeline, *dry_run, |moment| {
            command::block(moment.scene, digest, moment.actor, reason, moment.now)
        });
        desk.say(&outcome.await?)?;
        Ok(Exit::Done)
    }
}
