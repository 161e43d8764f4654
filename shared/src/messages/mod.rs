//! What people are told: causes in their words, notices, and the form each channel needs.
//!
//! A notice is read at 3 a.m.: what happened, why, what Tidegate does next, what to type.

mod cause;
mod command;
mod state;
mod words;

mod approval;
mod back;
mod begin;
mod end;
mod stop;

mod email;
mod json;
mod limits;
mod slack;
mod teams;

pub use cause::{Counts, Explanation, explain};
pub(crate) use command::ways_on;
pub use command::{going_back, what_ends};
pub use state::state;
pub use words::retired;
pub(crate) use words::{names, span};

pub use approval::{expired, rejected};
pub use back::{Aftermath, rollback_started, rolled_back, undone};
pub use begin::{push_refused, refused, started, waiting};
pub use end::{abandoned, live, retag_failed, run_failed};
pub use stop::{drifted, frozen, own_rollback_failed, rollback_failed};

pub use email::{email, subject};
pub use json::{Notification, id};
pub use slack::slack;
pub use teams::teams;
pub(crate) use teams::teams_words;
