//! Tidegate's heart: what exists, what is configured, what is seen, what follows. Pure.
//!
//! Nothing here reads a clock, draws a number, or talks to anybody: time is an argument, the
//! world is a [`sighting`], and a decision is a [`model::Plan`].

pub mod config;
pub mod model;
pub mod sighting;
pub mod definition;
pub mod lifecycle;
pub mod event;
pub mod push;
pub mod decide;
pub mod command;
pub mod messages;

#[cfg(test)]
mod stage;
