//! Part of `whole_or_back`: in a frozen pipeline nothing starts, and nothing takes its first target; in one
//! that is retired nothing is recorded.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Moment, Wrongs};
use crate::simulate::raw::{Written, phase, text};

/// Pipelines that are frozen, and what may go on in them.
#[derive(Debug, Default)]
pub(super) struct Freezes {
    frozen: BTreeSet<String>,
    /// Releases that have taken a target.
    began: BTreeSet<String>,
}

impl Freezes {
    pub(super) fn landed(&mut self, now: &Moment<'_>, written: &[Written], wrongs: &mut Wrongs) {
        for (name, head) in written.iter().filter_map(Written::head) {
            if head["freeze"].is_null() {
                self.frozen.remove(name);
            } else {
                self.frozen.insert(name.to_owned());
            }
        }
        for (before, after) in written.iter().filter_map(Written::release) {
            let id = text(&after["id"]);
            let head = now.table.head(pipeline_of(id));
            if before.is_null() && head.is_some_and(|head| !head["retired"].is_null()) {
                wrongs.push(format!("{id} is recorded in a retired pipeline"));
            }
            let starts = ["", "waiting"].contains(&phase(before)) && phase(after) == "surveying";
            if starts && self.stops(after) {
                wrongs.push(format!("{id} starts in a frozen pipeline"));
            }
        }
        for (before, after) in written.iter().filter_map(Written::slot) {
            let id = text(&after["release"]);
            let first = before["release"] != after["release"] && self.began.insert(id.to_owned());
            if first && now.table.release(id).is_some_and(|release| self.stops(release)) {
                wrongs.push(format!("{id} takes its first target in a frozen pipeline"));
            }
        }
    }

    /// Whoever goes back starts where nothing else may.
    fn stops(&self, release: &Value) -> bool {
        let back = ["rollback", "undo"].contains(&text(&release["cause"]["kind"]));
        !back && self.frozen.contains(pipeline_of(text(&release["id"])))
    }
}

/// `p1` of `p1/7`.
fn pipeline_of(id: &str) -> &str {
    id.split('/').next().unwrap_or_default()
}
