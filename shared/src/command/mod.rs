//! What an operator can say, as changes of the table: the same transactions as the functions'.

mod adopt;
mod approval;
mod gate;
mod go;
mod retire;
mod rollback;
mod undo;

use jiff::Timestamp;

pub use adopt::apply_config;
pub use approval::{approve, reject};
pub use gate::{block, freeze, unblock, unfreeze};
pub use go::{abandon, accept, start, start_without_way_back, survey_again};
pub use retire::{check_in_force, retire};
pub use rollback::{Ending, RollbackOptions, go_back_again, rollback_moving, rollback_to};
pub use undo::undo;

use crate::decide::pipeline_entry;
use crate::messages::what_ends;
use crate::model::{Change, Head, Release, ReleaseId, ReleaseImage, Scene};

/// Why a command is refused: what is so, and what can be typed instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

/// The release that moves or is stuck.
fn moving(scene: &Scene) -> Result<&Release, Refused> {
    let moving = scene.moving.as_ref().filter(|release| !release.phase.is_ended());
    moving.ok_or_else(|| nothing_moves(&scene.head.pipeline))
}

/// Why a word about what moves is refused where nothing does.
pub fn nothing_moves(pipeline: &str) -> Refused {
    Refused(format!(
        "nothing moves in {pipeline}; `tidegate status {pipeline}` shows where it stands"
    ))
}

/// Refuses a word about `shown` where another release moves by now.
pub fn check_moves(scene: &Scene, shown: &ReleaseId) -> Result<(), Refused> {
    let release = moving(scene)?;
    if release.id == *shown {
        return Ok(());
    }
    Err(Refused(format!(
        "{shown} has ended, and {} is {} by now: look at `tidegate status {}`, and type it again if \
         you mean that one",
        release.id,
        release.phase.name(),
        shown.pipeline
    )))
}

/// Refuses a word about `shown`, which was live when a person looked, where another release is by now.
pub fn check_live(scene: &Scene, shown: Option<u64>) -> Result<(), Refused> {
    let (head, pipeline) = (&scene.head, &scene.head.pipeline);
    match head.live.filter(|live| Some(*live) != shown) {
        None => Ok(()),
        Some(live) => Err(Refused(format!(
            "{pipeline}/{live} became live since you looked: see `tidegate status {pipeline}`, and type \
             it again if you mean to leave that one"
        ))),
    }
}

/// Refuses `what`, which the targets of a release are not free for while it moves or is stuck.
fn check_owns_nothing(scene: &Scene, what: &str) -> Result<(), Refused> {
    let Some(release) = &scene.moving else { return Ok(()) };
    Err(Refused(format!(
        "{} is {} and owns its targets; {what} when it has ended: {}",
        release.id,
        release.phase.name(),
        what_ends(release)
    )))
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
