//! `always_moving`: whatever is lost or crashes, a release ends or waits by name.

use super::{Invariant, Moment, Wrongs};
use crate::call::Noted;
use crate::simulate::ends;
use crate::simulate::raw::Written;

pub(super) struct AlwaysMoving;

impl Invariant for AlwaysMoving {
    fn name(&self) -> &'static str {
        "always_moving"
    }

    fn landed(&mut self, _: &Moment<'_>, _: &Noted, _: &[Written], _: &mut Wrongs) {}

    fn ended(&mut self, now: &Moment<'_>, wrongs: &mut Wrongs) {
        for (id, end) in ends::of(now.table) {
            if let Err(moves) = end {
                wrongs.push(format!("{id} still {moves}, long after anything went wrong"));
            }
        }
    }
}
