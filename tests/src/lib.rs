//! Shared support of the proof: a stage on which whole stories are played in virtual time.

#![expect(clippy::expect_used, reason = "a story whose stage breaks has failed")]

pub mod faults;
pub mod fleet;
pub mod invocations;
pub mod load;
pub mod scenario;
pub mod stack;
pub mod stage;
mod witness;

pub use stage::{Stage, play, play_on, play_with};
