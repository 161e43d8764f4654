//! Part of `whole_or_back`: in a frozen pipeline nothing starts, and nothing that is surveyed then moves; in
//! one that is retired nothing is recorded.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{Moment, Wrongs};
use crate::simulate::raw::{Written, moment, phase, text};

/// Since when each pipeline is frozen.
#[derive(Debug, Default)]
pub(super) struct Freezes {
    since: BTreeMap<String, Timestamp>,
}

impl Freezes {
    pub(super) fn landed(&mut self, now: &Moment<'_>, written: &[Written], wrongs: &mut Wrongs) {
        for (name, head) in written.iter().filter_map(Written::head) {
            if head["freeze"].is_null() {
                self.since.remove(name);
            } else {
                self.since.entry(name.to_owned()).or_insert(now.at);
            }
        }
        for (before, after) in written.iter().filter_map(Written::release) {
            let id = text(&after["id"]);
            let pipeline = id.split('/').next().unwrap_or_default();
            let head = now.table.head(pipeline);
            if before.is_null() && head.is_some_and(|head| !head["retired"].is_null()) {
                wrongs.push(format!("{id} is recorded in a retired pipeline"));
            }
            let since = self.since.get(pipeline);
            // Whoever goes back starts where nothing else may.
            let back = ["rollback", "undo"].contains(&text(&after["cause"]["kind"]));
            let Some(since) = since.filter(|_| !back) else { continue };
            match (phase(before), phase(after)) {
                ("" | "waiting", "surveying") => {
                    wrongs.push(format!("{id} starts in a frozen pipeline"));
                }
                ("surveying", "rolling") => {
                    // A target that was looked at before was taken before, or just then.
                    let mut slots = now.table.slots().filter(|slot| slot["release"] == after["id"]);
                    let looked = |slot: &Value| moment(&slot["baseline"]["at"]);
                    if slots.all(|slot| looked(slot).is_some_and(|at| at > *since)) {
                        wrongs.push(format!("{id} was surveyed in a frozen pipeline, and moves"));
                    }
                }
                _ => {}
            }
        }
    }
}
