//! The two ways to leave something to chance.

use fastrand::Rng;

/// One of these values, each as likely as its weight says.
pub(super) fn pick<T: Clone>(dice: &mut Rng, values: &[(u32, T)]) -> T {
    let all: u32 = values.iter().map(|(weight, _)| weight).sum();
    let mut left = dice.u32(..all);
    for (weight, value) in values {
        match left.checked_sub(*weight) {
            Some(rest) => left = rest,
            None => return value.clone(),
        }
    }
    unreachable!("a number below the sum of the weights")
}

/// Whether a chance of `percent` strikes.
pub(super) fn chance(dice: &mut Rng, percent: u32) -> bool {
    dice.u32(..100) < percent
}
