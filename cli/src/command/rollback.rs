//! `tidegate rollback`: back to what ran before, or to an earlier release.

use tidegate_core::command::{self, Ending, RollbackOptions};
use tidegate_core::model::{Cause, Release, ReleaseId, Scene, TargetId};

use crate::consent::Consent;
use crate::decision::{carry_out, carry_out_on};
use crate::destination::destination;
use crate::output::Desk;
use crate::reference::pipeline_name;
use crate::view::Outcome;
use crate::{Error, Exit, Goal, Session};

/// Go back: fail what moves now, or bring an earlier release's digests
///
/// While a release moves, or has stopped for a person to decide, it fails and its targets go back
/// to what they ran before. In a settled pipeline a new release brings the earlier digests into the
/// current revisions; the digests it leaves are blocked, and the pipeline freezes, so that the next
/// push waits for you; until it is live, `--to live` calls it off. Database migrations are not undone:
/// `--down` does that, once the services are back.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a person types")]
pub struct Rollback {
    /// The pipeline
    #[arg(value_parser = pipeline_name)]
    pub pipeline: String,
    /// Where to: a release's number, a version (a tag it came with), `latest` or `live`; without
    /// it, the live release before the present one
    #[arg(long, value_name = "41|VERSION|latest|live")]
    pub to: Option<Goal>,
    /// Do not block the digests that are left
    #[arg(long)]
    pub no_block: bool,
    /// Do not freeze the pipeline
    #[arg(long)]
    pub no_freeze: bool,
    /// Also bring back what somebody else changed in the meantime
    #[arg(long)]
    pub include_drifted: bool,
    /// Run the `down` commands of the release that came back last, and nothing else
    #[arg(long, conflicts_with_all = ["to", "no_block", "no_freeze", "include_drifted"])]
    pub down: bool,
    /// Whether it may.
    #[command(flatten)]
    pub consent: Consent,
}

impl Rollback {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let Self { pipeline, to, no_block, no_freeze, include_drifted, down, consent } = self;
        let table = session.table().await?;
        let scene = table.scene(pipeline).await?;
        // What moves there all the same, by an older program's hand, can go back.
        if scene.moving.is_none() {
            command::check_in_force(&scene)?;
        }
        let goal = to.as_ref().map(|goal| goal.within(pipeline));
        let include_drifted = *include_drifted;
        let ending = match (&goal, &scene.moving) {
            (None, Some(_)) => Some(Ending::Fail { include_drifted }),
            // Who goes back already, and names what is live, wants to stay there.
            (Some(goal), Some(Release { cause: Cause::Rollback { .. }, .. }))
                if goal.is_live(scene.head.live) =>
            {
                Some(Ending::CallOff { include_drifted })
            }
            _ => None,
        };
        let outcome = match (&scene.moving, ending) {
            _ if *down => self.undo(session, desk, &scene).await?,
            (Some(moving), Some(ending)) => {
                self.refuse_what_settled_pipelines_take(&moving.id)?;
                let (id, phase) = (&moving.id, moving.phase.name());
                let ends = match ending {
                    Ending::Fail { .. } => "fails",
                    Ending::CallOff { .. } => "calls off",
                };
                let what = format!("{ends} {id} ({phase}) and brings its targets back");
                consent.ask(session, desk, pipeline, &what)?;
                carry_out_on(session, id, consent.dry_run, |moment| {
                    command::rollback_moving(moment.scene, moment.actor, ending, moment.now)
                })
                .await?
            }
            _ if include_drifted => {
                return Err(Error::Usage(format!(
                    "--include-drifted is for a release that has drifted, not for going to another; \
                     `tidegate status {pipeline}` shows what moves"
                )));
            }
            _ => {
                let options = RollbackOptions { block: !no_block, freeze: !no_freeze };
                let goal = destination(table, &scene, goal.as_ref()).await?;
                let what = format!("puts {pipeline} back to {} ({})", goal.id, goal.label());
                consent.ask(session, desk, pipeline, &what)?;
                carry_out(session, pipeline, consent.dry_run, |moment| {
                    command::check_live(moment.scene, scene.head.live)?;
                    command::rollback_to(moment.scene, &goal, moment.actor, options, moment.now)
                })
                .await?
            }
        };
        desk.say(&outcome)?;
        Ok(Exit::Done)
    }

    async fn undo(
        &self,
        session: &Session,
        desk: &mut Desk<'_>,
        scene: &Scene,
    ) -> Result<Outcome, Error> {
        let Self { pipeline, consent, .. } = self;
        let table = session.table().await?;
        let targets = scene.config.target_waves();
        let tasks: Vec<_> = targets.into_iter().flatten().filter(TargetId::is_task).collect();
        let ran: Vec<_> = table.slots(&tasks).await?.into_values().collect();
        let newest = ran.iter().map(|slot| &slot.release).filter(|id| id.pipeline == *pipeline);
        let last = match newest.max() {
            Some(id) => table.release_of(id).await?,
            None => None,
        };
        let last = last.ok_or_else(|| {
            Error::NotNow(format!("{pipeline} ran no one-off task: there is nothing to undo"))
        })?;
        let what = format!("runs what undoes the one-off tasks of {}", last.id);
        consent.ask(session, desk, pipeline, &what)?;
        carry_out(session, pipeline, consent.dry_run, |moment| {
            command::undo(moment.scene, &ran, &last, scene.head.step, moment.actor, moment.now)
        })
        .await
    }

    fn refuse_what_settled_pipelines_take(&self, moving: &ReleaseId) -> Result<(), Error> {
        for (given, flag) in [(self.no_block, "--no-block"), (self.no_freeze, "--no-freeze")] {
            if given {
                return Err(Error::Usage(format!(
                    "{flag} is for a rollback to an earlier release; {moving} has not ended"
                )));
            }
        }
        Ok(())
    }
}
