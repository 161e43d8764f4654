//! Shared support of the proof.

pub mod stack;
