//! **promote** records a push as a release, or the reason why not.

mod approve;
mod handler;
mod join;
mod record;
mod resolve;
mod sweep;

pub use handler::handle;
