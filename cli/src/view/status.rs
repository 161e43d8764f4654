//! Where a pipeline stands, and why nothing more happens.

use std::fmt;

use serde::Serialize;
use tidegate_core::model::{Block, Freeze, Release, Retired, Scene, Slot, WaitingOn};

use super::outcome::wait_in_words;
use super::ways_out::ways_out;
use super::{ReleaseView, TargetView, image, moment};
use crate::Exit;
use crate::output::Tone;

/// Where a pipeline stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PipelineView {
    /// Its name.
    pub pipeline: String,
    /// The config version in force.
    pub config: u64,
    /// Set where it is out of force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired: Option<Retired>,
    /// Set while nothing new starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Freeze>,
    /// The newest release that became live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<ReleaseView>,
    /// The newest release, where it ended otherwise: it was brought back, abandoned, refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<ReleaseView>,
    /// The release that moves, or stopped where a person decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moving: Option<ReleaseView>,
    /// What the moving release does to its targets.
    pub targets: Vec<TargetView>,
    /// The release that waits its turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<ReleaseView>,
    /// Why nothing more happens now.
    pub waiting_on: Vec<WaitingOn>,
    /// The digests that are not released here.
    pub blocked: Vec<Block>,
    /// What can be typed.
    pub ways_out: Vec<String>,
    #[serde(skip)]
    exit: Exit,
}

impl PipelineView {
    /// What the table shows, and what a decision made now would wait for.
    ///
    /// `last` is the newest release, where it ended and is not what is live.
    pub fn new(scene: &Scene, last: Option<&Release>, waiting_on: Vec<WaitingOn>) -> Self {
        let Scene { head, config: _, moving, waiting, live, slots: _, blocked, rejected: _ } =
            scene;
        let owned: Vec<Slot> = scene.owned().cloned().collect();
        let exit = match (moving, waiting) {
            (Some(release), _) => Exit::of(release),
            (None, None) if head.freeze.is_none() || head.retired.is_some() => Exit::Done,
            _ => Exit::Held,
        };
        Self {
            pipeline: head.pipeline.clone(),
            config: head.config,
            retired: head.retired.clone(),
            freeze: head.freeze.clone(),
            live: live.as_ref().map(ReleaseView::new),
            last: last.map(ReleaseView::new),
            moving: moving.as_ref().map(ReleaseView::new),
            targets: moving.iter().flat_map(|release| TargetView::all(release, &owned)).collect(),
            waiting: waiting.as_ref().map(ReleaseView::new),
            waiting_on,
            blocked: blocked.values().cloned().collect(),
            ways_out: ways_out(scene, last),
            exit,
        }
    }

    /// The state as an exit code.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for PipelineView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pipeline,
            config,
            retired,
            freeze,
            live,
            last,
            moving,
            targets,
            waiting,
            waiting_on,
            blocked,
            ways_out,
            exit: _,
        } = self;
        writeln!(f, "{}  config version {config}", Tone::Strong.of(pipeline))?;
        if let Some(Retired { by, why, at }) = retired {
            let retired = Tone::Bad.of("retired");
            writeln!(f, "  {retired}  since {} by {by}: {why}", moment(*at))?;
            writeln!(f, "           `tidegate config apply` of a file that has it brings it back")?;
        }
        if let Some(Freeze { by, why, at }) = freeze {
            let frozen = Tone::Bad.of("frozen ");
            writeln!(f, "  {frozen}  since {} by {by}: {why}", moment(*at))?;
        }
        match live {
            None => writeln!(f, "  live     nothing yet")?,
            Some(live) => standing(f, "live", live)?,
        }
        if let Some(last) = last {
            standing(f, "last", last)?;
            because(f, last)?;
        }
        if let Some(moving) = moving {
            standing(f, "moving", moving)?;
            waves(f, targets)?;
            because(f, moving)?;
        }
        if let Some(waiting) = waiting {
            standing(f, "waiting", waiting)?;
        }
        for Block { digest, release, why, at: _ } in blocked {
            // Whole, as `unblock` takes it.
            writeln!(f, "  blocked  {digest} since {release}: {why}")?;
        }
        for on in waiting_on {
            writeln!(f, "  {}    {}", Tone::Waiting.of("waits"), wait_in_words(on))?;
        }
        ways_out.iter().try_for_each(|line| writeln!(f, "  type     {line}"))
    }
}

fn standing(f: &mut fmt::Formatter<'_>, role: &str, view: &ReleaseView) -> fmt::Result {
    let images = image::list(&view.images);
    writeln!(f, "  {role:<7}  {}  {images}  {}", Tone::Strong.of(&view.release), view.state())
}

fn because(f: &mut fmt::Formatter<'_>, view: &ReleaseView) -> fmt::Result {
    match &view.failure {
        Some(failure) => writeln!(f, "    {} {}", Tone::Bad.of("because"), failure.cause),
        None => Ok(()),
    }
}

fn waves(f: &mut fmt::Formatter<'_>, targets: &[TargetView]) -> fmt::Result {
    let width = targets.iter().map(|view| view.target.name.len()).max().unwrap_or_default();
    let mut last = None;
    for view in targets {
        if last.replace(view.wave) != Some(view.wave) {
            writeln!(f, "    {}", view.heading())?;
        }
        writeln!(f, "      {}", view.line(width))?;
        for note in view.baseline.iter().flat_map(|baseline| &baseline.notes) {
            writeln!(f, "        {}", Tone::Waiting.of(note))?;
        }
    }
    Ok(())
}
