//! **promote** records a push as a release, or the reason why not.

mod handler;
mod record;
mod resolve;
mod sweep;

pub use handler::handle;
