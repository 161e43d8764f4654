//! What goes wrong: rules of the local AWS's faults.

use fastrand::Rng;

use super::Weather;
use super::chance::pick;
use crate::faults::{Fault, FaultRule};

/// Everything that can go wrong, as the report names it. Over a thousand seeds each must strike.
pub const KINDS: [&str; 15] = [
    "never_sent",
    "answer_lost",
    "landed_late",
    "answered_late",
    "throttled",
    "transaction_conflict",
    "killed_before_call",
    "killed_after_call",
    "event_lost",
    "event_duplicated",
    "event_overtaken",
    "event_late",
    "batch_twice",
    "lagging_read",
    "lagging_look",
];

/// From here on an event is late and not only overtaken.
const LATE: u64 = 60 * 60 * 1000;

/// The report's name for what a rule does.
pub(in crate::simulate) fn kind(rule: &FaultRule) -> &'static str {
    let batch = rule.service.as_deref() == Some("lambda");
    match rule.fault {
        Fault::Drop => "never_sent",
        Fault::AnswerLost => "answer_lost",
        Fault::Late(_) => "landed_late",
        Fault::Delay(_) => "answered_late",
        Fault::Throttle => "throttled",
        Fault::Deny => "denied",
        Fault::TransactionConflict => "transaction_conflict",
        Fault::KillBefore => "killed_before_call",
        Fault::KillAfter => "killed_after_call",
        Fault::Lose => "event_lost",
        Fault::Duplicate if batch => "batch_twice",
        Fault::Duplicate => "event_duplicated",
        Fault::Reorder(by) if by >= LATE => "event_late",
        Fault::Reorder(_) => "event_overtaken",
    }
}

pub(super) fn draw(dice: &mut Rng, weather: Weather) -> Vec<FaultRule> {
    (0..pick(dice, weather.troubles)).map(|_| rule(dice)).collect()
}

fn rule(dice: &mut Rng) -> FaultRule {
    match dice.u32(..12) {
        0..8 => of_calls(dice),
        8 | 9 => of_events(dice),
        _ => FaultRule {
            caller: Some(pick(dice, &[(3, "deploy"), (1, "notify")]).to_owned()),
            service: Some("lambda".to_owned()),
            probability: Some(0.5),
            times: Some(dice.u64(1..=4)),
            ..FaultRule::always(Fault::Duplicate)
        },
    }
}

/// What may happen to a call.
pub(super) fn of_a_call(dice: &mut Rng) -> Fault {
    let late = Fault::Late(dice.u64(100..30_000));
    let slow = Fault::Delay(dice.u64(100..12_000));
    pick(
        dice,
        &[
            (2, Fault::Drop),
            (3, Fault::AnswerLost),
            (3, late),
            (3, slow),
            (2, Fault::Throttle),
            (2, Fault::TransactionConflict),
            (2, Fault::KillBefore),
            (3, Fault::KillAfter),
        ],
    )
}

fn of_calls(dice: &mut Rng) -> FaultRule {
    let fault = of_a_call(dice);
    let callers = [(4, "deploy"), (3, "watch"), (2, "promote"), (1, "notify"), (1, "operator")];
    let caller = pick(dice, &callers);
    let action = action(dice, caller, fault);
    let mut rule = FaultRule {
        caller: Some(caller.to_owned()),
        action: action.map(str::to_owned),
        // A batch is tried four times: now and then none of the tries may live.
        times: Some(pick(dice, &[(6, 1), (4, 2), (2, 3), (1, 6)])),
        ..FaultRule::always(fault)
    };
    if action.is_some() && dice.bool() {
        rule.nth = Some(dice.u64(1..=4));
    } else {
        rule.probability = Some(pick(dice, &[(2, 0.03), (2, 0.1), (1, 0.4), (1, 1.0)]));
    }
    rule
}

/// The call that is struck; the writes most often, for what is lost there is lost.
fn action(dice: &mut Rng, caller: &str, fault: Fault) -> Option<&'static str> {
    if fault == Fault::TransactionConflict {
        return Some("TransactWriteItems");
    }
    let own = match caller {
        // Its looks are what it decides by: while one is slow, something else may be asked.
        "deploy" if matches!(fault, Fault::Delay(_)) && dice.bool() => "DescribeServices",
        "deploy" => pick(
            dice,
            &[
                (4, "UpdateService"),
                (2, "UpdateItem"),
                (2, "TransactWriteItems"),
                (1, "RegisterTaskDefinition"),
                (1, "DescribeServices"),
                (1, "StopServiceDeployment"),
                (1, "PutImage"),
            ],
        ),
        "watch" => pick(dice, &[(2, "TransactWriteItems"), (1, "DescribeServices")]),
        "notify" => "Publish",
        _ => "TransactWriteItems",
    };
    (dice.u32(..10) < 7).then_some(own)
}

fn of_events(dice: &mut Rng) -> FaultRule {
    let overtaken = Fault::Reorder(dice.u64(1_000..240_000));
    // Up to a day; mostly an hour or two, for the minutes in between cost ticks.
    let late = pick(dice, &[(12, LATE..2 * LATE), (1, 2 * LATE..24 * LATE)]);
    let late = Fault::Reorder(dice.u64(late));
    let fault = pick(dice, &[(8, Fault::Lose), (8, Fault::Duplicate), (8, overtaken), (1, late)]);
    FaultRule {
        caller: Some("bus".to_owned()),
        service: Some(pick(dice, &[(3, "ecr"), (2, "ecs")]).to_owned())
            .filter(|_| fault != Fault::Lose),
        probability: Some(pick(dice, &[(1, 0.2), (1, 1.0)])),
        times: Some(dice.u64(1..=4)),
        ..FaultRule::always(fault)
    }
}
