//! Down: a person runs what undoes the one-off tasks of a release that is not live any more.

use jiff::Timestamp;

use super::Refused;
use super::rollback::check_settled;
use crate::model::{Cause, Change, Phase, Pin, Release, ReleaseId, Scene, Slot, SlotPhase};
use crate::push::new_release;

/// `rollback --down`: a new release that runs the `down` commands, and nothing else.
///
/// `ran` are the slots of the config's one-off tasks, `last` is the release that owns the newest of
/// them, and `step` is the head's when they were read.
pub fn undo(
    scene: &Scene,
    ran: &[Slot],
    last: &Release,
    step: u64,
    actor: &str,
    now: Timestamp,
) -> Result<Change, Refused> {
    let pipeline = &scene.head.pipeline;
    if let Some(stuck) = scene.moving.as_ref().filter(|it| it.cause.undoes() && it.phase.is_stuck())
    {
        return Err(Refused(format!(
            "{} is {}: look at what it left; `tidegate accept {pipeline}` leaves that as it is, and \
             then --down can be tried again",
            stuck.id,
            stuck.phase.name()
        )));
    }
    check_settled(scene)?;
    // What it ran may be needed by what was let go, or went live, while a person was asked.
    if scene.head.step != step {
        return Err(Refused(format!(
            "{pipeline} went on since: look at `tidegate status {pipeline}`, and type it again"
        )));
    }
    if scene.head.is_before_it_came_back(last.id.number) {
        return Err(Refused(format!(
            "{} is from before {pipeline} was retired, and others may need what it ran since; it is \
             undone by hand, from its revision in `tidegate show {}`",
            last.id, last.id
        )));
    }
    let own = || ran.iter().filter(|slot| slot.release == last.id);
    if let Some(live) = still_needed(scene, own()) {
        return Err(Refused(format!(
            "{live} is live with the bytes that ran it, and needs what they did: `tidegate rollback \
             {pipeline}` goes back first"
        )));
    }
    if matches!(last.phase, Phase::Abandoned { .. }) {
        return Err(Refused(format!(
            "{} was abandoned, and its services may run its bytes: bring them back first",
            last.id
        )));
    }
    let tried = last.cause.undoes();
    let done =
        |slot: &Slot| matches!(slot.phase, SlotPhase::Healthy { .. } | SlotPhase::Unaffected);
    let of = match last.cause {
        Cause::Undo { of } if own().all(done) => {
            return Err(Refused(format!("{} undid the one-off tasks of {of} already", last.id)));
        }
        Cause::Undo { of } => of,
        _ => last.id.number,
    };
    let can = |slot: &Slot| scene.config.task(&slot.target).is_some_and(|task| task.down.is_some());
    if !own().any(|slot| (tried || slot.ran()) && can(slot)) {
        return Err(Refused(format!(
            "{} ran no one-off task that the config says how to undo (`down`); what an earlier \
             release ran is undone by hand, from its revision in `tidegate show`",
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

/// The live release, where it has bytes that one of these tasks ran with.
fn still_needed<'s>(
    scene: &'s Scene,
    ran: impl Iterator<Item = &'s Slot>,
) -> Option<&'s ReleaseId> {
    let live = scene.live.as_ref()?;
    let is_live = |pin: &Pin| live.images.values().any(|image| image.digest == pin.digest);
    ran.flat_map(|slot| &slot.wanted).any(is_live).then_some(&live.id)
}
