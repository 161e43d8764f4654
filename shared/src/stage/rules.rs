//! What holds after every write, by the names of the invariants.

use std::collections::BTreeSet;

use super::Table;
use crate::model::{Action, Phase, SlotPhase, Subject};

/// `invariant: what breaks it`
pub(super) type Kept = Result<(), String>;

/// Everything that can be told from the table alone.
pub(super) fn check(table: &Table) -> Kept {
    one_mover(table)?;
    baseline_before_change(table)?;
    whole_or_back(table)?;
    blocked_stays_out(table)?;
    every_change_is_recorded(table)
}

/// The invariant `name` is kept where `holds`.
pub(super) fn keep(name: &str, holds: bool, what: impl FnOnce() -> String) -> Kept {
    if holds { Ok(()) } else { Err(format!("{name}: {}", what())) }
}

fn one_mover(table: &Table) -> Kept {
    let open = |phase: &Phase| phase.is_moving() || phase.is_stuck();
    for release in table.releases.values() {
        let number = Some(release.id.number);
        let alone = !open(&release.phase) || table.head.moving == number;
        keep("one_mover", alone, || format!("{} moves beside the head's", release.id))?;
        let waits = matches!(release.phase, Phase::Waiting { .. });
        let known = !waits || table.head.waiting == number;
        keep("one_mover", known, || format!("{} waits beside the head's", release.id))?;
    }
    Ok(())
}

fn baseline_before_change(table: &Table) -> Kept {
    let asked = table.slots.values().filter(|slot| slot.asked.action == Action::Apply);
    for release in asked.map(|slot| slot.release.number).collect::<BTreeSet<_>>() {
        for target in table.releases[&release].targets() {
            let surveyed = table.slots.get(target).is_some_and(|s| s.release.number >= release);
            keep("baseline_before_change", surveyed, || target.to_string())?;
        }
    }
    Ok(())
}

fn whole_or_back(table: &Table) -> Kept {
    for slot in table.slots.values() {
        let release = &table.releases[&slot.release.number];
        let fits = match release.phase {
            Phase::Live { accepted: false, .. } => {
                matches!(slot.phase, SlotPhase::Healthy { .. } | SlotPhase::Unaffected)
            }
            // What a one-off task did stays.
            Phase::RolledBack { .. } if slot.target.is_task() && slot.ran() => true,
            Phase::RolledBack { .. } => matches!(
                slot.phase,
                SlotPhase::Returned { .. } | SlotPhase::Untouched | SlotPhase::Unaffected
            ),
            _ => true,
        };
        let (id, service) = (&release.id, &slot.target.name);
        let phases = (release.phase.name(), slot.phase.name());
        keep("whole_or_back", fits, || format!("{id} is {}, {service} is {}", phases.0, phases.1))?;
        let named = !release.phase.is_stuck() || table.head.freeze.is_some();
        keep("whole_or_back", named, || format!("{id} is {} and not frozen", phases.0))?;
    }
    Ok(())
}

fn blocked_stays_out(table: &Table) -> Kept {
    for slot in table.slots.values().filter(|slot| slot.asked.action == Action::Apply) {
        for block in slot.wanted.iter().filter_map(|pin| table.blocks.get(&pin.digest)) {
            let before = slot.asked.at <= block.at;
            keep("blocked_stays_out", before, || format!("{} is asked for it", slot.target))?;
        }
    }
    Ok(())
}

fn every_change_is_recorded(table: &Table) -> Kept {
    const NAME: &str = "every_change_is_recorded";
    for entry in &table.journal {
        keep(NAME, !entry.reason.is_empty(), || format!("{entry:?}"))?;
    }
    for release in table.releases.values() {
        let of_it = |subject: &Subject| *subject == Subject::Release;
        let mut entries = table.journal.iter();
        let last = entries.rfind(|entry| entry.release == release.id && of_it(&entry.subject));
        let said = last.map(|entry| entry.to.as_str());
        keep(NAME, said == Some(release.phase.name()), || format!("{} {said:?}", release.id))?;
    }
    Ok(())
}
