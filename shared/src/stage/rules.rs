//! What holds after every write, by the names of the invariants.

use std::collections::BTreeSet;

use super::Table;
use crate::model::{Action, Phase, SlotPhase};

pub(super) fn check(table: &Table) {
    one_mover(table);
    baseline_before_change(table);
    whole_or_back(table);
    blocked_stays_out(table);
    every_change_is_recorded(table);
}

fn one_mover(table: &Table) {
    let open = |phase: &Phase| phase.is_moving() || phase.is_stuck();
    let movers = table.releases.values().filter(|release| open(&release.phase));
    for release in movers {
        assert_eq!(Some(release.id.number), table.head.moving, "one_mover");
    }
    let waiting = table.releases.values().filter(|r| matches!(r.phase, Phase::Waiting { .. }));
    for release in waiting {
        assert_eq!(Some(release.id.number), table.head.waiting, "one_mover: {}", release.id);
    }
}

fn baseline_before_change(table: &Table) {
    let asked = table.slots.values().filter(|slot| slot.asked.action == Action::Apply);
    for release in asked.map(|slot| slot.release.number).collect::<BTreeSet<_>>() {
        for target in table.releases[&release].targets() {
            let surveyed = table.slots.get(target).is_some_and(|s| s.release.number >= release);
            assert!(surveyed, "baseline_before_change: {target}");
        }
    }
}

fn whole_or_back(table: &Table) {
    for slot in table.slots.values() {
        let release = &table.releases[&slot.release.number];
        let fits = match release.phase {
            Phase::Live { accepted: false, .. } => {
                matches!(slot.phase, SlotPhase::Healthy { .. } | SlotPhase::Unaffected)
            }
            Phase::RolledBack { .. } => matches!(
                slot.phase,
                SlotPhase::Returned { .. } | SlotPhase::Untouched | SlotPhase::Unaffected
            ),
            _ => true,
        };
        let (id, service) = (&release.id, &slot.target.service);
        let phases = (release.phase.name(), slot.phase.name());
        assert!(fits, "whole_or_back: {id} is {}, {service} is {}", phases.0, phases.1);
        let named = !release.phase.is_stuck() || table.head.freeze.is_some();
        assert!(named, "whole_or_back: {id} is {} and not frozen", phases.0);
    }
}

fn blocked_stays_out(table: &Table) {
    for slot in table.slots.values().filter(|slot| slot.asked.action == Action::Apply) {
        let blocks = slot.wanted.iter().filter_map(|pin| table.blocks.get(&pin.digest));
        for block in blocks {
            let before = slot.asked.at <= block.at;
            assert!(before, "blocked_stays_out: {} is asked for {}", slot.target, block.digest);
        }
    }
}

fn every_change_is_recorded(table: &Table) {
    for entry in &table.journal {
        assert!(!entry.reason.is_empty(), "every_change_is_recorded: {entry:?}");
    }
    for release in table.releases.values() {
        let last = table.journal.iter().rfind(|entry| {
            entry.release == release.id && matches!(entry.subject, crate::model::Subject::Release)
        });
        let said = last.map(|entry| entry.to.as_str());
        assert_eq!(said, Some(release.phase.name()), "every_change_is_recorded: {}", release.id);
    }
}
