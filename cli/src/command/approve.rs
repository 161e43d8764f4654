//! `tidegate approve`: a person's word.

use tidegate_aws::promotion;
use tidegate_core::command;

use crate::consent::Consent;
use crate::decision::carry_out;
use crate::output::Desk;
use crate::view::ReleaseView;
use crate::{Error, Exit, Reference, Session};

/// Let a release move that waits for an approval, exactly as shown
///
/// Shows what would change and asks. The services are surveyed once more before anything moves: if
/// something else would change by then, the release waits for another approval.
#[derive(Debug, Clone, clap::Args)]
pub struct Approve {
    /// someli-production/42, or the pipeline for what waits there
    pub release: Reference,
    /// Whether it may.
    #[command(flatten)]
    pub consent: Consent,
}

impl Approve {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let Self { release, consent } = self;
        let table = session.table().await?;
        let wanted = release.find(table).await?;
        if let Some(why) = promotion::withdrawn(table, &wanted).await? {
            return Err(Error::NotNow(why));
        }
        let (id, pipeline) = (&wanted.id, &release.pipeline);
        let shown = wanted.approval_asked().map(|(plan, _)| plan).unwrap_or_default();
        if !shown.is_empty() {
            desk.talk(&ReleaseView::new(&wanted));
            consent.ask(session, desk, pipeline, &format!("lets {id} change what stands above"))?;
        }
        let outcome = carry_out(session, pipeline, consent.dry_run, |moment| {
            let how = format!("{} approved it", moment.actor);
            command::approve(moment.scene, &wanted, shown, (moment.actor, &how), moment.now)
        });
        desk.say(&outcome.await?)?;
        Ok(Exit::Done)
    }
}
