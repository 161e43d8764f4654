//! What goes wrong with the calls that only extras cause.

use fastrand::Rng;

use super::super::Weather;
use super::super::chance::pick;
use super::super::troubles::of_a_call;
use super::Extra;
use crate::faults::{Fault, FaultRule};

/// How a rule names the question of a URL, which nobody signs.
const QUESTION: &str = "GET";

/// The calls that only extras cause. Over a thousand seeds each must be struck.
pub(in crate::simulate) const CALLS: [&str; 9] = [
    "RunTask",
    "DescribeTasks",
    "UpdateSchedule",
    "PutTargets",
    "CreateContainerServiceDeployment",
    "BatchGetImage",
    "DescribeAlarms",
    QUESTION,
    "AssumeRole",
];

pub(super) fn draw(dice: &mut Rng, weather: Weather, extras: &[Extra]) -> Vec<FaultRule> {
    let mut rules = Vec::new();
    for extra in extras {
        for _ in 0..pick(dice, weather.extra_troubles) {
            rules.push(rule(dice, *extra));
        }
    }
    rules
}

fn rule(dice: &mut Rng, extra: Extra) -> FaultRule {
    let (caller, action) = match extra {
        Extra::Tasks => pick(dice, &[(4, ("deploy", "RunTask")), (1, ("watch", "DescribeTasks"))]),
        Extra::Scheduled => {
            pick(dice, &[(3, ("deploy", "UpdateSchedule")), (3, ("deploy", "PutTargets"))])
        }
        Extra::Lightsail => ("deploy", "CreateContainerServiceDeployment"),
        Extra::Joined => {
            pick(dice, &[(1, ("promote", "BatchGetImage")), (1, ("promote", "TransactWriteItems"))])
        }
        Extra::Approval => pick(
            dice,
            &[(1, ("operator", "TransactWriteItems")), (1, ("deploy", "TransactWriteItems"))],
        ),
        Extra::Promoted => {
            pick(dice, &[(1, ("deploy", "PutImage")), (2, ("watch", "TransactWriteItems"))])
        }
        Extra::Checks if dice.bool() => return question(dice),
        Extra::Checks => ("watch", "DescribeAlarms"),
        Extra::Elsewhere => {
            pick(dice, &[(2, ("deploy", "AssumeRole")), (2, ("watch", "AssumeRole"))])
        }
    };
    let fault = match of_a_call(dice) {
        Fault::TransactionConflict if action != "TransactWriteItems" => Fault::AnswerLost,
        fault => fault,
    };
    FaultRule {
        caller: Some(caller.to_owned()),
        action: Some(action.to_owned()),
        nth: Some(dice.u64(1..=4)).filter(|_| dice.bool()),
        times: Some(pick(dice, &[(6, 1), (3, 2), (1, 6)])),
        ..FaultRule::always(fault)
    }
}

/// A URL that does not answer, late or that it is asked too much; now and then for minutes.
fn question(dice: &mut Rng) -> FaultRule {
    let slow = Fault::Delay(dice.u64(100..30_000));
    let fault = pick(dice, &[(2, Fault::Drop), (2, slow), (1, Fault::Throttle)]);
    FaultRule {
        action: Some(QUESTION.to_owned()),
        nth: Some(dice.u64(1..=8)).filter(|_| dice.bool()),
        times: Some(pick(dice, &[(4, 1), (2, 2), (1, 12)])),
        ..FaultRule::always(fault)
    }
}
