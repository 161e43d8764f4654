//! Many stories, on all cores.

use std::num::NonZero;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tidegate_core::guard::Guard;

use super::play::{Played, Unplayable, play};
use super::report::Report;
use super::schedule::{Schedule, Weather};

/// Seeds: `0..1000`, the end not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub first: u64,
    /// One after the last.
    pub end: u64,
}

impl FromStr for Range {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (first, end) = text.split_once("..")?;
            let range = Self { first: first.parse().ok()?, end: end.parse().ok()? };
            (range.first < range.end).then_some(range)
        };
        read().ok_or("expected seeds as `0..1000`, the end not among them")
    }
}

/// The CLI's calls nest deep, in debug builds deeper than a thread's usual two megabytes.
const STACK: usize = 16 << 20;

/// Plays every seed of the range in this weather.
pub fn many(range: Range, weather: Weather) -> Report {
    let mut stories = on_all_cores(range, |seed| Some(story(seed, weather)));
    stories.sort_by_key(|(seed, _)| *seed);
    Report::of(stories.into_iter().map(|(_, story)| story).collect())
}

/// Plays one schedule, with its trace, and without one guard if it is said.
pub fn one(schedule: &Schedule, sabotage: Option<Guard>) -> Result<Played, Unplayable> {
    let seed = schedule.seed;
    let range = Range { first: seed, end: seed + 1 };
    let played = on_all_cores(range, |_| Some(play(schedule, sabotage, true))).pop();
    played.map_or(Err(Unplayable { seed, why: "no thread".to_owned() }), |(_, played)| played)
}

fn story(seed: u64, weather: Weather) -> Result<Played, String> {
    play(&Schedule::draw(seed, weather), None, false).map_err(|error| error.to_string())
}

/// Does something for each seed, until it says `None`; what came of the others, in no order.
pub(super) fn on_all_cores<T: Send>(
    range: Range,
    act: impl Fn(u64) -> Option<T> + Sync,
) -> Vec<(u64, T)> {
    let next = AtomicU64::new(range.first);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let work = || {
        let mut done = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= range.end {
                return done;
            }
            match act(seed) {
                Some(came) => done.push((seed, came)),
                None => return done,
            }
        }
    };
    thread::scope(|scope| {
        let core = |_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok();
        let threads: Vec<_> = (0..cores).filter_map(core).collect();
        let ended = threads.into_iter().map(thread::ScopedJoinHandle::join);
        ended
            .flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
