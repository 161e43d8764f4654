//! Back: what moves to its baselines, what is settled to an earlier release.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Refused, check_in_force, check_not_blocked, moving};
use crate::decide;
use crate::messages::{going_back, ways_on};
use crate::model::{Block, Cause, Change, Freeze, Phase, Release, ReleaseImage, Scene};
use crate::push::new_release;

/// How a release that moves or is stuck ends by an operator's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It fails; its targets go back.
    Fail {
        /// Drifted ones too.
        include_drifted: bool,
    },
    /// It is itself a rollback to an earlier release, and what is live shall stay.
    CallOff {
        /// Drifted ones too.
        include_drifted: bool,
    },
}

/// What a rollback to an earlier release does beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RollbackOptions {
    /// Block the digests that are left, so that the sweep and CI do not bring them again.
    pub block: bool,
    /// Freeze the pipeline, so that the next push waits for a person.
    pub freeze: bool,
}

/// `rollback` on a release that moves or is stuck: it fails now and goes back. A rollback to an earlier
/// release does so only where it is called off: whoever types `rollback` beside another person, or
/// after it failed, means the same and not the bytes that it leaves (docs/decisions/0010).
pub fn rollback_moving(
    scene: &Scene,
    actor: &str,
    ending: Ending,
    now: Timestamp,
) -> Result<Change, Refused> {
    let release = moving(scene)?;
    let (id, pipeline) = (&release.id, &release.id.pipeline);
    let include_drifted = match (ending, &release.cause) {
        _ if matches!(release.phase, Phase::RollingBack { .. }) => {
            return Err(Refused(format!(
                "{id} is rolling back already; `tidegate follow` shows it"
            )));
        }
        (Ending::Fail { .. }, Cause::Rollback { to }) if release.phase.is_stuck() => {
            return Err(Refused(format!(
                "{id}, which goes back to {to}, is {}: `{}` returns to what it left; to go on, \
                 `tidegate accept {pipeline}`, then `tidegate start {id}`",
                release.phase.name(),
                going_back(release)
            )));
        }
        (Ending::Fail { .. }, Cause::Rollback { to }) => {
            return Err(Refused(format!(
                "{id} goes back to {to} already, because {} said so; `{}` calls that off, and what is \
                 live stays",
                release.by,
                going_back(release)
            )));
        }
        (Ending::Fail { .. }, Cause::Undo { .. }) if release.phase.is_stuck() => {
            return Err(Refused(format!(
                "{id} moved no service that could come back: look at what it left, then {}",
                ways_on(release)
            )));
        }
        (Ending::CallOff { .. }, cause) if !matches!(cause, Cause::Rollback { .. }) => {
            return Err(Refused(format!("{id} is no rollback that could be called off")));
        }
        (Ending::Fail { include_drifted } | Ending::CallOff { include_drifted }, _) => {
            include_drifted
        }
    };
    Ok(decide::roll_back(scene, release, actor, include_drifted, now))
}

/// `rollback` on a settled pipeline: a new release that brings the digests of `to`.
pub fn rollback_to(
    scene: &Scene,
    to: &Release,
    actor: &str,
    options: RollbackOptions,
    now: Timestamp,
) -> Result<Change, Refused> {
    let pipeline = &scene.head.pipeline;
    check_settled(scene)?;
    if !matches!(to.phase, Phase::Live { .. }) {
        return Err(Refused(format!(
            "{} was never live (it is {}); `tidegate history {pipeline}` shows those that were",
            to.id,
            to.phase.name()
        )));
    }
    if to.cause.undoes() {
        return Err(Refused(format!(
            "{} ran one-off tasks and brought no service anything",
            to.id
        )));
    }
    let runs = |name: &str| scene.live.as_ref().and_then(|live| live.images.get(name));
    let other = |name: &str, image: &ReleaseImage| {
        scene.config.images.contains_key(name)
            && runs(name).is_none_or(|now| now.digest != image.digest)
    };
    let images = to.images.iter().filter(|(name, image)| other(name, image));
    let images: BTreeMap<_, _> =
        images.map(|(name, image)| (name.clone(), image.clone())).collect();
    if images.is_empty() {
        return Err(Refused(format!(
            "the images of {0} are what is live already; if a service runs something else all the \
             same, `tidegate start {0}` brings them to it; `tidegate history {pipeline}` shows others",
            to.id
        )));
    }
    // Only from what went back itself can one go forward: to bytes that were pushed later.
    let went_back = |live: &Release| matches!(live.cause, Cause::Rollback { .. });
    let newer = |(name, image): (&String, &ReleaseImage)| {
        runs(name).is_some_and(|now| image.pushed_at > now.pushed_at)
    };
    let forward = scene.live.as_ref().is_some_and(went_back) && images.iter().any(newer);
    if forward && !scene.config.pre_deploy.is_empty() {
        return Err(Refused(format!(
            "{0} is newer than what is live, and going back runs no migration: `tidegate start {0}` \
             brings it with its own",
            to.id
        )));
    }
    check_not_blocked(scene, images.values())?;
    let left: Vec<_> = images.keys().filter_map(|name| runs(name)).cloned().collect();
    let mut head = scene.head.stepped();
    let reason = format!("{actor} goes back to {}", to.id);
    let cause = Cause::Rollback { to: to.id.number };
    let mut change = new_release(scene, &mut head, cause, images, actor, reason.clone(), now);
    if options.block {
        change.blocks = blocks(scene, left, &reason, now);
    }
    if options.freeze {
        head.freeze.get_or_insert_with(|| Freeze { by: actor.to_owned(), why: reason, at: now });
    }
    change.head = Some(head);
    Ok(change)
}

/// `start` of a release that went back to another: it goes back once more, as it did, and so runs no
/// migration and asks for no approval.
pub fn go_back_again(
    scene: &Scene,
    release: &Release,
    actor: &str,
    now: Timestamp,
) -> Result<Change, Refused> {
    check_settled(scene)?;
    check_not_blocked(scene, release.images.values())?;
    let mut images = release.images.clone();
    images.retain(|name, _| scene.config.images.contains_key(name));
    let mut head = scene.head.stepped();
    let reason = format!("{actor} starts {} again", release.id);
    let cause = release.cause.clone();
    let mut change = new_release(scene, &mut head, cause, images, actor, reason, now);
    change.head = Some(head);
    Ok(change)
}

/// Refuses where something moves or is stuck: what ends that comes first, also where nothing starts.
pub(super) fn check_settled(scene: &Scene) -> Result<(), Refused> {
    let Some(moving) = &scene.moving else { return check_in_force(scene) };
    let (id, pipeline) = (&moving.id, &moving.id.pipeline);
    let first = match moving.phase {
        Phase::RollingBack { .. } => format!("`tidegate follow {pipeline}` shows when it is back"),
        _ if moving.phase.is_stuck() => format!("first {}", ways_on(moving)),
        _ => format!("`{}` brings it back first", going_back(moving)),
    };
    Err(Refused(format!("{id} is {}: {first}", moving.phase.name())))
}

fn blocks(scene: &Scene, left: Vec<ReleaseImage>, why: &str, now: Timestamp) -> Vec<Block> {
    let Some(live) = &scene.live else { return Vec::new() };
    let block = |image: ReleaseImage| Block {
        digest: image.digest,
        release: live.id.clone(),
        why: why.to_owned(),
        at: now,
    };
    left.into_iter().map(block).collect()
}
