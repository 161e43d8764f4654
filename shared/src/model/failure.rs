//! What went wrong, and whether the image is to blame.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a rollout failed, with what a person needs to believe it and to act on it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Failure {
    /// The cause, one sentence without a full stop.
    pub cause: String,
    /// What usually mends it.
    pub remedy: String,
    /// What was seen: stop codes, exit codes, reasons in AWS's words.
    pub evidence: Vec<String>,
    /// Whether the digest is to blame, and so is blocked.
    pub blame: Blame,
    /// When it was judged.
    pub at: Timestamp,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, remedy, evidence, blame: _, at: _ } = self;
        write!(f, "{cause}")?;
        if !evidence.is_empty() {
            write!(f, " ({})", evidence.join("; "))?;
        }
        if !remedy.is_empty() {
            write!(f, ". {remedy}")?;
        }
        Ok(())
    }
}

/// Who is to blame; the surest verdict comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// These bytes: they are not released here again until a person unblocks them.
    Image,
    /// Infrastructure, permissions, somebody else's change: the bytes may be fine.
    Other,
    /// A deadline passed without evidence: `on_timeout` decides.
    Silence,
}

/// One task of our revision that stopped for a reason that counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TaskFailure {
    /// The task's id (the last part of its ARN).
    pub task: String,
    /// ECS's stop code, or empty.
    pub stop_code: String,
    /// ECS's stopped reason.
    pub reason: String,
    /// The container that ended it, where known.
    pub container: String,
    /// Its exit code; absent when it never ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// The container's own reason, where given.
    #[serde(default)]
    pub detail: String,
    /// Seconds it ran; absent when it never ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_seconds: Option<u64>,
    /// When it stopped.
    pub at: Timestamp,
}

impl TaskFailure {
    /// Within the first minute a program still reads its settings; what falls then fell at its start.
    const START: u64 = 60;

    /// ECS's own texts are not longer; an item of the table holds twenty of these.
    const LONGEST: usize = 1024;

    /// The same with no text longer than the table's item can bear.
    #[must_use]
    pub fn cut(mut self) -> Self {
        let Self { task, stop_code, reason, container, detail, .. } = &mut self;
        for text in [task, stop_code, reason, container, detail] {
            text.truncate(text.floor_char_boundary(Self::LONGEST));
        }
        self
    }

    /// A container of it ended, and nobody stopped it: what ECS stops for a rollout, or a person, may
    /// exit with 0 as well.
    pub fn ended_by_itself(&self) -> bool {
        self.stop_code == "EssentialContainerExited"
    }

    /// It ended at its start, or never ran.
    pub fn at_start(&self) -> bool {
        self.ran_seconds.is_none_or(|ran| ran <= Self::START)
    }
}

impl fmt::Display for TaskFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, stop_code, reason, container, exit_code, detail, ran_seconds: _, at: _ } =
            self;
        write!(f, "task {task}")?;
        match exit_code {
            Some(code) => write!(f, ": container {container} exited {code}")?,
            None => write!(f, ": no exit code")?,
        }
        for part in [stop_code, reason, detail] {
            if !part.is_empty() {
                write!(f, ", {part}")?;
            }
        }
        Ok(())
    }
}

/// The container that ended a task: one that failed by itself, then any that says why, then one
/// that ended with 0, then any exit.
///
/// When a task stops, ECS stops its other containers too: those end with 143 (SIGTERM) or 137
/// (SIGKILL), and did not cause it.
pub fn fell<C>(
    containers: &[C],
    exit_code: impl Fn(&C) -> Option<i64>,
    says_why: impl Fn(&C) -> bool,
) -> Option<&C> {
    containers
        .iter()
        .find(|c| exit_code(c).is_some_and(|code| ![0, 137, 143].contains(&code)))
        .or_else(|| containers.iter().find(|c| says_why(c) && exit_code(c) != Some(0)))
        .or_else(|| containers.iter().find(|c| exit_code(c) == Some(0)))
        .or_else(|| containers.iter().find(|c| exit_code(c).is_some()))
}
