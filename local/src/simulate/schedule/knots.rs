//! Things that meet by themselves once in tens of thousands of stories: what is done, and the trouble
//! at the same moment that makes it matter.

use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;

use super::chance::{chance, pick};
use super::deeds::{SPAN, push_of};
use super::{Deed, Pipeline, Verb, Weather};
use crate::faults::{Fault, FaultRule};

/// Makes these dice other ones than those of the rest of the schedule.
const SALT: u64 = 0x6b6e_6f74_2d2d_7469;

/// So many of a hundred seeds with one-off tasks, which few have, tie one.
const SHARE_OF_TASKS: u32 = 30;

/// A knot: what is done, and what goes wrong.
pub(super) type Knot = (Vec<(Duration, Deed)>, Vec<FaultRule>);

/// The knot of a seed, in its first pipeline; nothing in most seeds.
pub(super) fn draw(seed: u64, weather: Weather, pipelines: &[Pipeline]) -> Knot {
    let mut dice = Rng::with_seed(seed ^ SALT);
    let Some(first) = pipelines.first() else { return Knot::default() };
    let tasks = !first.extras.tasks.is_empty();
    if !chance(&mut dice, if tasks { SHARE_OF_TASKS } else { weather.knots }) {
        return Knot::default();
    }
    if tasks {
        return back_amid_a_look(&mut dice, first);
    }
    match dice.u32(..5) {
        0 => (blocked_way_back(&mut dice, first), Vec::new()),
        1 => back_amid_a_claim(&mut dice, first),
        2 => back_before_it_lands(&mut dice, first),
        3 => back_amid_a_call(&mut dice, first),
        _ => silence(&mut dice, first),
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

/// An operator goes back in the seconds in which deploy does not hear yet that a target is its own. Its
/// survey writes such items as well, so all of them are slow.
fn back_amid_a_claim(dice: &mut Rng, pipeline: &Pipeline) -> Knot {
    let slow = Fault::Delay(dice.u64(700..3_000));
    (pushed_and_back(dice, pipeline, 3..20), vec![every("deploy", "UpdateItem", slow)])
}

/// An operator goes back while a call is said to be lost, and it lands when the lease has run out (20 s)
/// and somebody else may look: as late as a call can (30 s).
fn back_before_it_lands(dice: &mut Rng, pipeline: &Pipeline) -> Knot {
    let late = Fault::Late(dice.u64(26_000..30_000));
    let times = Some(dice.u64(1..=3));
    let rule = FaultRule { times, ..every("deploy", "UpdateService", late) };
    (pushed_and_back(dice, pipeline, 3..18), vec![rule])
}

/// Deploy dies again and again before it calls, until it counts as silent (ten times 90 s) or is back
/// just then; and a person calls what stopped right, whatever came of it.
fn silence(dice: &mut Rng, pipeline: &Pipeline) -> Knot {
    let times = Some(dice.u64(10..60));
    let deaths = FaultRule { times, ..every("deploy", "UpdateService", Fault::KillBefore) };
    let accepted = typed(pipeline, Verb::Accept);
    let deeds = vec![
        at(0, push_of(dice, pipeline, "healthy"), dice),
        at(dice.u64(900..2_400), accepted, dice),
    ];
    (deeds, vec![deaths])
}

/// An operator decides by a look that is seconds old; meanwhile deploy, slow as well, begins to call.
fn back_amid_a_look(dice: &mut Rng, pipeline: &Pipeline) -> Knot {
    let rules = vec![
        slow(dice, "operator", "Query"),
        slow(dice, "deploy", "DescribeServices"),
        slow(dice, "deploy", "RunTask"),
    ];
    (pushed_and_back(dice, pipeline, 2..20), rules)
}

/// An operator goes back in the seconds in which a call of the release is under way, or is said to be
/// lost and has yet to land; or in which a decision of watch is.
fn back_amid_a_call(dice: &mut Rng, pipeline: &Pipeline) -> Knot {
    let (caller, action) =
        pick(dice, &[(3, ("deploy", "UpdateService")), (1, ("watch", "TransactWriteItems"))]);
    let late = Fault::Late(dice.u64(5_000..30_000));
    let rule =
        if dice.bool() { some(dice, caller, action, late) } else { slow(dice, caller, action) };
    (pushed_and_back(dice, pipeline, 2..30), vec![rule])
}

/// A push that holds, and so many seconds later a rollback: before anything else is done, which would
/// be struck in its place.
fn pushed_and_back(dice: &mut Rng, pipeline: &Pipeline, soon: Range<u64>) -> Vec<(Duration, Deed)> {
    // What moves goes back without a flag, or the command is refused.
    let verb = Verb::Rollback { no_block: false, no_freeze: false, include_drifted: false };
    let back = typed(pipeline, verb);
    vec![at(0, push_of(dice, pipeline, "healthy"), dice), at(dice.u64(soon), back, dice)]
}

/// Some such calls are answered seconds later, before they are given up (10 s).
fn slow(dice: &mut Rng, caller: &str, action: &str) -> FaultRule {
    let delay = Fault::Delay(dice.u64(1_000..9_500));
    some(dice, caller, action, delay)
}

fn some(dice: &mut Rng, caller: &str, action: &str, fault: Fault) -> FaultRule {
    let times = Some(dice.u64(1..=3));
    FaultRule { probability: Some(0.5), times, ..every(caller, action, fault) }
}

fn every(caller: &str, action: &str, fault: Fault) -> FaultRule {
    FaultRule {
        caller: Some(caller.to_owned()),
        action: Some(action.to_owned()),
        ..FaultRule::always(fault)
    }
}

fn typed(pipeline: &Pipeline, verb: Verb) -> Deed {
    Deed::Command { pipeline: pipeline.name.clone(), verb }
}

fn at(seconds: u64, deed: Deed, dice: &mut Rng) -> (Duration, Deed) {
    (Duration::from_millis(seconds * 1000 + dice.u64(..1000)), deed)
}
