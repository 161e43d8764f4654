//! **promote** records a push as a release, or the reason why not.

mod handler;
mod join;
mod record;
mod resolve;
mod sweep;

pub use handler::handle;
