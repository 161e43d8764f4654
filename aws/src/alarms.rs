//! CloudWatch: whether alarms ring.

use std::collections::BTreeMap;

use aws_types::SdkConfig;
use serde_json::{Value, json};
use tidegate_core::decide::checks::{AlarmState, Heard};

use crate::Refusal;
use crate::json::JsonService;
use crate::moment::of_json;

/// `DescribeAlarms` takes no more names.
const NAMES_A_CALL: usize = 100;

/// Alarms of one region.
#[derive(Debug, Clone)]
pub struct Alarms(JsonService);

impl Alarms {
    /// Alarms where `config` points.
    pub fn new(config: &SdkConfig) -> Self {
        let target = "GraniteServiceVersion20100801";
        let config = config.clone();
        Self(JsonService { config, name: "monitoring", target, version: "1.0" })
    }

    /// The states of these alarms, metric and composite; one call for each 100. What is not there is
    /// left out by CloudWatch, and told as such here.
    pub async fn states(&self, names: &[String]) -> Result<BTreeMap<String, Heard>, Refusal> {
        let missing = |name: &String| {
            (name.clone(), Heard::Unasked("CloudWatch has no alarm of this name here".to_owned()))
        };
        let mut states: BTreeMap<_, _> = names.iter().map(missing).collect();
        for names in names.chunks(NAMES_A_CALL) {
            let asked = json!({
                "AlarmNames": names,
                // Left out, only metric alarms come back.
                "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
                "MaxRecords": NAMES_A_CALL,
            });
            let answer =
                self.0.call("cloudwatch:DescribeAlarms", &names.join(", "), &asked).await?;
            for kind in ["MetricAlarms", "CompositeAlarms"] {
                let alarms = answer[kind].as_array().into_iter().flatten();
                states.extend(alarms.filter_map(heard));
            }
        }
        Ok(states)
    }
}

fn heard(alarm: &Value) -> Option<(String, Heard)> {
    let name = alarm["AlarmName"].as_str()?.to_owned();
    let state = match alarm["StateValue"].as_str()? {
        "OK" => AlarmState::Ok,
        "ALARM" => AlarmState::Alarm,
        _ => AlarmState::InsufficientData,
    };
    let reason = alarm["StateReason"].as_str().unwrap_or_default().to_owned();
    // The last real change; an update may only renew the reason.
    let moments = ["StateTransitionedTimestamp", "StateUpdatedTimestamp"];
    let since = moments.iter().find_map(|name| of_json(&alarm[*name]));
    Some((name, Heard::Alarm { state, reason, since }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RefusalKind;
    use crate::fake::{Fake, config};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[tokio::test]
    async fn metric_and_composite_alarms_are_asked_at_once() {
        let fake = Fake::new();
        let metric = json!({"AlarmName": "api-5xx", "StateValue": "ALARM", "StateReason": "why",
            "StateTransitionedTimestamp": 1_763_715_600.5, "StateUpdatedTimestamp": 1_763_719_999.0});
        let composite = json!({"AlarmName": "all", "StateValue": "OK"});
        let answer = json!({"MetricAlarms": [metric], "CompositeAlarms": [composite]});
        fake.answer(200, &answer.to_string());
        let asked = names(&["api-5xx", "all", "gone"]);
        let states = Alarms::new(&config(&fake)).states(&asked).await.unwrap();
        let since = Some("2025-11-21T09:00:00.5Z".parse().unwrap());
        let rings = Heard::Alarm { state: AlarmState::Alarm, reason: "why".to_owned(), since };
        assert_eq!(states["api-5xx"], rings);
        assert!(matches!(states["all"], Heard::Alarm { state: AlarmState::Ok, since: None, .. }));
        assert!(matches!(states["gone"], Heard::Unasked(_)));
        let [request] = &fake.requests()[..] else { panic!("one call") };
        assert_eq!(request.operation, "DescribeAlarms");
        assert_eq!(request.uri, "https://monitoring.us-west-2.amazonaws.com/");
        assert_eq!(request.length, request.body.len());
        assert_eq!(request.json()["AlarmTypes"], json!(["MetricAlarm", "CompositeAlarm"]));
        assert_eq!(request.json()["MaxRecords"], 100, "a page holds 50 unless it is said");
    }

    #[tokio::test]
    async fn a_hundred_names_fill_a_call() {
        let fake = Fake::new();
        for _ in 0..2 {
            fake.answer(200, "{}");
        }
        let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
        let states = Alarms::new(&config(&fake)).states(&many).await.unwrap();
        assert_eq!((states.len(), fake.requests().len()), (101, 2));
    }

    #[tokio::test]
    async fn a_refusal_names_action_and_alarms() {
        let fake = Fake::new();
        fake.refuse(400, "com.amazon#AccessDeniedException", "User is not authorized");
        let refused = Alarms::new(&config(&fake)).states(&names(&["a", "b"])).await.unwrap_err();
        assert_eq!(refused.kind, RefusalKind::AccessDenied);
        let said =
            "cloudwatch:DescribeAlarms on a, b: AccessDeniedException: User is not authorized";
        assert_eq!(refused.to_string(), said);
    }
}
