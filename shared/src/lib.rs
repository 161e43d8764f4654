//! Tidegate's heart: what exists, what is configured, what is seen, what follows. Pure.
//!
//! Nothing here reads a clock, draws a number, or talks to anybody: time is an argument, the
//! world is a [`sighting`], and a decision is a [`model::Plan`].

pub mod command;
pub mod config;
pub mod decide;
pub mod definition;
pub mod drift;
pub mod event;
mod fingerprint;
pub mod guard;
pub mod lifecycle;
pub mod marks;
pub mod messages;
pub mod model;
pub mod push;
pub mod sighting;
pub mod turn;
pub mod verify;

#[cfg(test)]
mod stage;
