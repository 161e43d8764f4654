//! `tidegate unblock`: these bytes may be released again.

use tidegate_core::command;
use tidegate_core::model::Digest;

use crate::decision::carry_out;
use crate::output::Desk;
use crate::reference::pipeline_name;
use crate::{Error, Exit, Session};

/// Allow a blocked digest again; if it is still the newest that its tags select, the next sweep brings it
#[derive(Debug, Clone, clap::Args)]
pub struct Unblock {
    /// The pipeline
    #[arg(value_parser = pipeline_name)]
    pub pipeline: String,
    /// The bytes, sha256:…
    pub digest: Digest,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl Unblock {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let Self { pipeline, digest, dry_run } = self;
        let outcome = carry_out(session, pipeline, *dry_run, |moment| {
            command::unblock(moment.scene, digest, moment.actor, moment.now)
        });
        desk.say(&outcome.await?)?;
        Ok(Exit::Done)
    }
}
