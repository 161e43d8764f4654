//! Down: a person runs what undoes the one-off tasks of a release that is not live any more.

use jiff::Timestamp;

use super::Refused;
use crate::model::{Cause, Change, Phase, Release, Scene, Slot};
use crate::push::new_release;

/// `rollback --down`: a new release that runs the `down` commands, and nothing else.
///
/// `ran` are the slots of the config's one-off tasks, and `last` is the release that owns the newest of
/// them.
pub fn undo(
    scene: &Scene,
    ran: &[Slot],
    last: &Release,
    actor: &str,
    now: Timestamp,
) -> Result<Change, Refused> {
    let pipeline = &scene.head.pipeline;
    if let Some(moving) = &scene.moving {
        return Err(Refused(format!(
            "{} is {}: `tidegate rollback {pipeline}` brings the services back first, then --down \
             undoes what was run",
            moving.id,
            moving.phase.name()
        )));
    }
    if scene.head.live == Some(last.id.number) {
        return Err(Refused(format!(
            "{} is live, and its services need what was run: `tidegate rollback {pipeline}` goes \
             back first",
            last.id
        )));
    }
    let of = match last.cause {
        Cause::Undo { of } if matches!(last.phase, Phase::RolledBack { .. }) => {
            return Err(Refused(format!("{} undid the one-off tasks of {of} already", last.id)));
        }
        Cause::Undo { of } => of,
        _ => last.id.number,
    };
    let own = ran.iter().filter(|slot| slot.release == last.id && slot.done.called.is_some());
    let can = |slot: &Slot| scene.config.task(&slot.target).is_some_and(|task| task.down.is_some());
    if !own.clone().any(can) {
        return Err(Refused(format!(
            "{} ran no one-off task that the config says how to undo (`down`)",
            last.id
        )));
    }
    let mut head = scene.head.stepped();
    let reason = format!("{actor} undoes the one-off tasks of {pipeline}/{of}");
    let (cause, images) = (Cause::Undo { of }, last.images.clone());
    let mut change = new_release(scene, &mut head, cause, images, actor, reason, now);
    change.head = Some(head);
    Ok(change)
}
