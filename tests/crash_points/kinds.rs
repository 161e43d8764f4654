//! The kinds of trouble, each with the points at which it makes a difference.

use tidegate_local::faults::{Fault, FaultRule};
use tidegate_tests::faults::Rivalry;

use crate::points::Point;

/// What strikes a point, if it makes a difference there.
pub(crate) type Kind = fn(&Point) -> Option<Vec<FaultRule>>;

/// Those in which a call fails; the others are about writes that meet somebody else's.
pub(crate) const FAILURES: [Kind; 6] =
    [dies_before, dies_after, never_sent, answer_lost, late, throttled];

/// Dies where it has not written yet. Reads leave no trace: dying at any of several that follow each
/// other leaves the same world behind, so one death stands for all of them.
pub(crate) fn dies_before(point: &Point) -> Option<Vec<FaultRule>> {
    let tells = !point.is_typed() && !point.written && (point.is_write() || point.last);
    tells.then(|| vec![point.struck(Fault::KillBefore)])
}

/// Dies after a write, and so before the next one or before it could say that it is done.
pub(crate) fn dies_after(point: &Point) -> Option<Vec<FaultRule>> {
    let tells = !point.is_typed() && point.is_write();
    tells.then(|| vec![point.struck(Fault::KillAfter)])
}

/// A lost read of the table fails its invocation, as if it had died there.
pub(crate) fn never_sent(point: &Point) -> Option<Vec<FaultRule>> {
    let tells = point.is_typed() || point.is_write() || !point.is_of(&["dynamodb"]);
    tells.then(|| vec![point.struck(Fault::Drop)])
}

pub(crate) fn answer_lost(point: &Point) -> Option<Vec<FaultRule>> {
    point.is_write().then(|| vec![point.struck(Fault::AnswerLost)])
}

/// Up to 30 s late, each call by another time.
pub(crate) fn late(point: &Point) -> Option<Vec<FaultRule>> {
    point.is_write().then(|| vec![point.struck(Fault::Late(point.number * 7_919 % 30_000))])
}

/// As often as the SDK tries by itself, so that the caller hears of it.
pub(crate) fn throttled(point: &Point) -> Option<Vec<FaultRule>> {
    let services = ["ecs", "ecr", "events", "lightsail", "scheduler", "sts"];
    point.is_of(&services).then(|| vec![point.struck(Fault::Throttle); 3])
}

pub(crate) fn conflict(point: &Point) -> Option<Vec<FaultRule>> {
    let transaction = point.noted.call.action == "TransactWriteItems";
    transaction.then(|| vec![point.struck(Fault::TransactionConflict)])
}

/// Somebody else writes the same item first.
pub(crate) fn race_lost(point: &Point) -> Option<Rivalry> {
    Rivalry::of(&point.noted, point.number)
}
