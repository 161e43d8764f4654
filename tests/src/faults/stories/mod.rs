//! The stories: a file for each kind of what can be released.

mod approval;
mod joined;
mod lightsail;
mod one_off;
mod place;
mod promotion;
mod scheduled;
mod services;

pub use approval::APPROVAL;
pub use joined::JOINED;
pub use lightsail::{LIGHTSAIL, LIGHTSAIL_FAILED, LIGHTSAIL_RED};
pub use one_off::{DOWN, MIGRATION, MIGRATION_FAILED};
pub use place::{PLACE, PLACE_BAD};
pub use promotion::PROMOTION;
pub use scheduled::{RUN_FAILED, SCHEDULED};
pub use services::{ADOPTION, BAD, DRIFT, GOOD, ROLLBACK, SMALL};

pub(super) use services::WAVES;

/// A pipeline whose release 1 is live.
const LIVE: &str = "moving None, waiting None, live Some(1), frozen false, blocked []";
/// A pipeline whose first release went back, for its bytes.
const BACK: &str = "moving None, waiting None, live None, frozen false, blocked [\"pushed\"]";
/// A pipeline whose first release went back, for something else.
const BACK_BY_ITSELF: &str = "moving None, waiting None, live None, frozen false, blocked []";

/// What people know of a release that held.
const STARTED_LIVE: &[&str] = &["started", "live"];
/// What they know of one that came back.
const CAME_BACK: &[&str] = &["started", "rollback_started", "rolled_back"];
