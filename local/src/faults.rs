//! What goes wrong on purpose: each fault a rule that counts how often it fired.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A fault, and when it strikes. Absent members match everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The function that calls or is invoked (`deploy`), `operator`, or `bus` for events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// `ecs`; for events their source without `aws.`; `lambda` for invocations, `http` for URLs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// `UpdateService`; for events their detail-type, for URLs `GET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Strikes only at this occasion (from 1), counted from when the rule was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Strikes at most so often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Strikes with this probability, between 0 and 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// What happens.
    pub fault: Fault,
}

impl FaultRule {
    /// `fault` at every occasion.
    pub fn always(fault: Fault) -> Self {
        Self {
            caller: None,
            service: None,
            action: None,
            nth: None,
            times: None,
            probability: None,
            fault,
        }
    }
}

/// What can go wrong. Delays are in milliseconds of the local AWS's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A call is refused for its rate.
    Throttle,
    /// A call is refused, as where a policy does not allow it.
    Deny,
    /// A call never arrives, and is never answered.
    Drop,
    /// A call lands; its answer is lost.
    AnswerLost,
    /// A call is given up by its sender and lands afterwards.
    Late(u64),
    /// A call lands at once and is answered late.
    Delay(u64),
    /// The calling process dies before the call is sent.
    KillBefore,
    /// The calling process dies after the call landed.
    KillAfter,
    /// A transaction meets another one.
    TransactionConflict,
    /// An event, or a batch of records, is delivered twice at the same time.
    Duplicate,
    /// An event overtakes: it is delivered so much later than it would be.
    Reorder(u64),
    /// An event never arrives. Strikes best-effort sources (ECR) only.
    Lose,
}

/// Where a fault can strike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion<'a> {
    pub(crate) caller: &'a str,
    pub(crate) service: &'a str,
    pub(crate) action: &'a str,
}

/// The rules in force.
#[derive(Debug)]
pub struct Faults {
    rules: Vec<Counted>,
    dice: fastrand::Rng,
}

#[derive(Debug)]
struct Counted {
    rule: FaultRule,
    occasions: u64,
    fired: u64,
}

/// A rule, and what it has done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fired {
    /// The rule.
    pub rule: FaultRule,
    /// Occasions that matched.
    pub occasions: u64,
    /// How often it struck.
    pub fired: u64,
}

impl Faults {
    /// No faults; `seed` decides those with a probability.
    pub fn none(seed: u64) -> Self {
        Self { rules: Vec::new(), dice: fastrand::Rng::with_seed(seed) }
    }

    /// Adds a rule. Earlier rules strike first.
    pub fn add(&mut self, rule: FaultRule) {
        self.rules.push(Counted { rule, occasions: 0, fired: 0 });
    }

    /// Forgets all rules.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// What each rule did.
    pub fn fired(&self) -> Vec<Fired> {
        let rules = self.rules.iter();
        rules
            .map(|it| Fired { rule: it.rule.clone(), occasions: it.occasions, fired: it.fired })
            .collect()
    }

    /// The first rule's fault that strikes here, of those that `possible` lets happen.
    pub(crate) fn strike(
        &mut self,
        occasion: Occasion<'_>,
        possible: impl Fn(Fault) -> bool,
    ) -> Option<Fault> {
        for counted in &mut self.rules {
            let rule = &counted.rule;
            if !possible(rule.fault) || !rule.matches(occasion) {
                continue;
            }
            counted.occasions += 1;
            let strikes = rule.nth.is_none_or(|nth| nth == counted.occasions)
                && rule.times.is_none_or(|times| counted.fired < times)
                && rule.probability.is_none_or(|chance| self.dice.f64() < chance);
            if strikes {
                counted.fired += 1;
                return Some(rule.fault);
            }
        }
        None
    }
}

impl FaultRule {
    fn matches(&self, occasion: Occasion<'_>) -> bool {
        let is = |wanted: &Option<String>, found| wanted.as_deref().is_none_or(|it| it == found);
        is(&self.caller, occasion.caller)
            && is(&self.service, occasion.service)
            && is(&self.action, occasion.action)
    }
}

impl Fault {
    /// Strikes calls of any kind.
    pub(crate) fn is_of_calls(self) -> bool {
        matches!(
            self,
            Self::Throttle
                | Self::Deny
                | Self::Drop
                | Self::AnswerLost
                | Self::Late(_)
                | Self::Delay(_)
                | Self::KillBefore
                | Self::KillAfter
        )
    }

    /// Strikes the question of a URL, which is no call of AWS.
    pub(crate) fn is_of_questions(self) -> bool {
        matches!(self, Self::Throttle | Self::Drop | Self::AnswerLost | Self::Delay(_))
    }

    /// Strikes events on their way to a rule's target.
    pub(crate) fn is_of_events(self) -> bool {
        matches!(self, Self::Duplicate | Self::Reorder(_) | Self::Lose)
    }

    /// How long, for the faults that take time.
    pub(crate) fn delay(self) -> Duration {
        match self {
            Self::Late(ms) | Self::Delay(ms) | Self::Reorder(ms) => Duration::from_millis(ms),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_strikes_where_it_matches_and_counts() {
        let mut faults = Faults::none(1);
        let rule = serde_json::json!({"service": "ecs", "nth": 2, "fault": "throttle"});
        faults.add(serde_json::from_value(rule).unwrap());
        faults.add(FaultRule { times: Some(1), ..FaultRule::always(Fault::Late(5)) });
        let mut strike = |service: &str| {
            let occasion = Occasion { caller: "deploy", service, action: "A" };
            faults.strike(occasion, Fault::is_of_calls)
        };
        assert_eq!(strike("ecs"), Some(Fault::Late(5)));
        assert_eq!(strike("ecr"), None);
        assert_eq!(strike("ecs"), Some(Fault::Throttle));
        assert_eq!(strike("ecs"), None);
        let fired: Vec<_> = faults.fired().iter().map(|it| (it.occasions, it.fired)).collect();
        assert_eq!(fired, [(3, 1), (3, 1)]);
    }

    #[test]
    fn a_chance_is_the_seeds() {
        let count = |seed| {
            let mut faults = Faults::none(seed);
            let rule = FaultRule::always(Fault::Drop);
            faults.add(FaultRule { probability: Some(0.3), ..rule });
            let occasion = Occasion { caller: "", service: "", action: "" };
            (0..1000).filter(|_| faults.strike(occasion, Fault::is_of_calls).is_some()).count()
        };
        assert_eq!(count(7), count(7));
        assert!((200..400).contains(&count(7)));
    }

    #[test]
    fn nonsense_is_refused() {
        let rule = serde_json::json!({"svc": "ecs", "fault": "throttle"});
        assert!(serde_json::from_value::<FaultRule>(rule).is_err());
    }
}
