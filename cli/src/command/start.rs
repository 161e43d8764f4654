//! `tidegate start`: a release by hand.

use tidegate_core::command;
use tidegate_core::model::{Cause, Phase, Release};

use crate::choice::{self, Choice};
use crate::consent::Consent;
use crate::decision::{carry_out, carry_out_on};
use crate::output::Desk;
use crate::{Error, Exit, Reference, Session, Which};

/// Start a release by hand, or let one go on that is held
///
/// A pipeline alone starts what its tags show now, or with `promote_from` what is live there. A release, `someli-production/42`, starts its
/// images again: if it is held because a target could not be released, the new one takes its place; a
/// held rollback is surveyed again itself, and one that ended goes back once more.
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
        let named = match release.which {
            Which::Current if !without_way_back => None,
            _ => Some(release.find(session.table().await?).await?),
        };
        let outcome = match named {
            Some(held) if *without_way_back => {
                let Release { id, phase, .. } = &held;
                if !matches!(phase, Phase::Surveying { .. }) {
                    let why = format!("{id} is {}: nothing holds it", phase.name());
                    return Err(Error::NotNow(why));
                }
                let what = format!("lets {id} move, which could not be brought back");
                consent.ask(session, desk, pipeline, &what)?;
                carry_out_on(session, id, consent.dry_run, |moment| {
                    command::start_without_way_back(moment.scene, moment.actor, moment.now)
                })
                .await?
            }
            Some(_) if !self.images.is_empty() => {
                let advice = "--image is for a pipeline; a release has its own images";
                return Err(Error::Usage(advice.to_owned()));
            }
            Some(held) if held.cause.goes_back() && is_held(&held) => {
                carry_out_on(session, &held.id, consent.dry_run, |moment| {
                    command::survey_again(moment.scene, moment.actor, moment.now)
                })
                .await?
            }
            Some(again) if matches!(again.cause, Cause::Rollback { .. }) => {
                carry_out(session, pipeline, consent.dry_run, |moment| {
                    command::go_back_again(moment.scene, &again, moment.actor, moment.now)
                })
                .await?
            }
            // Like a push, which nobody asks for the pipeline's name either.
            named => {
                let images = match named {
                    Some(release) => release.images,
                    None => choice::images(session, pipeline, &self.images).await?,
                };
                carry_out(session, pipeline, consent.dry_run, |moment| {
                    command::start(moment.scene, images.clone(), moment.actor, moment.now)
                })
                .await?
            }
        };
        desk.say(&outcome)?;
        Ok(Exit::Done)
    }
}

fn is_held(release: &Release) -> bool {
    matches!(release.phase, Phase::Surveying { held: Some(_), .. })
}
