//! What is asked of AWS, in the functions and the command line: the table, the registry, ECS, the clock.

pub mod advance;
pub mod alarms;
pub mod app;
mod call;
pub mod clock;
pub mod dead_letters;
pub mod dice;
pub mod ecs;
pub mod elb;
mod endpoint;
pub mod error;
#[cfg(test)]
mod fake;
pub mod http;
pub mod inventory;
mod json;
pub mod log;
pub mod logs;
mod moment;
pub mod probe;
pub mod promotion;
mod query;
pub mod refusal;
pub mod registry;
mod rest;
pub mod role;
pub mod sdk;
pub mod secrets;
pub mod setting;
pub mod survey;
pub mod table;
pub mod targets;
pub mod topic;
pub mod verify;

pub use advance::{Advanced, advance, carry_out};
pub use app::{App, deadline};
pub use clock::Clock;
pub use dead_letters::DeadLetters;
pub use dice::Dice;
pub use ecs::Ecs;
pub use error::Error;
pub use probe::Probe;
pub use refusal::{Refusal, RefusalKind};
pub use role::Reach;
pub use table::Table;
pub use targets::Targets;
