//! `tidegate rollback`: back to what ran before, or to an earlier release.

use tidegate_aws::Table;
use tidegate_core::command::{self, RollbackOptions};
use tidegate_core::model::{Cause, Phase, Release, ReleaseId, Scene, TargetId};

use crate::consent::Consent;
use crate::decision::carry_out;
use crate::output::Desk;
use crate::reference::pipeline_name;
use crate::view::Outcome;
use crate::{Error, Exit, Goal, Session};

/// Go back: fail what moves now, or bring an earlier release's digests
///
/// While a release moves, or has stopped for a person to decide, it fails and its targets go back
/// to what they ran before. In a settled pipeline a new release brings the earlier digests into the
/// current revisions; the digests it leaves are blocked, and the pipeline freezes, so that the next
/// push waits for you. Database migrations are not undone: `--down` does that, once the services are
/// back.
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
    #[arg(long, conflicts_with = "to")]
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
        let options = RollbackOptions {
            block: !no_block,
            freeze: !no_freeze,
            include_drifted: *include_drifted,
        };
        let table = session.table().await?;
        let scene = table.scene(pipeline).await?;
        let outcome = match (&scene.moving, to) {
            _ if *down => self.undo(session, desk, &scene).await?,
            (Some(moving), None) => {
                self.refuse_what_settled_pipelines_take(&moving.id)?;
                let what = format!("fails {} and brings its targets back", said(moving));
                consent.ask(session, desk, pipeline, &what)?;
                carry_out(session, pipeline, consent.dry_run, |moment| {
                    command::rollback_moving(moment.scene, moment.actor, options, moment.now)
                })
                .await?
            }
            (None, None) if *include_drifted => {
                return Err(Error::Usage(format!(
                    "--include-drifted is for a release that has drifted; nothing moves in {pipeline}"
                )));
            }
            (_, goal) => {
                let goal = goal.as_ref().map(|goal| goal.within(pipeline));
                let goal = destination(table, &scene, goal.as_ref()).await?;
                let what = format!("puts {pipeline} back to {} ({})", goal.id, goal.label());
                consent.ask(session, desk, pipeline, &what)?;
                carry_out(session, pipeline, consent.dry_run, |moment| {
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
            command::undo(moment.scene, &ran, &last, scene.head.next, moment.actor, moment.now)
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

/// The release that `goal` means.
async fn destination(table: &Table, scene: &Scene, goal: Option<&Goal>) -> Result<Release, Error> {
    let pipeline = &scene.head.pipeline;
    // All of them: a version may be far back, and this is asked once in a while.
    let releases = table.releases(pipeline, usize::MAX).await?;
    let is_live = |release: &&Release| matches!(release.phase, Phase::Live { .. });
    let found = match goal {
        Some(Goal::Number(number)) => releases.iter().find(|release| release.id.number == *number),
        Some(Goal::Latest) => releases.first(),
        Some(Goal::Live) => scene.live.as_ref(),
        Some(Goal::Version(tag)) => {
            let came_under =
                |release: &&Release| release.images.values().any(|i| i.tags.contains(tag));
            releases.iter().filter(is_live).find(came_under)
        }
        None => {
            refuse_a_second_time(scene, &releases)?;
            earlier(scene, &releases)
        }
    };
    found.cloned().ok_or_else(|| {
        Error::NotNow(
            match goal {
                None => {
                    format!("{pipeline} has no earlier live release with other, unblocked digests")
                }
                Some(goal) => format!("{pipeline} has no release {goal}"),
            } + &format!("; `tidegate history {pipeline}` shows what it has"),
        )
    })
}

/// A release that moves, in words that show when it is a rollback itself.
fn said(moving: &Release) -> String {
    let (id, phase) = (&moving.id, moving.phase.name());
    match &moving.cause {
        Cause::Rollback { to } => format!("{id} ({phase}), which goes back to {to} by itself,"),
        _ => format!("{id} ({phase})"),
    }
}

/// What came last was brought back already. Two people, or one who doubts, type `rollback` twice;
/// the second time would take away what is good.
fn refuse_a_second_time(scene: &Scene, releases: &[Release]) -> Result<(), Error> {
    let newest = releases.iter().find(|release| !release.cause.undoes());
    let (Some(newest), Some(live)) = (newest, &scene.live) else { return Ok(()) };
    if !matches!(newest.phase, Phase::RolledBack { .. }) {
        return Ok(());
    }
    let pipeline = &scene.head.pipeline;
    let further = earlier(scene, releases).map_or_else(
        || format!("`tidegate history {pipeline}` shows what there is"),
        |earlier| {
            let number = earlier.id.number;
            format!("`tidegate rollback {pipeline} --to {number}` leaves that too")
        },
    );
    Err(Error::NotNow(format!(
        "{} was rolled back already, and {} is live: {further}",
        newest.id, live.id
    )))
}

/// The newest live release before the present one that brings other bytes, none of them blocked.
fn earlier<'a>(scene: &Scene, releases: &'a [Release]) -> Option<&'a Release> {
    let live = scene.live.as_ref()?;
    let other = |release: &Release| {
        release
            .images
            .iter()
            .any(|(name, image)| live.images.get(name).is_none_or(|now| now.digest != image.digest))
    };
    let blocked =
        |release: &Release| release.images.values().any(|i| scene.blocked.contains_key(&i.digest));
    releases
        .iter()
        .filter(|release| release.id.number < live.id.number && !release.cause.undoes())
        .filter(|release| matches!(release.phase, Phase::Live { .. }))
        .find(|release| other(release) && !blocked(release))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use tidegate_core::model::{Block, Head};

    use super::*;

    fn release(number: u64, bytes: char, phase: &str) -> Release {
        let digest = format!("sha256:{}", bytes.to_string().repeat(64));
        let now = "2026-11-21T03:00:00Z";
        serde_json::from_value(json!({
            "id": format!("p/{number}"), "step": 1, "cause": {"kind": "push"}, "by": "ecr",
            "at": now, "config": 1, "waves": [], "phase": {"name": phase, "at": now},
            "images": {"web": {
                "account": "123456789012", "region": "us-west-2", "repository": "web",
                "digest": digest, "accepts": [digest], "tags": [], "pushed_at": now,
            }},
        }))
        .unwrap()
    }

    fn scene(live: Option<Release>, blocked: Option<&Release>) -> Scene {
        let head: Head = serde_json::from_value(json!({
            "pipeline": "p", "step": 1, "next": 9, "config": 1,
        }))
        .unwrap();
        let config = serde_json::from_value(json!({
            "schema": 1, "name": "p", "account": "123456789012", "region": "us-west-2",
            "images": {}, "cluster": "c", "waves": [], "on_failure": "rollback", "base": "running",
            "watch": {"timeout": 1, "bake": 1, "failed_tasks": 1, "on_timeout": "rollback"},
        }))
        .unwrap();
        let block = |release: &Release| {
            let digest = release.images["web"].digest.clone();
            let (id, why) = (release.id.clone(), "it failed".to_owned());
            (digest.clone(), Block { digest, release: id, why, at: release.at })
        };
        Scene {
            head,
            config,
            moving: None,
            waiting: None,
            live,
            slots: BTreeMap::new(),
            blocked: blocked.map(block).into_iter().collect(),
            rejected: BTreeMap::new(),
        }
    }

    #[test]
    fn what_came_last_and_went_back_already_is_not_gone_back_from_twice() {
        let (good, live) = (release(1, 'a', "live"), release(2, 'b', "live"));
        let (failed, scene) = (release(3, 'c', "rolled_back"), scene(Some(live.clone()), None));
        let all = [&failed, &live, &good].map(Clone::clone);
        let said = refuse_a_second_time(&scene, &all).unwrap_err().to_string();
        assert!(said.starts_with("p/3 was rolled back already, and p/2 is live"), "{said}");
        assert!(said.contains("`tidegate rollback p --to 1` leaves that too"), "{said}");
        assert!(refuse_a_second_time(&scene, &all[1..]).is_ok());
        let said = refuse_a_second_time(&scene, &all[..2]).unwrap_err().to_string();
        assert!(said.ends_with("`tidegate history p` shows what there is"), "{said}");
    }

    #[test]
    fn without_a_goal_it_is_the_live_release_before_with_other_bytes() {
        let live = release(5, 'e', "live");
        let (same, failed) = (release(4, 'e', "live"), release(3, 'c', "rolled_back"));
        let (good, old) = (release(2, 'b', "live"), release(1, 'a', "live"));
        let newer = release(6, 'f', "live");
        let all = [&newer, &live, &same, &failed, &good, &old].map(Clone::clone);
        let number = |scene: &Scene| earlier(scene, &all).map(|release| release.id.number);
        assert_eq!(number(&scene(Some(live.clone()), None)), Some(2));
        assert_eq!(number(&scene(Some(live.clone()), Some(&good))), Some(1), "blocked");
        assert_eq!(number(&scene(Some(old), None)), None, "nothing was before");
        assert_eq!(number(&scene(None, None)), None, "nothing is live");
    }
}
