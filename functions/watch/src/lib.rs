//! **watch** looks, judges, and decides the rollback. Read-only towards AWS.

mod checks;
mod handler;
mod look;
mod run;

pub use handler::handle;
