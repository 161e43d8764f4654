//! What ECS says about a stopped task, told as cause and remedy, and whether it counts against
//! the release.

mod table;

use table::ROWS;

use super::words::seconds;
use crate::model::{Blame, TaskFailure};

/// A stopped task, in a person's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What happened: a sentence without capital and full stop.
    pub cause: String,
    /// What usually mends it: sentences, without the last full stop.
    pub remedy: String,
    /// How it counts.
    pub counts: Counts,
    /// Whose fault it is, if it turns out to decide the release.
    pub blame: Blame,
}

/// How a stopped task counts against the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// One such task is enough: the next one would end the same way.
    Decisive,
    /// One of `failed_tasks`.
    Counts,
    /// It ended with code 0: a failure only where the baseline's tasks do not do so.
    ExitZero,
    /// Not the release's doing, and why: neither counted nor blocked.
    Innocent(&'static str),
}

/// Tells what a stopped task means.
pub fn explain(failure: &TaskFailure) -> Explanation {
    let said =
        format!("{} {} {}", failure.stop_code, failure.reason, failure.detail).to_lowercase();
    ROWS.iter()
        .find(|row| row.fits(&said))
        .map_or_else(|| by_exit_code(failure), table::Row::explanation)
}

/// A task that ran and ended by itself, or of which nothing is known.
fn by_exit_code(failure: &TaskFailure) -> Explanation {
    let container = if failure.container.is_empty() {
        "a container".to_owned()
    } else {
        format!("container `{}`", failure.container)
    };
    let after = failure.ran_seconds.map_or(String::new(), |ran| format!(" after {}", seconds(ran)));
    let Some(code) = failure.exit_code else {
        return Explanation {
            cause: format!("{container} stopped without an exit code{after}"),
            remedy: "Read AWS's words, and the container's log".to_owned(),
            counts: Counts::Counts,
            // Nothing points at the bytes, so they are not blocked.
            blame: Blame::Other,
        };
    };
    Explanation {
        cause: format!("{container} exited with code {code}{after}"),
        remedy: remedy_for(code, failure.at_start()).to_owned(),
        counts: if code == 0 { Counts::ExitZero } else { Counts::Counts },
        blame: Blame::Image,
    }
}

fn remedy_for(code: i64, at_start: bool) -> &'static str {
    match code {
        0 => {
            "A service's container must not end: check the command, or say that ending is normal \
             by running it as a scheduled task"
        }
        1 if at_start => {
            "At the start this is usually a missing variable or secret: read the first lines of \
             the container's log"
        }
        126 | 127 => {
            "The shell could not run the command: compare the task definition's command with what \
             the image holds"
        }
        137 => {
            "It was killed (SIGKILL): usually memory, or a stop that took longer than stopTimeout"
        }
        139 => "It crashed (SIGSEGV): usually a native library that does not fit the processor",
        143 => "It was asked to stop (SIGTERM): find who asked",
        _ => "Read the last lines of the container's log",
    }
}
