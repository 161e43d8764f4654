//! The command line from outside: what is understood, what is said, how it ends.
#![expect(clippy::unwrap_used, reason = "a test whose story cannot be told has failed")]

mod story;

mod exit;
mod golden;
mod parse;
mod run;
mod unblock;
