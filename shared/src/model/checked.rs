//! What the checks of a release have answered so far.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What one check has answered; one for each check of the release's config, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Checked {
    /// When it was asked last, as far as that is worth a write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// When it last answered as it should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub green_at: Option<Timestamp>,
    /// The last answer, where it was not as it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub red: Option<Red>,
    /// An alarm that rang before the release: not held against it until it is quiet again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rang_before: bool,
}

/// An answer that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Red {
    /// A wrong answer: evidence.
    Wrong {
        /// So many, one after the other.
        times: u32,
        /// When the first of them came.
        since: Timestamp,
        /// The last of them, in words.
        said: String,
    },
    /// It could not be asked, or says that it does not know: neither green nor wrong.
    Unknown {
        /// Why, in words.
        said: String,
    },
}
