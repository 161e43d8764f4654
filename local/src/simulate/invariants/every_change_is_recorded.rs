//! `every_change_is_recorded`: one line of the audit trail for each change of state, in its own
//! transaction, with a reason; and people are told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Invariant, Moment, Wrongs};
use crate::call::Noted;
use crate::simulate::raw::{Written, members, phase, text};

/// States of a release that people are told of, as soon as they are true.
const TOLD: [&str; 10] = [
    "live",
    "rolling_back",
    "rolled_back",
    "rollback_failed",
    "frozen",
    "drifted",
    "abandoned",
    "refused",
    "expired",
    "rejected",
];

/// States of a target that the release's own line tells of, for all targets at once.
const BY_RELEASE: [&str; 4] = ["applying", "returning", "untouched", "left"];

#[derive(Debug, Default)]
pub(super) struct EveryChangeIsRecorded {
    /// Where each notice that must be told lies.
    notices: BTreeMap<(String, String), String>,
}

impl Invariant for EveryChangeIsRecorded {
    fn name(&self) -> &'static str {
        "every_change_is_recorded"
    }

    fn landed(&mut self, now: &Moment<'_>, call: &Noted, written: &[Written], wrongs: &mut Wrongs) {
        let entries: Vec<_> = written.iter().filter_map(Written::entry).collect();
        let told = |subject: &str, id: &str, to: &str| {
            entries.iter().copied().find(|entry| {
                let about = &entry["subject"];
                text(&about["kind"]) == subject
                    && text(&entry["to"]) == to
                    && [&entry["release"], &about["target"]].map(text).contains(&id)
            })
        };
        for one in written {
            if let Some(lost) =
                one.versions().and_then(|(before, after)| overwritten(before, after))
            {
                wrongs.push(format!("{} {}: {lost}", one.key.0, one.key.1));
            }
            if let Some((before, after)) = one.release().filter(|(b, a)| phase(b) != phase(a)) {
                let (id, to) = (text(&after["id"]), phase(after));
                match told("release", id, to) {
                    None => wrongs.push(format!("{id} became {to}, and no line says so")),
                    Some(entry) if entry["notice"].is_null() && must_be_told(before, after) => {
                        wrongs.push(format!("{id} became {to}, and nobody is told"));
                    }
                    Some(_) => {}
                }
            }
            if let Some((_, after)) = one.release().filter(|(b, a)| asks_anew(b, a)) {
                let id = text(&after["id"]);
                if told("release", id, phase(after)).is_none_or(|it| it["notice"].is_null()) {
                    wrongs.push(format!("{id} waits for a person's word, and nobody is told"));
                }
            }
            if let Some((before, after)) = one.slot() {
                let same = text(&before["release"]) == text(&after["release"]);
                let (target, to) = (text(&after["target"]), phase(after));
                let changed = !same || phase(before) != to;
                let by_release = same && BY_RELEASE.contains(&to);
                if changed && !by_release && told("target", target, to).is_none() {
                    let from = phase(before);
                    wrongs.push(format!("{target} went from {from} to {to}, and no line says so"));
                }
                if changed && by_release && !told_of_all(now, after) {
                    let id = text(&after["release"]);
                    wrongs.push(format!("{target} became {to}, and no line of {id} says so"));
                }
            }
            let gate = ["freeze", "config"].iter().any(|member| {
                let (before, after) = (one.before.as_ref(), one.after.as_ref());
                one.key.1 == "head" && before.map(|it| &it[member]) != after.map(|it| &it[member])
            });
            if (gate || one.key.1.starts_with("block#")) && entries.is_empty() {
                wrongs.push(format!("{} {} changed, and no line says so", one.key.0, one.key.1));
            }
            self.entry(one, call, wrongs);
        }
    }

    fn ended(&mut self, now: &Moment<'_>, wrongs: &mut Wrongs) {
        let published = now.cloud.sns.published().iter().map(|it| id(&it.message));
        let published: BTreeSet<String> = published.collect();
        let parked = || now.cloud.queues.parked().values().flatten();
        // A batch is parked by its place in the stream alone, so it may hold any of them.
        let batch = parked().any(|it| it["requestContext"]["functionArn"] == "notify");
        let one = |id: &str| parked().any(|it| it.to_string().contains(id));
        for (key, id) in self.notices.iter().filter(|(_, id)| !published.contains(*id)) {
            if !batch && !one(id) {
                wrongs.push(format!("nobody was told of {} {}", key.0, key.1));
            }
        }
    }
}

impl EveryChangeIsRecorded {
    fn entry(&mut self, one: &Written, call: &Noted, wrongs: &mut Wrongs) {
        if !one.key.1.starts_with("journal#") {
            return;
        }
        let name = format!("{} {}", one.key.0, one.key.1);
        let Some(entry) = one.after.as_ref().filter(|_| one.before.is_none()) else {
            wrongs.push(format!("{name} was written again by {}", call.call.caller));
            return;
        };
        for member in ["reason", "actor", "to"] {
            if text(&entry[member]).trim().is_empty() {
                wrongs.push(format!("{name} has no {member}"));
            }
        }
        if !entry["notice"].is_null() {
            self.notices.insert(one.key.clone(), notification(entry));
        }
    }
}

/// Whether a change of state is one that people hear of.
fn must_be_told(before: &Value, after: &Value) -> bool {
    let first = phase(after) == "rolling" && phase(before) != "rolling";
    // What is adopted was live before anybody knew.
    let adopted = text(&after["cause"]["kind"]) == "adopted";
    first || (TOLD.contains(&phase(after)) && !adopted)
}

/// A person is asked for another word than before.
fn asks_anew(before: &Value, after: &Value) -> bool {
    let [was, is] = [before, after].map(|it| &it["phase"]["held"]);
    text(&is["kind"]) == "approval" && was["plan"] != is["plan"]
}

/// Members of a slot that deploy writes beside its step.
const OF_DEPLOY: [&str; 3] = ["done", "lease", "todo"];

/// Heads, releases and slots count their versions: one that follows another than the one before it
/// wipes out what nobody will ever read of.
fn overwritten(before: &Value, after: &Value) -> Option<String> {
    let [from, to] = [before, after].map(|it| it["step"].as_u64());
    let (from, to) = (from?, to?);
    let changed = members(after).any(|(name, value)| {
        !OF_DEPLOY.contains(&name.as_str()) && before[name.as_str()] != *value
    });
    (changed && to != from + 1).then(|| format!("version {to} was written over {from}"))
}

/// The release's line that lists its targets lies in the table, at the latest by now.
fn told_of_all(now: &Moment<'_>, slot: &Value) -> bool {
    let Some((pipeline, number)) = text(&slot["release"]).split_once('/') else { return false };
    let Ok(number) = number.parse::<u64>() else { return false };
    let prefix = format!("journal#{number:08}#r#");
    let said = match phase(slot) {
        "applying" => &["rolling"][..],
        // A person let go of it, or called it right while deploy had yet to act there.
        "left" => &["abandoned", "live"],
        "untouched" => &[""],
        _ => &["rolling_back"],
    };
    let pk = format!("pipeline#{pipeline}");
    let mut entries = now.table.under(&pk, &prefix);
    entries.any(|(_, entry)| said.iter().any(|said| text(&entry["to"]).contains(said)))
}

/// What the notification of an entry is called, on every channel.
fn notification(entry: &Value) -> String {
    let (release, step) = (text(&entry["release"]), &entry["step"]);
    match text(&entry["subject"]["kind"]) {
        "release" => format!("{release}/release/{step}"),
        "target" => format!("{release}/{}/{step}", text(&entry["subject"]["target"])),
        _ => format!("{}/pipeline/{step}", release.split('/').next().unwrap_or_default()),
    }
}

/// The `id` in a published message.
fn id(message: &Value) -> String {
    let json = text(&message["default"]);
    let body: Value = serde_json::from_str(json).unwrap_or_default();
    text(&body["id"]).to_owned()
}
