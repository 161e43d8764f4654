//! What an operator can say, as changes of the table: the same transactions as the functions'.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::config::PipelineConfig;
use crate::decide::{self, pipeline_entry, release_entry};
use crate::model::{
    Block, Cause, Change, Digest, Freeze, Head, Memory, Phase, Release, ReleaseId, ReleaseImage,
    Scene, Todo,
};
use crate::push::new_release;

/// Why a command is refused: what is so, and what can be typed instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

/// How a rollback to an earlier release is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RollbackOptions {
    /// Block the digests that are left, so that the sweep and CI do not bring them again.
    pub block: bool,
    /// Freeze the pipeline, so that the next push waits for a person.
    pub freeze: bool,
    /// On a moving release: take drifted targets along.
    pub include_drifted: bool,
}

/// `rollback` on a release that moves or is stuck: it fails now and goes back.
pub fn rollback_moving(
    scene: &Scene,
    actor: &str,
    options: RollbackOptions,
    now: Timestamp,
) -> Result<Change, Refused> {
    let release = moving(scene)?;
    match release.phase {
        Phase::RollingBack { .. } => {
            Err(Refused(format!("{} is rolling back already; `tidegate follow` shows it", release.id)))
        }
        _ => Ok(decide::roll_back(scene, release, actor, options.include_drifted, now)),
    }
}

/// `rollback` on a settled pipeline: a new release that brings the digests of `to`.
pub fn rollback_to(
    scene: &Scene,
    to: &Release,
    actor: &str,
    options: RollbackOptions,
    now: Timestamp,
) -> Result<Change, Refused> {
    let (pipeline, live) = (&scene.head.pipeline, scene.live.as_ref());
    if let Some(moving) = &scene.moving {
        return Err(Refused(format!("{} moves: `tidegate rollback {pipeline}` fails it now", moving.id)));
    }
    if !matches!(to.phase, Phase::Live { .. }) {
        return Err(Refused(format!(
            "{} was never live (it is {}); `tidegate history {pipeline}` shows those that were",
            to.id,
            to.phase.name()
        )));
    }
    if let Some(block) = to.images.values().find_map(|i| scene.blocked.get(&i.digest)) {
        return Err(Refused(format!(
            "{} is blocked since {}: {}; `tidegate unblock {pipeline} {}` allows it again",
            block.digest, block.release, block.why, block.digest
        )));
    }
    let left: Vec<&ReleaseImage> = live
        .iter()
        .flat_map(|live| &live.images)
        .filter(|(name, image)| to.images.get(*name).is_none_or(|t| t.digest != image.digest))
        .map(|(_, image)| image)
        .collect();
    if live.is_some_and(|live| live.id == to.id) || left.is_empty() {
        return Err(Refused(format!("{} is what {pipeline} runs already", to.id)));
    }
    let mut head = scene.head.stepped();
    let reason = format!("{actor} goes back to {}", to.id);
    // A release that waits would come right after: it keeps waiting behind the freeze.
    let waiting = head.waiting.take();
    let cause = Cause::Rollback { to: to.id.number };
    let mut change =
        new_release(scene, &mut head, cause, to.images.clone(), actor, reason.clone(), now);
    head.waiting = waiting;
    if options.block {
        change.blocks = left
            .iter()
            .map(|image| Block {
                digest: image.digest.clone(),
                release: live.map_or_else(|| to.id.clone(), |l| l.id.clone()),
                why: reason.clone(),
                at: now,
            })
            .collect();
    }
    if options.freeze {
        head.freeze.get_or_insert_with(|| Freeze { by: actor.to_owned(), why: reason, at: now });
    }
    change.head = Some(head);
    Ok(change)
}

/// `accept`: the targets are right as they are.
pub fn accept(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    let release = moving(scene)?;
    if !release.phase.is_stuck() {
        return Err(Refused(format!(
            "{} is {}: `accept` is for a release that stopped for a person to decide",
            release.id,
            release.phase.name()
        )));
    }
    Ok(decide::accept(scene, release, actor, now))
}

/// `abandon`: hands off; targets stay as they are.
pub fn abandon(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    Ok(decide::abandon(scene, moving(scene)?, actor, now))
}

/// `start --without-way-back`: a held release goes on where no way back is known.
pub fn start_without_way_back(scene: &Scene, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    let release = moving(scene)?;
    let Phase::Surveying { since: _, held } = &release.phase else {
        return Err(Refused(format!("{} is {}: nothing holds it", release.id, release.phase.name())));
    };
    let mut next = release.clone();
    next.step += 1;
    next.nudge += 1;
    next.without_way_back = true;
    next.todo = Some(Todo::Deploy);
    next.phase = Phase::Surveying { since: now, held: held.clone() };
    let reason = format!("{actor} lets it start without a way back");
    let entry = release_entry(release, &next, actor, reason, None, now);
    Ok(Change { releases: vec![next], journal: vec![entry], ..Change::default() })
}

/// `start`: a release of these images, as if they had been pushed now.
pub fn start(
    scene: &Scene,
    images: BTreeMap<String, ReleaseImage>,
    actor: &str,
    now: Timestamp,
) -> Result<Change, Refused> {
    if let Some(block) = images.values().find_map(|i| scene.blocked.get(&i.digest)) {
        return Err(Refused(format!(
            "{} is blocked since {}: {}; `tidegate unblock` allows it again",
            block.digest, block.release, block.why
        )));
    }
    let mut head = scene.head.stepped();
    for (name, image) in &images {
        let tag = image.tags.first().cloned().unwrap_or_default();
        let newer = head.answered.get(name).is_none_or(|m| m.pushed_at <= image.pushed_at);
        if newer {
            let memory = Memory { digest: image.digest.clone(), pushed_at: image.pushed_at, tag };
            head.answered.insert(name.clone(), memory);
        }
    }
    let reason = format!("{actor} started it");
    let mut change = match &scene.waiting {
        Some(waiting) => {
            let mut next = waiting.clone();
            next.step += 1;
            next.images.extend(images);
            let entry = release_entry(waiting, &next, actor, reason, None, now);
            Change { releases: vec![next], journal: vec![entry], ..Change::default() }
        }
        None => new_release(scene, &mut head, Cause::Start, images, actor, reason, now),
    };
    change.head = Some(head);
    Ok(change)
}

/// `freeze`: nothing new starts.
pub fn freeze(scene: &Scene, actor: &str, why: &str, now: Timestamp) -> Result<Change, Refused> {
    if let Some(freeze) = &scene.head.freeze {
        return Err(Refused(format!("frozen already, by {} at {}: {}", freeze.by, freeze.at, freeze.why)));
    }
    let mut head = scene.head.stepped();
    head.freeze = Some(Freeze { by: actor.to_owned(), why: why.to_owned(), at: now });
    Ok(of_pipeline(head, actor, "frozen", why.to_owned(), now))
}

/// `unfreeze`: what waits may start.
pub fn unfreeze(scene: &Scene, actor: &str, why: &str, now: Timestamp) -> Result<Change, Refused> {
    let pipeline = &scene.head.pipeline;
    if scene.head.freeze.is_none() {
        return Err(Refused(format!("{pipeline} is not frozen")));
    }
    if let Some(release) = scene.moving.as_ref().filter(|r| r.phase.is_stuck()) {
        return Err(Refused(format!(
            "{} is {}: first `tidegate rollback {pipeline}` or `tidegate accept {pipeline}`",
            release.id,
            release.phase.name()
        )));
    }
    let mut head = scene.head.stepped();
    head.freeze = None;
    Ok(of_pipeline(head, actor, "unfrozen", why.to_owned(), now))
}

/// `block`: these bytes are not released here.
pub fn block(
    scene: &Scene,
    digest: &Digest,
    actor: &str,
    why: &str,
    now: Timestamp,
) -> Result<Change, Refused> {
    if let Some(block) = scene.blocked.get(digest) {
        return Err(Refused(format!("blocked already since {}: {}", block.release, block.why)));
    }
    let mut head = scene.head.stepped();
    let release = ReleaseId::new(head.pipeline.clone(), head.live.unwrap_or_default());
    let block = Block { digest: digest.clone(), release, why: format!("{actor}: {why}"), at: now };
    let mut change = of_pipeline(head, actor, "blocked", format!("{digest}: {why}"), now);
    change.blocks = vec![block];
    Ok(change)
}

/// `unblock`: these bytes may be released again, by the next push or `start`.
pub fn unblock(scene: &Scene, digest: &Digest, actor: &str, now: Timestamp) -> Result<Change, Refused> {
    if !scene.blocked.contains_key(digest) {
        return Err(Refused(format!("{digest} is not blocked in {}", scene.head.pipeline)));
    }
    let mut head = scene.head.stepped();
    // Forgotten, so that the sweep may bring the bytes again if their tag still selects them.
    head.answered.retain(|_, memory| memory.digest != *digest);
    let mut change = of_pipeline(head, actor, "unblocked", digest.to_string(), now);
    change.unblocks = BTreeSet::from([digest.clone()]);
    Ok(change)
}

/// What `config apply` writes for a pipeline that is new, or whose config changed.
///
/// Adoption moves nothing: what runs now becomes a release with cause `adopted`, and the newest
/// matching pushes count as answered.
pub fn apply_config(
    before: Option<&Scene>,
    config: &PipelineConfig,
    runs: BTreeMap<String, ReleaseImage>,
    answered: BTreeMap<String, Memory>,
    actor: &str,
    now: Timestamp,
) -> Result<Change, Refused> {
    if let Some(release) = before.and_then(|scene| scene.moving.as_ref()) {
        return Err(Refused(format!(
            "{} is {} and owns its targets; apply the config when it has ended",
            release.id,
            release.phase.name()
        )));
    }
    let mut head = before.map_or_else(|| first_head(&config.name), |scene| scene.head.clone());
    head.step += 1;
    head.config += 1;
    for (image, memory) in answered {
        head.answered.entry(image).or_insert(memory);
    }
    let known = before.and_then(|scene| scene.live.as_ref());
    let new = runs.iter().any(|(name, _)| known.is_none_or(|live| !live.images.contains_key(name)));
    let reason = format!("config version {} applied by {actor}", head.config);
    if !new {
        return Ok(of_pipeline(head, actor, "configured", reason, now));
    }
    let mut images = known.map(|live| live.images.clone()).unwrap_or_default();
    for (name, image) in runs {
        images.entry(name).or_insert(image);
    }
    let release = Release {
        id: ReleaseId::new(config.name.clone(), head.next),
        step: 1,
        cause: Cause::Adopted,
        by: actor.to_owned(),
        at: now,
        config: head.config,
        images,
        waves: config.target_waves(),
        phase: Phase::Live { at: now, unproven: false, accepted: false },
        without_way_back: false,
        failure: None,
        todo: None,
        nudge: 0,
    };
    head.live = Some(head.next);
    head.next += 1;
    let mut entry = release_entry(&release, &release, actor, reason, None, now);
    entry.from = "none".to_owned();
    Ok(Change {
        head: Some(head),
        releases: vec![release],
        journal: vec![entry],
        ..Change::default()
    })
}

fn first_head(pipeline: &str) -> Head {
    Head {
        pipeline: pipeline.to_owned(),
        step: 0,
        next: 1,
        moving: None,
        waiting: None,
        live: None,
        answered: BTreeMap::new(),
        freeze: None,
        config: 0,
    }
}

fn moving(scene: &Scene) -> Result<&Release, Refused> {
    scene.moving.as_ref().ok_or_else(|| {
        Refused(format!(
            "nothing moves in {0}; `tidegate status {0}` shows where it stands",
            scene.head.pipeline
        ))
    })
}

fn of_pipeline(head: Head, actor: &str, to: &str, why: String, now: Timestamp) -> Change {
    let entry = pipeline_entry(&head, actor, to, why, None, now);
    Change { head: Some(head), journal: vec![entry], ..Change::default() }
}
