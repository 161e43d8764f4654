//! `rollback_does_not_loop`: a rollback never causes a rollback.

use std::collections::BTreeMap;

use super::{Invariant, Moment, Wrongs};
use crate::call::Noted;
use crate::simulate::raw::{Written, number, phase, text};

/// A call that lands late is repaired so often.
const MOST_REPAIRS: u64 = 3;

#[derive(Debug, Default)]
pub(super) struct RollbackDoesNotLoop {
    /// How often each release began to go back.
    begun: BTreeMap<String, u32>,
    /// How often Tidegate itself said so.
    by_itself: BTreeMap<String, u32>,
    /// How often each target of a release was sent back.
    sent_back: BTreeMap<(String, String), u32>,
}

impl Invariant for RollbackDoesNotLoop {
    fn name(&self) -> &'static str {
        "rollback_does_not_loop"
    }

    fn landed(&mut self, now: &Moment<'_>, _: &Noted, written: &[Written], wrongs: &mut Wrongs) {
        for entry in written.iter().filter_map(Written::entry) {
            let own = text(&entry["subject"]["kind"]) == "release";
            let (id, begins) = (text(&entry["release"]), text(&entry["to"]) == "rolling_back");
            if !own || !begins {
                continue;
            }
            *self.begun.entry(id.to_owned()).or_default() += 1;
            if text(&entry["actor"]) != "tidegate" {
                continue;
            }
            let by_itself = self.by_itself.entry(id.to_owned()).or_default();
            *by_itself += 1;
            let cause = now.table.release(id).map(|release| text(&release["cause"]["kind"]));
            if *by_itself > 1 || cause == Some("rollback") {
                wrongs.push(format!("{id}: a rollback caused a rollback"));
            }
        }
        for (before, after) in written.iter().filter_map(Written::slot) {
            let (id, target) = (text(&after["release"]), text(&after["target"]));
            if phase(after) == "returning" && phase(before) != "returning" {
                let sent = self.sent_back.entry((id.to_owned(), target.to_owned())).or_default();
                *sent += 1;
                if *sent > self.begun.get(id).copied().unwrap_or_default() {
                    wrongs.push(format!("{target} was sent back {sent} times in {id}"));
                }
            }
            if number(&after["repairs"]) > MOST_REPAIRS {
                wrongs.push(format!("{target}: repaired {} times in {id}", after["repairs"]));
            }
        }
    }
}
