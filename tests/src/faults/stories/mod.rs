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

use super::step::Step;

/// A pipeline whose release 1 is live.
const LIVE: &str = "moving None, waiting None, live Some(1), frozen false, blocked []";
/// A pipeline whose first release went back, for its bytes.
const BACK: &str = "moving None, waiting None, live None, frozen false, blocked [\"pushed\"]";
/// A pipeline whose release 2 is live, after what was adopted.
const SECOND_LIVE: &str = "moving None, waiting None, live Some(2), frozen false, blocked []";
/// A pipeline whose release 2 went back, for its bytes, to what was adopted.
const BACK_AT_FIRST: &str =
    "moving None, waiting None, live Some(1), frozen false, blocked [\"pushed\"]";
/// A pipeline that an operator brought back by release 3.
const TAKEN_BACK: &str =
    "moving None, waiting None, live Some(3), frozen true, blocked [\"pushed\"]";

/// What people know of a release that held.
const STARTED_LIVE: &[&str] = &["started", "live"];
/// What they know of one that came back.
const CAME_BACK: &[&str] = &["started", "rollback_started", "rolled_back"];

/// Someli's build pushes an image that behaves so.
const fn someli_pushes(behaviour: &'static str) -> Step {
    Step::Pushes { repository: "live_crons", tag: "uapi", behaviour }
}
