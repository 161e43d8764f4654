//! What an operator can say, as changes of the table: the same transactions as the functions'.

mod adopt;
mod approval;
mod gate;
mod go;
mod rollback;
mod undo;

use jiff::Timestamp;

pub use adopt::apply_config;
pub use approval::{approve, reject};
pub use gate::{block, freeze, unblock, unfreeze};
pub use go::{abandon, accept, start, start_without_way_back};
pub use rollback::{Ending, RollbackOptions, rollback_moving, rollback_to};
pub use undo::undo;

use crate::decide::pipeline_entry;
use crate::model::{Change, Head, Release, ReleaseImage, Scene};

/// Why a command is refused: what is so, and what can be typed instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

/// The release that moves or is stuck.
fn moving(scene: &Scene) -> Result<&Release, Refused> {
    scene.moving.as_ref().filter(|release| !release.phase.is_ended()).ok_or_else(|| {
        let pipeline = &scene.head.pipeline;
        Refused(format!(
            "nothing moves in {pipeline}; `tidegate status {pipeline}` shows where it stands"
        ))
    })
}

/// Blocked bytes are nobody's to release, also not an operator's: first they are unblocked.
fn check_not_blocked<'a>(
    scene: &Scene,
    images: impl IntoIterator<Item = &'a ReleaseImage>,
) -> Result<(), Refused> {
    match images.into_iter().find_map(|image| scene.blocked.get(&image.digest)) {
        None => Ok(()),
        Some(block) => Err(Refused(format!(
            "{block}; `tidegate unblock {} {}` allows it again",
            scene.head.pipeline, block.digest
        ))),
    }
}

fn of_pipeline(head: Head, actor: &str, to: &str, why: String, now: Timestamp) -> Change {
    let entry = pipeline_entry(&head, actor, to, why, None, now);
    Change { head: Some(head), journal: vec![entry], ..Change::default() }
}

#[cfg(test)]
mod tests;
