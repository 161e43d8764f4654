//! Somebody who sees everything that happens, at the moment it happens.

use std::fmt;

use jiff::Timestamp;

use super::Cloud;
use crate::call::{Call, Noted};
use crate::dynamodb::Change;

/// Looks on; what it sees, it sees before anybody else can act on it.
pub trait Witness: Send {
    /// A call leaves its sender: from here on it may land, also when the sender is dead by then.
    fn sent(&mut self, cloud: &Cloud, call: &Call, now: Timestamp);

    /// AWS dealt with a call; what that did to the table.
    fn landed(&mut self, cloud: &Cloud, call: &Noted, changes: &[Change]);
}

impl fmt::Debug for dyn Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witness")
    }
}

impl Cloud {
    /// Lets the witness see, if there is one.
    pub(super) fn testify(&mut self, see: impl FnOnce(&mut dyn Witness, &Self)) {
        if let Some(mut witness) = self.witness.take() {
            see(&mut *witness, self);
            self.witness = Some(witness);
        }
    }
}
