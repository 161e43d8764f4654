//! Moments, as people read them.

use std::fmt::Display;

use jiff::Timestamp;

/// `2026-11-21 07:54:30Z`: to the second and in UTC, like AWS's own pages and logs.
pub(crate) fn moment(at: Timestamp) -> impl Display {
    at.strftime("%Y-%m-%d %H:%M:%SZ")
}
