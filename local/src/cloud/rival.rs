//! A race that is lost on purpose.

use std::fmt;

use crate::call::Call;

/// The calls that come first.
type Before = dyn FnMut(&Call) -> Vec<Call> + Send;

/// Somebody whose calls land just before another's, so that the other comes too late.
pub struct Rival(Box<Before>);

impl Rival {
    /// A rival that answers each call with those it lands first.
    pub fn new(before: impl FnMut(&Call) -> Vec<Call> + Send + 'static) -> Self {
        Self(Box::new(before))
    }

    pub(super) fn before(&mut self, call: &Call) -> Vec<Call> {
        (self.0)(call)
    }
}

impl fmt::Debug for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rival")
    }
}
