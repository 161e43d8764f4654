//! `tidegate abandon`: hands off.

use tidegate_core::command;

use crate::consent::Consent;
use crate::decision::{carry_out_on, moving};
use crate::output::Desk;
use crate::reference::pipeline_name;
use crate::{Error, Exit, Session};

/// Take Tidegate's hands off what moves: its targets stay as they are, the pipeline freezes
///
/// What runs then is nobody's word: look at the targets before `tidegate unfreeze`.
#[derive(Debug, Clone, clap::Args)]
pub struct Abandon {
    /// The pipeline
    #[arg(value_parser = pipeline_name)]
    pub pipeline: String,
    /// Whether it may.
    #[command(flatten)]
    pub consent: Consent,
}

impl Abandon {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let Self { pipeline, consent } = self;
        let shown = moving(session, pipeline).await?;
        let what = format!("leaves the targets of {shown} as they are");
        consent.ask(session, desk, pipeline, &what)?;
        let outcome = carry_out_on(session, &shown, consent.dry_run, |moment| {
            command::abandon(moment.scene, moment.actor, moment.now)
        });
        desk.say(&outcome.await?)?;
        Ok(Exit::Done)
    }
}
