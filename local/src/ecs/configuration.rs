//! A service's deployment configuration, read where it is needed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::api::{ApiError, Input};

/// The configuration as it was given, with ECS's defaults.
#[derive(Debug, Clone)]
pub(super) struct Configuration(Value);

/// How a new revision comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strategy {
    /// Task by task.
    Rolling,
    /// A second fleet; the steps and waits of its traffic take this long in all.
    Native { shift: Duration },
}

/// The circuit breaker, when it is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Breaker {
    pub(super) rollback: bool,
    pub(super) threshold: u32,
    pub(super) resets: bool,
}

impl Configuration {
    /// Lays `given` over what was there; what the model cannot do is refused by name.
    pub(super) fn updated(&self, given: &Value) -> Result<Self, ApiError> {
        let mut merged = self.0.clone();
        for (member, value) in given.as_object().into_iter().flatten() {
            merged[member] = value.clone();
        }
        for unmodelled in ["lifecycleHooks", "alarms"] {
            let given = &merged[unmodelled];
            let empty = given.as_array().is_some_and(Vec::is_empty);
            if !given.is_null() && !empty && given["enable"] != json!(false) {
                return Err(ApiError::refused(
                    "InvalidParameterException",
                    format!("the local AWS does not model deploymentConfiguration.{unmodelled}"),
                ));
            }
        }
        if let Some(members) = merged.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        Ok(Self(merged))
    }

    pub(super) fn view(&self) -> &Value {
        &self.0
    }

    fn percent(&self, member: &str, default: u32) -> u32 {
        let given = Input(&self.0).number(member).and_then(|n| u32::try_from(n).ok());
        given.unwrap_or(default)
    }

    /// Healthy tasks that must stay: rounded up.
    pub(super) fn least(&self, desired: u32) -> usize {
        (desired * self.percent("minimumHealthyPercent", 100)).div_ceil(100) as usize
    }

    /// Tasks that may exist: rounded down. With one task at 100 to 100 percent nothing can ever be deployed.
    pub(super) fn most(&self, desired: u32) -> usize {
        (desired * self.percent("maximumPercent", 200) / 100) as usize
    }

    pub(super) fn strategy(&self) -> Strategy {
        let minutes = |pointer: &str, default: u64| {
            Duration::from_mins(self.0.pointer(pointer).and_then(Value::as_u64).unwrap_or(default))
        };
        match Input(&self.0).text("strategy") {
            Some("BLUE_GREEN") => Strategy::Native { shift: Duration::ZERO },
            Some("CANARY") => Strategy::Native {
                shift: minutes("/canaryConfiguration/canaryBakeTimeInMinutes", 10),
            },
            Some("LINEAR") => {
                let percent = self.0.pointer("/linearConfiguration/stepPercent");
                let percent = percent.and_then(Value::as_f64).unwrap_or(10.0).clamp(3.0, 100.0);
                let steps = (100.0 / percent).ceil() - 1.0;
                let step = minutes("/linearConfiguration/stepBakeTimeInMinutes", 6);
                Strategy::Native { shift: step.mul_f64(steps) }
            }
            _ => Strategy::Rolling,
        }
    }

    /// How long both fleets stay after the traffic moved; 15 minutes is ECS's default.
    pub(super) fn bake(&self) -> Duration {
        let minutes =
            Input(&self.0).number("bakeTimeInMinutes").and_then(|n| u64::try_from(n).ok());
        Duration::from_mins(minutes.unwrap_or(15))
    }

    /// The breaker of the rolling strategy. Its default threshold is half of the desired tasks, 3 to 200.
    pub(super) fn breaker(&self, desired: u32) -> Option<Breaker> {
        let given = Input(self.0.get("deploymentCircuitBreaker")?);
        if !given.flag("enable") || self.strategy() != Strategy::Rolling {
            return None;
        }
        let own = Input(given.0.get("thresholdConfiguration").unwrap_or(&Value::Null));
        let value = own.number("value").and_then(|n| u32::try_from(n).ok()).unwrap_or(50);
        let share = (desired * value).div_ceil(100);
        let threshold = match own.text("type") {
            Some("COUNT") => value,
            Some("UNBOUNDED_PERCENT") => share,
            _ => share.clamp(3, 200),
        };
        let resets = given.0.get("resetOnHealthyTask") != Some(&json!(false));
        Some(Breaker { rollback: given.flag("rollback"), threshold: threshold.max(1), resets })
    }
}

impl Default for Configuration {
    fn default() -> Self {
        Self(json!({
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "strategy": "ROLLING",
            "deploymentCircuitBreaker": { "enable": false, "rollback": false },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(given: &Value) -> Configuration {
        Configuration::default().updated(given).unwrap()
    }

    #[test]
    fn the_breakers_threshold() {
        let own = |kind, value| json!({ "type": kind, "value": value });
        for (say, desired, threshold, expected) in [
            ("at least three", 1, Value::Null, 3),
            ("half, rounded up", 25, Value::Null, 13),
            ("at most two hundred", 800, Value::Null, 200),
            ("a count of its own", 25, own("COUNT", 1), 1),
            ("a share without bounds", 800, own("UNBOUNDED_PERCENT", 50), 400),
            ("another share, bounded", 2, own("BOUNDED_PERCENT", 100), 3),
        ] {
            let breaker = json!({ "enable": true, "thresholdConfiguration": threshold });
            let configuration = configured(&json!({ "deploymentCircuitBreaker": breaker }));
            assert_eq!(configuration.breaker(desired).unwrap().threshold, expected, "{say}");
        }
        assert_eq!(Configuration::default().breaker(4), None, "off unless it is switched on");
    }

    #[test]
    fn how_many_tasks_must_and_may_be() {
        for (say, desired, minimum, maximum, expected) in [
            ("the defaults", 3, 100, 200, (3, 6)),
            ("the minimum rounds up", 3, 50, 100, (2, 3)),
            ("the maximum rounds down", 3, 0, 150, (0, 4)),
            ("one at 100 to 100 can never change", 1, 100, 100, (1, 1)),
        ] {
            let configuration =
                configured(&json!({ "minimumHealthyPercent": minimum, "maximumPercent": maximum }));
            let found = (configuration.least(desired), configuration.most(desired));
            assert_eq!(found, expected, "{say}");
        }
    }

    #[test]
    fn traffic_takes_as_long_as_its_steps() {
        for (say, given, minutes) in [
            ("all at once", json!({ "strategy": "BLUE_GREEN" }), 0),
            ("the canary bakes", json!({ "strategy": "CANARY" }), 10),
            (
                "a step bakes before each further one",
                json!({
                    "strategy": "LINEAR",
                    "linearConfiguration": { "stepPercent": 25.0, "stepBakeTimeInMinutes": 2 },
                }),
                6,
            ),
        ] {
            let shift = Duration::from_mins(minutes);
            assert_eq!(configured(&given).strategy(), Strategy::Native { shift }, "{say}");
        }
    }

    #[test]
    fn hooks_and_alarms_are_refused_by_name() {
        for (member, value) in [
            ("lifecycleHooks", json!([{ "targetType": "PAUSE" }])),
            ("alarms", json!({ "alarmNames": ["5xx"], "enable": true, "rollback": true })),
        ] {
            let refusal = Configuration::default().updated(&json!({ member: value })).unwrap_err();
            assert!(refusal.message.contains(member), "{refusal}");
        }
    }
}
