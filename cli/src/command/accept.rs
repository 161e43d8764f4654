//! `tidegate accept`: the targets are right as they are.

use tidegate_core::command;

use crate::consent::Consent;
use crate::decision::{carry_out_on, moving};
use crate::output::Desk;
use crate::reference::pipeline_name;
use crate::{Error, Exit, Session};

/// Take the targets of a stopped release as they are: it becomes live, marked accepted
///
/// For a release that is frozen, drifted, or whose rollback failed. The pipeline stays frozen until
/// `tidegate unfreeze`.
#[derive(Debug, Clone, clap::Args)]
pub struct Accept {
    /// The pipeline
    #[arg(value_parser = pipeline_name)]
    pub pipeline: String,
    /// Whether it may.
    #[command(flatten)]
    pub consent: Consent,
}

impl Accept {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let Self { pipeline, consent } = self;
        let shown = moving(session, pipeline).await?;
        consent.ask(session, desk, pipeline, &format!("calls {shown} right as it runs now"))?;
        let outcome = carry_out_on(session, &shown, consent.dry_run, |moment| {
            command::accept(moment.scene, moment.actor, moment.now)
        });
        desk.say(&outcome.await?)?;
        Ok(Exit::Done)
    }
}
