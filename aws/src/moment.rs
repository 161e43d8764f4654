//! The SDK's moments in ours.

use aws_smithy_types::DateTime;
use jiff::Timestamp;

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
