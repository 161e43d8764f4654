//! A pipeline that is retired, and mostly brought back: beside a push, or long after all have ended.

use std::time::Duration;

use fastrand::Rng;

use super::chance::{chance, pick};
use super::deeds::{SPAN, push_of};
use super::{Deed, Pipeline, Verb};

/// Makes these dice other ones than those of the rest of the schedule.
const SALT: u64 = 0x7265_7469_7265_6421;

/// In so many seeds of a hundred one is.
const SHARE: u32 = 4;

pub(super) fn draw(seed: u64, pipelines: &[Pipeline]) -> Vec<(Duration, Deed)> {
    let mut dice = Rng::with_seed(seed ^ SALT);
    // What is promoted is lost to a pipeline that is retired meanwhile: those stories are told for others.
    let promoted = pipelines.iter().any(|pipeline| pipeline.extras.promoted.is_some());
    if promoted || pipelines.is_empty() || !chance(&mut dice, SHARE) {
        return Vec::new();
    }
    let pipeline = &pipelines[dice.usize(..pipelines.len())];
    let typed = |verb| Deed::Command { pipeline: pipeline.name.clone(), verb };
    let span = pick(&mut dice, &[(1, SPAN), (2, 4 * SPAN)]);
    let millis = dice.u64(..span * 1000);
    let mut deeds = vec![(millis, typed(Verb::Retire))];
    if dice.bool() {
        // Promote reads who looks at the repository, and the operator takes the pipeline away.
        let beside = (millis + dice.u64(..4_000)).saturating_sub(2_000);
        deeds.push((beside, push_of(&mut dice, pipeline, "healthy")));
    }
    if chance(&mut dice, 75) {
        let again = typed(Verb::Apply { bake: dice.u64(0..=40) });
        deeds.push((millis + dice.u64(1_000..900_000), again));
        let pushed = millis + dice.u64(..1_200_000);
        deeds.push((pushed, push_of(&mut dice, pipeline, "healthy")));
    }
    deeds.into_iter().map(|(at, deed)| (Duration::from_millis(at), deed)).collect()
}
