//! The simulation: seeded stories in which everything goes wrong that can, played by the shipped
//! handlers, and eleven invariants that look on.
//!
//! Reading order: what a seed chooses (`schedule`), how it is played (`play`, `acts`, `others`), what is
//! seen (`court`, `raw`, `pushes`, `moves`, `runs`) and held against it (`invariants`), and what comes of
//! many (`report`).

mod acts;
mod court;
mod ends;
mod invariants;
mod many;
mod moves;
mod others;
mod play;
mod pushes;
mod raw;
mod report;
mod runs;
mod sabotage;
mod schedule;

pub use court::Violation;
pub use many::{Range, many, one};
pub use play::{Played, Unplayable};
pub use report::Report;
pub use sabotage::{Found, find};
pub use schedule::{KINDS, Schedule, Weather};
