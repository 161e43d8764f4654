//! Shared support of the proof: a stage on which whole stories are played in virtual time.

pub mod faults;
pub mod fleet;
pub mod scenario;
pub mod stack;
pub mod stage;
mod witness;

pub use stage::{Stage, play, play_on};
