//! What a release did to one target.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use tidegate_core::messages;
use tidegate_core::model::{Baseline, Pin, Release, Slot, SlotPhase, TargetId, TaskFailure};
use tidegate_core::sighting::RunningImage;

use super::moment;
use crate::output::Tone;

/// What a release did to one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetView {
    /// The target.
    pub target: TargetId,
    /// Its wave, from 1; 0 is a one-off task before the first.
    pub wave: usize,
    /// The state's name; `not_surveyed` before it has one.
    pub phase: &'static str,
    /// The state in words.
    pub state: String,
    /// When silence becomes a verdict, while there is something to wait for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// What it should run.
    pub wanted: Vec<String>,
    /// The revision made for the release, once registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// What it ran before: the way back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineView>,
    /// Failing tasks of the revision.
    pub tasks: Vec<TaskFailure>,
    #[serde(skip)]
    tone: Tone,
}

/// What a target ran before a release.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BaselineView {
    /// When it was recorded.
    pub at: Timestamp,
    /// The revision that ran.
    pub running: String,
    /// The revision to go back to.
    pub revision: String,
    /// The bytes that ran, with how they were learnt.
    pub images: Vec<RunningImage>,
    /// Desired tasks then.
    pub desired: u32,
    /// Running tasks then.
    pub ran: u32,
    /// What a person should know of it.
    pub notes: Vec<String>,
}

impl TargetView {
    /// The targets of a release, in the order of its waves.
    pub(crate) fn all(release: &Release, slots: &[Slot]) -> Vec<Self> {
        let waves = release.waves.iter().enumerate();
        waves
            .flat_map(|(wave, targets)| targets.iter().map(move |target| (wave, target)))
            .map(|(wave, target)| {
                let (slot, wave) =
                    (slots.iter().find(|slot| slot.target == *target), release.wave_number(wave));
                match slot {
                    Some(slot) => Self::new(slot, wave),
                    None if release.approval_asked().is_some() => {
                        Self::without_slot(target, wave, "surveyed", "surveyed")
                    }
                    None => Self::without_slot(target, wave, "not_surveyed", "not surveyed"),
                }
            })
            .collect()
    }

    fn new(slot: &Slot, wave: usize) -> Self {
        let said = messages::state(slot);
        let state = said.split_once(": ").map_or(said.clone(), |(_, state)| state.to_owned());
        let (deadline, tone) = circumstances(&slot.phase);
        Self {
            target: slot.target.clone(),
            wave,
            phase: slot.phase.name(),
            state,
            deadline,
            wanted: slot.wanted.iter().map(Pin::reference).collect(),
            revision: slot.done.revision.clone(),
            baseline: Some(BaselineView::new(&slot.baseline)),
            tasks: slot.tasks.values().cloned().collect(),
            tone,
        }
    }

    /// A slot is made with the first wave.
    fn without_slot(target: &TargetId, wave: usize, phase: &'static str, state: &str) -> Self {
        Self {
            target: target.clone(),
            wave,
            phase,
            state: state.to_owned(),
            deadline: None,
            wanted: Vec::new(),
            revision: None,
            baseline: None,
            tasks: Vec::new(),
            tone: Tone::Faint,
        }
    }

    /// The heading of its wave.
    pub(crate) fn heading(&self) -> String {
        if self.wave == 0 { "pre-deploy".to_owned() } else { format!("wave {}", self.wave) }
    }

    /// One line: the service and its state.
    pub(super) fn line(&self, width: usize) -> String {
        let deadline = self.deadline.map_or(String::new(), |at| format!(" (until {})", moment(at)));
        format!("{:<width$}  {}{deadline}", self.target.name, self.tone.of(&self.state))
    }
}

fn circumstances(phase: &SlotPhase) -> (Option<Timestamp>, Tone) {
    match phase {
        SlotPhase::Queued | SlotPhase::Unaffected | SlotPhase::Untouched => (None, Tone::Faint),
        SlotPhase::Applying { .. } => (None, Tone::Moving),
        SlotPhase::Settling { deadline, .. } => (Some(*deadline), Tone::Moving),
        SlotPhase::Healthy { .. } => (None, Tone::Good),
        SlotPhase::Returning { deadline: until, .. } | SlotPhase::Sought { until, .. } => {
            (Some(*until), Tone::Waiting)
        }
        SlotPhase::Returned { .. } => (None, Tone::Waiting),
        SlotPhase::Failed { .. }
        | SlotPhase::ReturnFailed { .. }
        | SlotPhase::Drifted { .. }
        | SlotPhase::Left => (None, Tone::Bad),
    }
}

impl fmt::Display for TargetView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            target: _,
            wave: _,
            phase: _,
            state: _,
            deadline: _,
            wanted,
            revision,
            baseline,
            tasks,
            tone: _,
        } = self;
        writeln!(f, "{}", self.line(0))?;
        for reference in wanted {
            writeln!(f, "  wanted   {reference}")?;
        }
        if let Some(revision) = revision {
            writeln!(f, "  revision {revision}")?;
        }
        for task in tasks {
            writeln!(f, "  {}", Tone::Bad.of(task))?;
        }
        baseline.iter().try_for_each(|baseline| baseline.fmt(f))
    }
}

impl BaselineView {
    pub(super) fn new(baseline: &Baseline) -> Self {
        Self {
            at: baseline.at,
            running: baseline.running.clone(),
            revision: baseline.revision.clone(),
            images: baseline.images.clone(),
            desired: baseline.desired,
            ran: baseline.ran,
            notes: baseline.notes.clone(),
        }
    }
}

impl fmt::Display for BaselineView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, running, revision, images, desired, ran, notes } = self;
        writeln!(f, "  before   {running}, {ran} of {desired} tasks, {}", moment(*at))?;
        if revision != running {
            writeln!(f, "  way back {revision}")?;
        }
        for image in images {
            let digest = image.digest.as_ref().map_or("unknown bytes", |digest| digest.as_str());
            writeln!(f, "           {}: {digest} ({})", image.container, image.source)?;
        }
        for note in notes {
            writeln!(f, "           {}", Tone::Waiting.of(note))?;
        }
        Ok(())
    }
}
