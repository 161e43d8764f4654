//! Chance, for jitter alone: nothing that is decided depends on it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;

/// Where waits get their jitter from.
#[derive(Clone)]
pub struct Dice(Arc<Mutex<Rng>>);

impl Dice {
    /// The same waits for the same seed: what the simulation replays.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Rng::with_seed(seed))))
    }

    /// Waits that differ from run to run.
    pub fn from_entropy() -> Self {
        Self(Arc::new(Mutex::new(Rng::new())))
    }

    /// A wait between nothing and `max`: full jitter, so that many who were refused together do not
    /// come back together.
    pub fn jitter(&self, max: Duration) -> Duration {
        // A poisoned generator still gives numbers; which one does not matter.
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        max.mul_f64(rng.f64())
    }

    /// A name for an invocation: unlike any other that may meet it at one item.
    pub fn name(&self) -> String {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{:016x}", rng.u64(..))
    }
}

impl fmt::Debug for Dice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dice")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: Duration = Duration::from_millis(400);

    #[test]
    fn a_seed_repeats_its_waits() {
        let waits = |seed| {
            let dice = Dice::seeded(seed);
            [(); 5].map(|()| dice.jitter(MAX))
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
    }

    #[test]
    fn waits_stay_within_their_limit() {
        let dice = Dice::from_entropy();
        assert!((0..1000).all(|_| dice.jitter(MAX) <= MAX));
    }
}
