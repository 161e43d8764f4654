//! Chance that is the same in every run.

/// A small generator (the constants are Knuth's for MMIX); its high bits are good enough to vary a
/// story.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = Self(seed);
        // Neighbouring seeds begin alike.
        for _ in 0..4 {
            chance.below(2);
        }
        chance
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let Self(state) = self;
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) % bound
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let index = self.below(from.len() as u64);
        &from[usize::try_from(index).unwrap()]
    }
}
