//! What many stories come to.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::court::Violation;
use super::play::Played;
use super::schedule::{CALLS, KINDS};

/// So many stories must have met every kind of trouble.
const ENOUGH: u64 = 1000;

/// The sum of many stories.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Stories.
    pub schedules: u64,
    /// Calls and writes.
    pub steps: u64,
    /// Hours of AWS's time.
    pub hours: f64,
    /// How often each kind of trouble struck.
    pub faults: BTreeMap<&'static str, u64>,
    /// How often each call was struck that only some seeds make.
    pub calls: BTreeMap<&'static str, u64>,
    /// How often each end and each wait was reached.
    pub ends: BTreeMap<&'static str, u64>,
    /// What must not have been.
    pub violations: Vec<Violation>,
    /// Stories that could not be played at all.
    pub broken: Vec<String>,
    /// All their traces, as one number.
    pub hash: String,
}

impl Report {
    /// Of stories in the order of their seeds.
    pub fn of(stories: Vec<Result<Played, String>>) -> Self {
        let faults = KINDS.into_iter().map(|kind| (kind, 0)).collect();
        let calls = CALLS.into_iter().map(|call| (call, 0)).collect();
        let mut report = Self { faults, calls, ..Self::default() };
        let mut hash = 0_u64;
        for story in stories {
            let played = match story {
                Ok(played) => played,
                Err(broken) => {
                    report.broken.push(broken);
                    continue;
                }
            };
            report.schedules += 1;
            report.steps += played.steps;
            report.hours += played.lasted.as_secs_f64() / 3600.0;
            for (kind, times) in played.struck {
                *report.faults.entry(kind).or_default() += times;
            }
            for (call, times) in played.calls {
                *report.calls.entry(call).or_default() += times;
            }
            for end in played.ends {
                *report.ends.entry(end).or_default() += 1;
            }
            report.violations.extend(played.violations);
            hash = hash.rotate_left(5) ^ played.hash;
        }
        report.hash = format!("{hash:016x}");
        report
    }

    /// Kinds of trouble that never struck, and calls that were never struck.
    pub fn never_struck(&self) -> Vec<&'static str> {
        let never = self.faults.iter().chain(&self.calls).filter(|(_, times)| **times == 0);
        never.map(|(name, _)| *name).collect()
    }

    /// Nothing was violated, and enough stories met everything.
    pub fn holds(&self) -> bool {
        let met = self.schedules < ENOUGH || self.never_struck().is_empty();
        self.violations.is_empty() && self.broken.is_empty() && met
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schedules, steps, hours, faults, calls, ends, violations, broken, hash } = self;
        writeln!(
            f,
            "{schedules} schedules, {steps} steps, {hours:.0} hours of AWS's time, {hash}"
        )?;
        let counts = |counts: &BTreeMap<&str, u64>| {
            let counts = counts.iter().map(|(name, times)| format!("{name} {times}"));
            counts.collect::<Vec<_>>().join(", ")
        };
        writeln!(f, "ends: {}", counts(ends))?;
        writeln!(f, "faults that fired: {}", counts(faults))?;
        writeln!(f, "of calls that not every seed makes, struck: {}", counts(calls))?;
        let never = self.never_struck();
        if !never.is_empty() {
            let why = if *schedules < ENOUGH { " (too few schedules to demand it)" } else { "" };
            writeln!(f, "never fired: {}{why}", never.join(", "))?;
        }
        broken.iter().try_for_each(|why| writeln!(f, "broken: {why}"))?;
        for Violation { invariant, seed, at, what } in violations {
            writeln!(f, "violation: {invariant}, seed {seed}, {at}: {what}")?;
        }
        writeln!(f, "{} violations", violations.len())
    }
}
