//! What must hold in every state, by the names of the invariants.

use std::sync::Arc;

use super::EveryOrder;
use super::world::State;
use crate::decide::{Sightings, decide};
use crate::model::{Action, Cause, Change, Phase, Slot, SlotPhase, Subject};
use crate::stage::rules::{self, Kept};
use crate::stage::table::Table;

pub(super) use crate::stage::rules::keep;

/// What a write must keep.
pub(super) fn of_write(before: &Table, change: &Change, after: &Table) -> Kept {
    recorded(before, change)?;
    rules::check(after)?;
    order_of_pushes(after)
}

/// What a program writes is told: one entry for each change of state, in the same transaction. Where
/// a wave opens or a rollback begins, the release's entry lists the targets.
fn recorded(table: &Table, change: &Change) -> Kept {
    const NAME: &str = "every_change_is_recorded";
    for after in &change.releases {
        let before = table.releases.get(&after.id.number).map(|release| release.phase.name());
        let told = change.journal.iter().any(|entry| {
            entry.subject == Subject::Release
                && (&entry.release, entry.step) == (&after.id, after.step)
                && before.is_none_or(|before| before == entry.from)
                && entry.to == after.phase.name()
        });
        let same = before == Some(after.phase.name());
        keep(NAME, told || same, || format!("{} becomes {}", after.id, after.phase.name()))?;
    }
    for (before, after) in &change.slots {
        let listed = ["applying", "returning", "untouched", "left"].contains(&after.phase.name());
        let same = before.as_ref().is_some_and(|before| before.phase.name() == after.phase.name());
        let told = change.journal.iter().any(|entry| {
            matches!(&entry.subject, Subject::Target { target } if *target == after.target)
                && (&entry.release, entry.step) == (&after.release, after.step)
                && entry.to == after.phase.name()
        });
        keep(NAME, told || listed || same, || format!("{} {:?}", after.target, after.phase))?;
    }
    let rollbacks = |number: u64| {
        let again = table.journal.iter().map(|entry| &**entry).chain(&change.journal);
        let begins = again.filter(|it| it.release.number == number && it.to == "rolling_back");
        begins.count()
    };
    for release in &change.releases {
        let once = rollbacks(release.id.number) <= 1;
        keep("rollback_does_not_loop", once, || release.id.to_string())?;
    }
    Ok(())
}

/// A call is about to be sent for a slot as deploy holds it.
pub(super) fn may_be_sent(table: &Table, held: &Slot) -> Kept {
    let now = &table.slots[&held.target];
    let newest = now.done.generation <= held.done.generation;
    keep("one_mover", newest, || format!("{} was claimed anew", held.target))?;
    let release = &table.releases[&held.release.number];
    let known = |target| table.slots.get(target).is_some_and(|slot| slot.release >= held.release);
    let surveyed = release.targets().all(known);
    keep("baseline_before_change", surveyed, || format!("{} has no way back", release.id))?;
    let applies = held.asked.action == Action::Apply;
    let block = held.wanted.iter().find_map(|pin| table.blocks.get(&pin.digest));
    let out = !applies || block.is_none_or(|block| held.asked.at <= block.at);
    keep("blocked_stays_out", out, || format!("{} gets it", held.target))
}

fn order_of_pushes(table: &Table) -> Kept {
    let pushed = || table.releases.values().filter(|release| release.cause == Cause::Push);
    let mut seen = Vec::new();
    for release in pushed() {
        let digest = &release.images["app"].digest;
        keep("one_release_per_push", !seen.contains(&digest), || release.id.to_string())?;
        seen.push(digest);
    }
    let mut live = pushed().filter(|release| matches!(release.phase, Phase::Live { .. }));
    let times = live.clone().skip(1).map(|release| release.images["app"].pushed_at);
    let newer = times.zip(live.by_ref().map(|release| release.images["app"].pushed_at));
    for (after, before) in newer {
        keep("never_backwards", after > before, || format!("{after} after {before}"))?;
    }
    Ok(())
}

/// Nothing moves by itself any more: it ended, or waits by name, and what runs is what is said.
pub(super) fn at_rest(model: &EveryOrder, state: &State) -> Kept {
    let table = &state.table;
    let scene = table.scene();
    let plan = decide(&scene, &Sightings::new(), state.now());
    keep("always_moving", plan.changes.is_empty(), || format!("undone: {:?}", plan.changes))?;
    let stuck = scene.moving.as_ref().is_none_or(|release| release.phase.is_stuck());
    keep("always_moving", stuck, || format!("{:?} stands still", table.head.moving))?;
    let open = scene.moving.is_some() || scene.waiting.is_some();
    keep("always_moving", open != plan.waiting_on.is_empty(), || "no name".to_owned())?;
    for (target, service) in model.targets.iter().zip(&state.services) {
        let gone = |slot: &&Arc<Slot>| {
            matches!(slot.phase, SlotPhase::Untouched | SlotPhase::Returned { .. })
        };
        let left = table.slots.get(target).filter(gone).and_then(|slot| slot.ours());
        let back = left != Some(service.primary().revision.as_str());
        keep("whole_or_back", back, || format!("{} runs ours", target.name))?;
    }
    if scene.moving.is_some() || state.left.foreign < model.story.limits.foreign {
        return Ok(());
    }
    let live = &scene.live.as_ref().unwrap().images["app"].digest;
    for (target, service) in model.targets.iter().zip(&state.services) {
        let runs = service.running_digest();
        let whole = runs == *live;
        keep("whole_or_back", whole, || format!("{} runs {}", target.name, runs.short()))?;
    }
    Ok(())
}
