//! **watch** looks, judges, and decides the rollback. Read-only towards AWS.

mod checks;
mod handler;
mod look;
mod run;

pub use handler::handle;

/// What an event says may meet other writers of its slot; after this many the tick continues.
const TRIES: u32 = 5;
