//! The documented JSON (docs/notifications.md): what programs read, and what the other forms
//! are made from.

use serde::Serialize;

use super::limits::{self, clip, clip_all};
use crate::model::{Entry, Notice, ReleaseId, Subject};

/// One notification. Fields are only ever added; `version` changes when one changes its meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notification {
    /// `1`
    pub version: &'static str,
    /// The same for every delivery of the same notification, on every channel.
    pub id: String,
    /// `started`, `live`, …
    pub kind: &'static str,
    /// `info`, `warning`, `critical`
    pub severity: &'static str,
    /// The pipeline's name.
    pub pipeline: String,
    /// `someli-production/42`; number 0 is the pipeline itself.
    pub release: String,
    /// When it happened, RFC 3339.
    pub at: String,
    /// Who: `tidegate`, `ecr`, `sweep`, or an ARN.
    pub actor: String,
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
    /// Why, in one sentence.
    pub reason: String,
    /// One line.
    pub title: String,
    /// Paragraphs of plain text.
    pub text: Vec<String>,
    /// What was seen, in AWS's words.
    pub evidence: Vec<String>,
    /// One line for each target that matters.
    pub targets: Vec<String>,
    /// What a person can type, each with a comment.
    pub commands: Vec<String>,
}

impl Notification {
    /// The notification of an entry; `None` when nobody is to be told.
    pub fn of(entry: &Entry) -> Option<Self> {
        let Entry { release, subject: _, step: _, at, actor, from, to, reason, evidence, notice } =
            entry;
        let Notice { kind, severity, title, text, commands, targets } = notice.as_ref()?;
        Some(Self {
            version: "1",
            id: id(entry),
            kind: kind.name(),
            severity: severity.name(),
            pipeline: release.pipeline.clone(),
            release: release.to_string(),
            at: at.to_string(),
            actor: clip(actor, limits::LINE),
            from: from.clone(),
            to: to.clone(),
            reason: clip(reason, limits::PARAGRAPH),
            title: clip(title, limits::TITLE),
            text: clip_all(text, limits::PARAGRAPHS, limits::PARAGRAPH),
            evidence: clip_all(evidence, limits::EVIDENCE, limits::LINE),
            targets: clip_all(targets, limits::TARGETS, limits::TARGET),
            commands: clip_all(commands, limits::EVIDENCE, limits::LINE),
        })
    }

    /// When it happened, to the second: programs order by fractions, people do not read them.
    pub(super) fn moment(&self) -> String {
        self.at.split_once('.').map_or_else(|| self.at.clone(), |(second, _)| format!("{second}Z"))
    }
}

/// Names an entry for ever: its release, its subject, its step.
pub fn id(entry: &Entry) -> String {
    let ReleaseId { pipeline, number } = &entry.release;
    let step = entry.step;
    match &entry.subject {
        Subject::Release => format!("{pipeline}/{number}/release/{step}"),
        Subject::Target { target } => format!("{pipeline}/{number}/{target}/{step}"),
        Subject::Pipeline => format!("{pipeline}/pipeline/{step}"),
    }
}
