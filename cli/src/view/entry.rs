//! A line of the audit trail.

use std::fmt;

use serde::Serialize;
use tidegate_core::model::{Entry, Subject};

use super::moment;
use crate::output::Tone;

/// A line of the audit trail, with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct EntryView(pub Entry);

impl EntryView {
    /// Who or what changed: the service, the release, or the pipeline.
    fn subject(&self) -> String {
        match &self.0.subject {
            Subject::Target { target } => target.name.clone(),
            Subject::Release => self.0.release.to_string(),
            Subject::Pipeline => self.0.release.pipeline.clone(),
        }
    }

    /// `surveying → rolling`, or the new state alone.
    fn step(&self) -> String {
        let Entry { from, to, .. } = &self.0;
        if from.is_empty() || from == to { to.clone() } else { format!("{from} → {to}") }
    }

    /// What happened and why, without the time and the evidence.
    pub(super) fn sentence(&self) -> String {
        format!("{} {}: {}", self.subject(), Tone::Strong.of(self.step()), self.0.reason)
    }
}

impl fmt::Display for EntryView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", Tone::Faint.of(moment(self.0.at)), self.sentence())?;
        let Entry { actor, reason, .. } = &self.0;
        if actor != "tidegate" && !reason.contains(actor.as_str()) {
            write!(f, " {}", Tone::Faint.of(format_args!("({actor})")))?;
        }
        self.0.evidence.iter().try_for_each(|line| write!(f, "\n    - {line}"))
    }
}
