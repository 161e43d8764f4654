//! Shows that a guard bears: without it, its invariant breaks.

use std::sync::atomic::{AtomicBool, Ordering};

use tidegate_core::guard::Guard;

use super::court::Violation;
use super::many::{Range, on_all_cores};
use super::play::play;
use super::schedule::{Schedule, Weather};

/// What the simulation found without a guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The guard.
    pub guard: Guard,
    /// The first violation of its invariant, if any seed showed one.
    pub violation: Option<Violation>,
}

/// Plays seeds without `guard` until its invariant breaks.
pub fn find(guard: Guard, range: Range, weather: Weather) -> Found {
    let found = AtomicBool::new(false);
    let broke = on_all_cores(range, |seed| {
        if found.load(Ordering::Relaxed) {
            return None;
        }
        let played = play(&Schedule::draw(seed, weather), Some(guard), false).ok()?;
        let mut own = played.violations.into_iter().filter(|it| it.invariant == guard.bears());
        let first = own.next();
        if first.is_some() {
            found.store(true, Ordering::Relaxed);
        }
        Some(first)
    });
    let first = broke.into_iter().filter_map(|(_, violation)| violation);
    Found { guard, violation: first.min_by_key(|violation| violation.seed) }
}
