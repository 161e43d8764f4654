//! Exit codes: an interface, like the JSON.

use std::process::ExitCode;

use tidegate_core::model::{Phase, Release};

/// How a command ended. `show`, `status`, `follow` and `wait` answer with a release's state; every
/// other command with whether it did what it was asked.
///
/// The order is that of seriousness: of several pipelines the worst one speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done; of a release: live, or undone as asked.
    Done = 0,
    /// It could not be done, was refused, or the release never started.
    Failed = 1,
    /// Wrong usage; nothing was done.
    Usage = 2,
    /// The release still moves.
    Moving = 10,
    /// The release waits, or is frozen: a person or another release decides.
    Held = 20,
    /// The release failed, and everything is back on what ran before.
    RolledBack = 21,
    /// The targets are not on one set of digests: rollback failed, drifted or abandoned.
    Broken = 22,
}

impl Exit {
    /// What a release's state means for whoever asked about it.
    pub fn of(release: &Release) -> Self {
        match &release.phase {
            Phase::Live { .. } => Self::Done,
            Phase::Superseded { .. }
            | Phase::Expired { .. }
            | Phase::Rejected { .. }
            | Phase::Refused { .. } => Self::Failed,
            Phase::Surveying { held: None, .. }
            | Phase::Rolling { .. }
            | Phase::Baking { .. }
            | Phase::RollingBack { .. } => Self::Moving,
            Phase::Waiting { .. }
            | Phase::Surveying { held: Some(_), .. }
            | Phase::Frozen { .. } => Self::Held,
            // What undid one-off tasks to its end.
            Phase::RolledBack { .. } if release.cause.undoes() && release.failure.is_none() => {
                Self::Done
            }
            Phase::RolledBack { .. } => Self::RolledBack,
            Phase::RollbackFailed { .. } | Phase::Drifted { .. } | Phase::Abandoned { .. } => {
                Self::Broken
            }
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
