//! What commands say: each is JSON with stable names, and text for people.

mod entry;
mod image;
mod log;
mod moment;
mod outcome;
mod plan;
mod release;
mod status;
mod target;
mod verify;
mod ways_out;

pub use entry::EntryView;
pub use image::ImageView;
pub use log::{LineView, LogView};
pub use outcome::Outcome;
pub use plan::PlanView;
pub use release::{Brief, ReleaseView};
pub use status::PipelineView;
pub use target::{BaselineView, TargetView};
pub use verify::VerifyView;

pub(crate) use moment::moment;
pub(crate) use outcome::wait_in_words;
pub(crate) use ways_out::after_abandon;
