//! What is due when: a queue ordered by time, and by arrival where times are equal.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Things that become due.
#[derive(Debug, Clone)]
pub struct Agenda<T> {
    entries: BTreeMap<(Timestamp, u64), T>,
    arrivals: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), arrivals: 0 }
    }
}

impl<T> Agenda<T> {
    /// Makes `thing` due at `at`.
    pub fn add(&mut self, at: Timestamp, thing: T) {
        self.entries.insert((at, self.arrivals), thing);
        self.arrivals += 1;
    }

    /// When the next thing is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.entries.keys().next().map(|(at, _)| *at)
    }

    /// The next thing, if it is due by `now`.
    pub fn take(&mut self, now: Timestamp) -> Option<(Timestamp, T)> {
        let entry = self.entries.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((at, _), thing) = entry.remove_entry();
        Some((at, thing))
    }
}
