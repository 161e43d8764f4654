//! What commands say: each is JSON with stable names, and text for people.

mod moment;
mod image;
mod release;
mod target;
mod entry;
mod outcome;
mod status;
mod ways_out;

pub use entry::EntryView;
pub use image::ImageView;
pub use outcome::Outcome;
pub use release::{Brief, ReleaseView};
pub use status::PipelineView;
pub use target::{BaselineView, TargetView};

pub(crate) use moment::moment;
pub(crate) use outcome::waits_for;
