//! AWS's moments in ours.

use aws_smithy_types::DateTime;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// The moment; the epoch where AWS gave none, so that it sorts before all that are known.
pub(crate) fn timestamp(moment: Option<&DateTime>) -> Timestamp {
    known(moment).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The moment, where AWS gave one.
pub(crate) fn known(moment: Option<&DateTime>) -> Option<Timestamp> {
    let moment = moment?;
    // Below a billion nanoseconds, so it always fits.
    let nanoseconds = i32::try_from(moment.subsec_nanos()).ok()?;
    Timestamp::new(moment.secs(), nanoseconds).ok()
}

/// The moment in AWS JSON: seconds since the epoch, with a fraction.
pub(crate) fn of_json(seconds: &Value) -> Option<Timestamp> {
    let since = SignedDuration::try_from_secs_f64(seconds.as_f64()?).ok()?;
    Timestamp::UNIX_EPOCH.checked_add(since).ok()
}
