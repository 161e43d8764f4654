//! **deploy** surveys, applies and rolls back: the only function that changes a target.
//!
//! It chooses nothing: the release says "survey", the slot says "apply" or "roll back".

mod call;
mod handler;
mod retag;
mod survey;
mod turn;

pub use handler::handle;
