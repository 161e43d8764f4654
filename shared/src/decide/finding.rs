//! What a survey finds at a target: what it runs, what it will run, or why not.

use crate::model::{Baseline, Pin};

/// What the survey found at one target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Finding {
    /// It can be released, and (unless a digest is missing) brought back.
    Ready {
        /// What it runs now.
        baseline: Box<Baseline>,
        /// What it will run.
        pins: Vec<Pin>,
        /// The revision registered for it.
        revision: String,
        /// What differs between it and what runs, a line each.
        difference: Vec<String>,
    },
    /// No container runs an image of the release.
    Unaffected {
        /// What it runs now.
        baseline: Box<Baseline>,
    },
    /// Somebody else's deployment is in flight there.
    Busy(String),
    /// A promoted image is not where it is read from here, yet.
    Awaited(String),
    /// The pipeline that the release comes from does not stand by it any more.
    Withdrawn(String),
    /// It cannot be released as it is.
    Unfit(String),
}
