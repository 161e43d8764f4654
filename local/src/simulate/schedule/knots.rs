//! Things that meet by themselves once in tens of thousands of stories: what is done, and the trouble
//! at the same moment that makes it matter.

use std::time::Duration;

use fastrand::Rng;

use super::chance::{chance, pick};
use super::deeds::{SPAN, push_of};
use super::{Deed, Pipeline, Verb};
use crate::faults::{Fault, FaultRule};

/// Makes these dice other ones than those of the rest of the schedule.
const SALT: u64 = 0x6b6e_6f74_2d2d_7469;

/// So many seeds of a hundred have one.
const SHARE: u32 = 8;

/// A knot: what is done, and what goes wrong.
pub(super) type Knot = (Vec<(Duration, Deed)>, Vec<FaultRule>);

/// The knot of a seed, in its first pipeline; nothing in most seeds.
pub(super) fn draw(seed: u64, pipelines: &[Pipeline]) -> Knot {
    let mut dice = Rng::with_seed(seed ^ SALT);
    match pipelines.first().filter(|_| chance(&mut dice, SHARE)) {
        None => Knot::default(),
        Some(first) if dice.u32(..4) == 0 => (blocked_way_back(&mut dice, first), Vec::new()),
        Some(first) => back_amid_a_call(&mut dice, first),
    }
}

/// What is live is blocked, and then more is pushed: that would have to go back to it.
fn blocked_way_back(dice: &mut Rng, pipeline: &Pipeline) -> Vec<(Duration, Deed)> {
    let block = Verb::Block { push: dice.usize(..4) };
    let blocked = SPAN + dice.u64(150..300);
    let pushed = blocked + dice.u64(110..240);
    vec![
        at(SPAN, push_of(dice, pipeline, "healthy"), dice),
        at(blocked, typed(pipeline, block), dice),
        at(pushed, push_of(dice, pipeline, "healthy"), dice),
    ]
}

/// An operator goes back in the seconds in which a call of the release is under way, or is said to be
/// lost and has yet to land; or in which a decision of watch is.
fn back_amid_a_call(dice: &mut Rng, pipeline: &Pipeline) -> Knot {
    let verb = Verb::Rollback { no_block: dice.bool(), no_freeze: true, include_drifted: false };
    let pushed = SPAN + dice.u64(..60);
    let (caller, action) =
        pick(dice, &[(3, ("deploy", "UpdateService")), (1, ("watch", "TransactWriteItems"))]);
    let fault = if dice.bool() {
        Fault::Late(dice.u64(5_000..30_000))
    } else {
        Fault::Delay(dice.u64(1_000..9_500))
    };
    let rule = FaultRule {
        caller: Some(caller.to_owned()),
        action: Some(action.to_owned()),
        probability: Some(0.5),
        times: Some(dice.u64(1..=3)),
        ..FaultRule::always(fault)
    };
    let typed = typed(pipeline, verb);
    let soon = dice.u64(2..30);
    let deeds =
        vec![at(pushed, push_of(dice, pipeline, "healthy"), dice), at(pushed + soon, typed, dice)];
    (deeds, vec![rule])
}

fn typed(pipeline: &Pipeline, verb: Verb) -> Deed {
    Deed::Command { pipeline: pipeline.name.clone(), verb }
}

fn at(seconds: u64, deed: Deed, dice: &mut Rng) -> (Duration, Deed) {
    (Duration::from_millis(seconds * 1000 + dice.u64(..1000)), deed)
}
