//! The court: sees every call leave and land, keeps the table's raw items, and asks every invariant.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::ends;
use super::invariants::{self, Invariant, Moment, Wrongs};
use super::pushes::Pushes;
use super::raw::{Table, Written, text};
use super::runs::Runs;
use super::schedule::{Pipeline, Schedule};
use crate::call::{Call, Noted};
use crate::cloud::{Cloud, Witness};
use crate::dynamodb::Change;
use crate::streams::hash_on;

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The invariant.
    pub invariant: &'static str,
    /// The seed.
    pub seed: u64,
    /// The story's time.
    pub at: Timestamp,
    /// What was seen.
    pub what: String,
}

/// What the court knows.
pub(super) struct Court {
    seed: u64,
    pipelines: Vec<Pipeline>,
    invariants: Vec<Box<dyn Invariant>>,
    table: Table,
    pushes: Pushes,
    runs: Runs,
    steps: u64,
    hash: u64,
    trace: Option<Vec<String>>,
    /// What was found, in order.
    pub(super) violations: Vec<Violation>,
    /// When a function last wrote, or changed a service.
    pub(super) moved: Timestamp,
}

/// The court as a witness, and as whoever asks it afterwards.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Court>>);

impl Shared {
    /// An empty court for a story; `trace` keeps what it sees.
    pub(super) fn new(schedule: &Schedule, begins: Timestamp, trace: bool) -> Self {
        Self(Arc::new(Mutex::new(Court {
            seed: schedule.seed,
            pipelines: schedule.pipelines.clone(),
            invariants: invariants::all(),
            table: Table::default(),
            pushes: Pushes::of(schedule),
            runs: Runs::default(),
            steps: 0,
            hash: 0,
            trace: trace.then(Vec::new),
            violations: Vec::new(),
            moved: begins,
        })))
    }

    /// Asks the court.
    pub(super) fn with<T>(&self, ask: impl FnOnce(&mut Court) -> T) -> T {
        ask(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Witness for Shared {
    fn sent(&mut self, cloud: &Cloud, call: &Call, now: Timestamp) {
        self.with(|court| {
            court.ask(cloud, now, |one, moment, wrongs| one.sent(moment, call, wrongs));
        });
    }

    fn landed(&mut self, cloud: &Cloud, call: &Noted, changes: &[Change]) {
        self.with(|court| court.landed(cloud, call, changes));
    }
}

impl Court {
    /// Calls and writes seen so far.
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// What all of it comes to: the same for the same seed.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// What was seen, if it was kept.
    pub(super) fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default()
    }

    /// Nothing moves by itself any more.
    pub(super) fn is_calm(&self) -> bool {
        ends::is_calm(&self.table)
    }

    /// Where every release stands.
    pub(super) fn ends(&self) -> Vec<&'static str> {
        let ends = ends::of(&self.table).into_iter();
        ends.map(|(_, end)| end.unwrap_or("still_moving")).collect()
    }

    /// The story is over.
    pub(super) fn end(&mut self, cloud: &Cloud, now: Timestamp) {
        self.ask(cloud, now, |one, moment, wrongs| one.ended(moment, wrongs));
    }

    /// Something that nobody called for is wrong.
    pub(super) fn object(&mut self, invariant: &'static str, now: Timestamp, what: String) {
        self.say(|| format!("{now} VIOLATION {invariant}: {what}"));
        self.violations.push(Violation { invariant, seed: self.seed, at: now, what });
    }

    /// Adds a line to the trace.
    pub(super) fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(line());
        }
    }

    fn landed(&mut self, cloud: &Cloud, noted: &Noted, changes: &[Change]) {
        let Noted { at, call, refusal, .. } = noted;
        self.steps += 1 + changes.len() as u64;
        let refusal = refusal.as_deref().unwrap_or_default();
        let line = format!("{at} {} {} {refusal}", call.caller, call.name());
        self.hash = hash_on(self.hash, &line) ^ hash_of(&call.input);
        self.pushes.landed(noted, cloud, &self.table);
        self.runs.landed(noted, cloud, &self.table);
        let written = self.table.take(changes);
        self.keep(noted, &written);
        let writes = call.service != "dynamodb" && !is_read(&call.action);
        if !changes.is_empty() || (writes && refusal.is_empty()) {
            self.moved = *at;
        }
        self.ask(cloud, *at, |one, moment, wrongs| one.landed(moment, noted, &written, wrongs));
    }

    /// One line for what a person who reads the trace wants to see.
    fn keep(&mut self, noted: &Noted, written: &[Written]) {
        if self.trace.is_none() {
            return;
        }
        let Noted { at, call, refusal, .. } = noted;
        let caller = &call.caller;
        if call.service != "dynamodb" || refusal.is_some() {
            let input = &call.input;
            let about = ["service", "services", "taskDefinition", "family", "imageTag", "imageIds"];
            let about = about.iter().map(|it| &input[*it]).filter(|it| !it.is_null());
            let about = about.map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let refusal = refusal.as_deref().unwrap_or_default();
            self.say(|| format!("{at} {caller} {} {about} {refusal}", call.name()));
        }
        for one in written {
            if let Some(entry) = one.entry() {
                let [release, from, to, reason] =
                    ["release", "from", "to", "reason"].map(|it| text(&entry[it]).to_owned());
                let target = text(&entry["subject"]["target"]).rsplit('/').next();
                let target = target.unwrap_or_default().to_owned();
                self.say(|| format!("{at} {caller} ** {release} {target} {from} → {to}: {reason}"));
            } else if let Some((before, after)) = one.slot() {
                let changed = super::raw::members(after)
                    .filter(|(name, value)| before[name.as_str()] != **value)
                    .filter(|(name, _)| !["baseline", "wanted"].contains(&name.as_str()))
                    .map(|(name, value)| format!("{name}={value}"));
                let changed = changed.collect::<Vec<_>>().join(" ");
                self.say(|| format!("{at} {caller}    {} {changed}", one.key.0));
            }
        }
    }

    fn ask(
        &mut self,
        cloud: &Cloud,
        at: Timestamp,
        ask: impl Fn(&mut dyn Invariant, &Moment<'_>, &mut Wrongs),
    ) {
        let mut invariants = std::mem::take(&mut self.invariants);
        for invariant in &mut invariants {
            let (pipelines, table) = (&self.pipelines[..], &self.table);
            let (pushes, runs) = (&self.pushes, &self.runs);
            let moment = Moment { at, cloud, pipelines, table, pushes, runs };
            let mut wrongs = Wrongs::new();
            ask(&mut **invariant, &moment, &mut wrongs);
            for what in wrongs {
                self.object(invariant.name(), at, what);
            }
        }
        self.invariants = invariants;
    }
}

/// A hash that does not depend on any order: the SDK writes maps in a random one, and the query
/// protocol writes them as lists.
fn hash_of(value: &Value) -> u64 {
    match value {
        Value::Object(members) => members
            .iter()
            .fold(1, |hash, (name, value)| hash_on(hash_of(value), name).wrapping_add(hash)),
        Value::Array(values) => {
            values.iter().fold(2, |hash, value| hash_of(value).wrapping_mul(5).wrapping_add(hash))
        }
        other => hash_on(3, &other.to_string()),
    }
}

fn is_read(action: &str) -> bool {
    ["Describe", "List", "Get", "BatchGet", "Query"].iter().any(|it| action.starts_with(it))
}
