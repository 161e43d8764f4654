//! `tidegate reject`: a person's no.

use tidegate_core::command;

use crate::consent::Consent;
use crate::decision::carry_out;
use crate::output::Desk;
use crate::reason::reason;
use crate::{Error, Exit, Reference, Session};

/// End a release that waits for an approval, or that its own pipeline went back from: its set of images does not come here again
///
/// No push, sweep or promotion brings these images to the pipeline again, only `tidegate start`.
#[derive(Debug, Clone, clap::Args)]
pub struct Reject {
    /// someli-production/42, or the pipeline for what waits there
    pub release: Reference,
    /// Why; the audit trail and the notification say it
    #[arg(long, default_value = "no reason was given", hide_default_value = true, value_parser = reason)]
    pub reason: String,
    /// Whether it may.
    #[command(flatten)]
    pub consent: Consent,
}

impl Reject {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let Self { release, reason, consent } = self;
        let wanted = release.find(session.table().await?).await?;
        let (id, pipeline) = (&wanted.id, &release.pipeline);
        if wanted.can_be_rejected() {
            let what = format!("ends {id}, and keeps {} out of {pipeline}", wanted.label());
            consent.ask(session, desk, pipeline, &what)?;
        }
        let outcome = carry_out(session, pipeline, consent.dry_run, |moment| {
            command::reject(moment.scene, &wanted, moment.actor, reason, moment.now)
        });
        desk.say(&outcome.await?)?;
        Ok(Exit::Done)
    }
}
