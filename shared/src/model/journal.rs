//! The audit trail: one entry for each change of state, with who, why and evidence.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ReleaseId, TargetId};

/// One line of the audit trail; put once, never updated.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// The release it belongs to; number 0 is the pipeline itself (freeze, block, config).
    pub release: ReleaseId,
    /// What changed.
    pub subject: Subject,
    /// The changing item's own step: numbers the entry.
    pub step: u64,
    /// When.
    pub at: Timestamp,
    /// Who: `tidegate`, `ecr`, or the ARN that STS names.
    pub actor: String,
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
    /// Why; never empty.
    pub reason: String,
    /// What was seen.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// What people are told, if anything; its presence wakes notify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
}

/// What an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// The release as a whole.
    Release,
    /// One of its targets.
    Target {
        /// Which.
        target: TargetId,
    },
    /// The pipeline's head: freeze, block, config.
    Pipeline,
}

/// What people are told. Complete in itself: notify reads nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub kind: NoticeKind,
    /// How loud.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// What happened and why, in paragraphs of plain text.
    pub text: Vec<String>,
    /// What the reader can type, if anything.
    #[serde(default)]
    pub commands: Vec<String>,
    /// One line for each target that matters: `service: state`.
    #[serde(default)]
    pub targets: Vec<String>,
}

/// The kinds of notification, as documented in docs/notifications.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it; docs/notifications.md explains each")]
pub enum NoticeKind {
    Started,
    Waiting,
    Live,
    RollbackStarted,
    RolledBack,
    RollbackFailed,
    Frozen,
    Drifted,
    Abandoned,
    Expired,
    Rejected,
    Refused,
    RetagFailed,
    RunFailed,
}

impl NoticeKind {
    /// As the JSON and the message attributes write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Waiting => "waiting",
            Self::Live => "live",
            Self::RollbackStarted => "rollback_started",
            Self::RolledBack => "rolled_back",
            Self::RollbackFailed => "rollback_failed",
            Self::Frozen => "frozen",
            Self::Drifted => "drifted",
            Self::Abandoned => "abandoned",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Refused => "refused",
            Self::RetagFailed => "retag_failed",
            Self::RunFailed => "run_failed",
        }
    }
}

/// How loud a notification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// All is as it should be.
    Info,
    /// Something failed and Tidegate deals with it, or waits for a person.
    Warning,
    /// Tidegate cannot mend it: a person must act now.
    Critical,
}

impl Severity {
    /// As the JSON and the message attributes write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}
