//! What a decision of the operator's came to.

use std::fmt;

use serde::Serialize;
use tidegate_core::config::PipelineConfig;
use tidegate_core::messages::retired;
use tidegate_core::model::{Block, Change, Digest, Freeze, Release, Scene, WaitingOn};

use super::ways_out::ways_out;
use super::{EntryView, ReleaseView, moment};
use crate::output::Tone;

/// What a decision of the operator's came to, or would come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The pipeline.
    pub pipeline: String,
    /// Nothing was written: this is what would be.
    pub dry_run: bool,
    /// What was decided, as the audit trail says it.
    pub changes: Vec<EntryView>,
    /// The release that it is about, where it is about one, as it stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseView>,
    /// The release that moves after it, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<ReleaseView>,
    /// The digests that it blocks.
    pub blocks: Vec<Block>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// The freeze that the pipeline is in with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Freeze>,
    /// What is waited for now.
    pub waiting_on: Vec<WaitingOn>,
    /// What can be typed next.
    pub ways_out: Vec<String>,
}

impl Outcome {
    /// What `change` would come to.
    pub fn imagined(scene: &Scene, change: &Change) -> Self {
        Self { dry_run: true, ..Self::unread(scene, change, Vec::new()) }
    }

    /// What `change` came to where nobody read what it led to; `before` is what it was decided on.
    pub fn unread(before: &Scene, change: &Change, waiting_on: Vec<WaitingOn>) -> Self {
        Self { ways_out: Vec::new(), ..Self::written(before, change, waiting_on) }
    }

    /// What `change` came to; `after` is what was read then.
    pub fn written(after: &Scene, change: &Change, waiting_on: Vec<WaitingOn>) -> Self {
        let decided = change.releases.first();
        let newer = |release: &Release| {
            let known = [&after.moving, &after.waiting, &after.live].into_iter().flatten();
            known.filter(|k| k.id == release.id).max_by_key(|k| k.step).cloned()
        };
        let release = decided.map(|release| match newer(release) {
            Some(newer) if newer.step > release.step => ReleaseView::new(&newer),
            _ => ReleaseView::new(release),
        });
        let other = |it: &&Release| decided.is_some_and(|decided| decided.id != it.id);
        let next = after.moving.as_ref().filter(other).map(ReleaseView::new);
        Self {
            pipeline: after.head.pipeline.clone(),
            dry_run: false,
            next,
            changes: change.journal.iter().cloned().map(EntryView).collect(),
            release,
            blocks: change.blocks.clone(),
            notes: notes(after, change),
            freeze: change.head.as_ref().and_then(|head| head.freeze.clone()),
            waiting_on,
            ways_out: ways_out(after, decided),
        }
    }
}

/// What becomes of bytes that are allowed again and not live.
fn notes(scene: &Scene, change: &Change) -> Vec<String> {
    let live = |digest: &&Digest| {
        let images = scene.live.iter().flat_map(|live| live.images.values());
        images.into_iter().any(|image| image.digest == **digest)
    };
    let line = |digest| retired(&scene.head).unwrap_or_else(|| what_brings(scene, digest));
    change.unblocks.iter().filter(|digest| !live(digest)).map(line).collect()
}

/// The sweep finds the newest by its tags, or where it is promoted from; all else is a person's to bring.
fn what_brings(scene: &Scene, digest: &Digest) -> String {
    let PipelineConfig { name, images, promote_from, approval, join_on, .. } = &scene.config;
    let bytes = digest.short();
    let names: Vec<_> = images.keys().map(String::as_str).collect();
    let is_set = names.len() > 1 && (join_on.is_some() || promote_from.is_some());
    let start = match &names[..] {
        // One named image would be half of a build.
        _ if is_set => {
            format!("`tidegate start` of the release that brought it (`tidegate history {name}`)")
        }
        [image] => format!("`tidegate start {name} --image {image}={digest}`"),
        // Nobody knows here whose bytes these are.
        _ => {
            format!("`tidegate start {name} --image NAME={digest}` (NAME: {})", names.join(" or "))
        }
    };
    let others = scene.blocked.keys().any(|other| other != digest);
    let free = if is_set && others { " and nothing else of its set is blocked" } else { "" };
    let brings = match (promote_from, approval) {
        (None, _) => format!(
            "if {bytes} is still the newest that its tags select{free}, the sweep brings it within five \
             minutes, else {start} does"
        ),
        (Some(from), Some(_)) => format!(
            "if {bytes} is the newest that {from} proved, live there still{free}, the sweep offers it \
             within five minutes, else {start} brings it"
        ),
        // Without an approval nothing is offered.
        (Some(_), None) => format!("{bytes} does not come by itself: {start} brings it"),
    };
    match scene.head.freeze {
        None => brings,
        Some(_) => format!("{brings}, and it waits for `tidegate unfreeze {name}`"),
    }
}

/// `Rag: ECS to complete it (until …)`
pub(crate) fn wait_in_words(on: &WaitingOn) -> String {
    let WaitingOn { target, what, until } = on;
    let target = target.as_ref().map_or(String::new(), |target| format!("{}: ", target.name));
    let until = until.map_or(String::new(), |until| format!(" (until {})", moment(until)));
    format!("{target}{what}{until}")
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pipeline,
            dry_run,
            changes,
            release,
            next,
            blocks,
            notes,
            freeze,
            waiting_on,
            ways_out,
        } = self;
        for entry in changes {
            let would = if *dry_run { "would be written: " } else { "" };
            writeln!(f, "{would}{}", entry.sentence())?;
        }
        if let Some(release) = release {
            let now = if *dry_run { "would be" } else { "is" };
            writeln!(f, "{} {now} {}", Tone::Strong.of(&release.release), release.state())?;
        }
        for Block { digest, release: _, why, at: _ } in blocks {
            let blocked = if *dry_run { "would be blocked" } else { "is blocked" };
            writeln!(f, "{} {blocked}: {why}", digest.short())?;
        }
        notes.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        if let Some(Freeze { by: _, why, at: _ }) = freeze {
            let frozen = if *dry_run { "would be frozen" } else { "is frozen" };
            writeln!(f, "{pipeline} {frozen}: {why}")?;
        }
        if let Some(next) = next {
            writeln!(f, "{} moves now: {}", Tone::Strong.of(&next.release), next.state())?;
        }
        for on in waiting_on {
            writeln!(f, "{}: {}", Tone::Waiting.of("waits"), wait_in_words(on))?;
        }
        ways_out.iter().try_for_each(|line| writeln!(f, "type {line}"))
    }
}
