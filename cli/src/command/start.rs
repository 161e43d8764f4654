//! `tidegate start`: a release by hand.

use std::collections::BTreeMap;

use tidegate_core::command;
use tidegate_core::model::{Phase, ReleaseImage};

use crate::choice::{self, Choice};
use crate::consent::Consent;
use crate::decision::carry_out;
use crate::output::Desk;
use crate::{Error, Exit, Reference, Session, Which};

/// Start a release by hand, or let one go on that is held
///
/// A pipeline alone starts what its tags show now, or with `promote_from` what is live there. A release, `someli-production/42`, starts its
/// images again: if it is held because a target could not be released, the new one takes its place.
/// Blocked digests stay out.
#[derive(Debug, Clone, clap::Args)]
pub struct Start {
    /// someli-production, or someli-production/42
    pub release: Reference,
    /// This image instead of what the tags show: its name in the config, and a tag or a digest
    #[arg(long = "image", value_name = "NAME=TAG|DIGEST")]
    pub images: Vec<Choice>,
    /// Let a release go on that is held because no way back is known: nothing could be brought back
    #[arg(long, conflicts_with = "images")]
    pub without_way_back: bool,
    /// Whether it may.
    #[command(flatten)]
    pub consent: Consent,
}

impl Start {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let Self { release, images: _, without_way_back, consent } = self;
        let pipeline = &release.pipeline;
        let outcome = if *without_way_back {
            self.check_is_held(session).await?;
            let what = format!("lets a release of {pipeline} move that could not be brought back");
            consent.ask(session, desk, pipeline, &what)?;
            carry_out(session, pipeline, consent.dry_run, |moment| {
                command::start_without_way_back(moment.scene, moment.actor, moment.now)
            })
            .await?
        } else {
            // Like a push, which nobody asks for the pipeline's name either.
            let images = self.chosen(session).await?;
            carry_out(session, pipeline, consent.dry_run, |moment| {
                command::start(moment.scene, images.clone(), moment.actor, moment.now)
            })
            .await?
        };
        desk.say(&outcome)?;
        Ok(Exit::Done)
    }

    /// Who names a release means that one, not whatever is held by now.
    async fn check_is_held(&self, session: &Session) -> Result<(), Error> {
        let release = self.release.find(session.table().await?).await?;
        if matches!(release.phase, Phase::Surveying { .. }) {
            return Ok(());
        }
        Err(Error::NotNow(format!("{} is {}: nothing holds it", release.id, release.phase.name())))
    }

    async fn chosen(&self, session: &Session) -> Result<BTreeMap<String, ReleaseImage>, Error> {
        let table = session.table().await?;
        if self.release.which != Which::Current {
            if !self.images.is_empty() {
                let advice = "--image is for a pipeline; a release has its own images";
                return Err(Error::Usage(advice.to_owned()));
            }
            return Ok(self.release.find(table).await?.images);
        }
        choice::images(session, &self.release.pipeline, &self.images).await
    }
}
