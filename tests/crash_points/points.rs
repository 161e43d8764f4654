//! The points of a story at which something can go wrong: its calls.

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_local::call::{Caller, Noted};
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_tests::faults::{is_write, said};

/// A process makes one call after the other, some milliseconds apart; a longer pause is another
/// invocation.
const PAUSE: Duration = Duration::from_millis(200);

/// A call that nothing struck.
pub(crate) struct Point {
    pub(crate) noted: Noted,
    /// Its number among its caller's calls of this action that nothing struck.
    pub(crate) number: u64,
    /// Its invocation wrote something before it.
    pub(crate) written: bool,
    /// Its invocation makes no call after it.
    pub(crate) last: bool,
}

impl Point {
    /// The points of a story that was played. Rules count what earlier rules did not strike: so a
    /// further fault is struck by these numbers, also where the story was struck before.
    pub(crate) fn all(calls: &[Noted]) -> Vec<Self> {
        let mut numbers = BTreeMap::new();
        let mut newest = BTreeMap::new();
        let mut points: Vec<Self> = Vec::new();
        for noted in calls.iter().filter(|noted| noted.fault.is_none()) {
            let number = numbers.entry((noted.call.caller.to_string(), noted.call.action.clone()));
            let number = number.or_insert(0);
            *number += 1;
            let last = newest.insert(noted.call.caller.clone(), points.len());
            let last = last.map(|at| &mut points[at]);
            let last = last.filter(|last| noted.at < last.noted.at + PAUSE);
            let written = last.as_ref().is_some_and(|last| last.is_write() || last.written);
            if let Some(last) = last {
                last.last = false;
            }
            points.push(Self { noted: noted.clone(), number: *number, written, last: true });
        }
        points
    }

    pub(crate) fn is_write(&self) -> bool {
        is_write(&self.noted.call)
    }

    pub(crate) fn is_of(&self, services: &[&str]) -> bool {
        services.contains(&self.noted.call.service.as_str())
    }

    /// An operator made it: a command does not die, it fails where its call does.
    pub(crate) fn is_typed(&self) -> bool {
        self.noted.call.caller == Caller::Operator
    }

    /// Lets `fault` strike this call.
    pub(crate) fn struck(&self, fault: Fault) -> FaultRule {
        let call = &self.noted.call;
        let (caller, action) = (Some(call.caller.to_string()), Some(call.action.clone()));
        FaultRule { caller, action, nth: Some(self.number), ..FaultRule::always(fault) }
    }

    /// Its name for people.
    pub(crate) fn said(&self) -> String {
        format!("{}, number {}", said(&self.noted.call), self.number)
    }
}
