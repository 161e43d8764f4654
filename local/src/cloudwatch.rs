//! CloudWatch: alarms, as far as somebody says how they stand.
//!
//! There are no metrics here, so an alarm changes only by `SetAlarmState`, and a composite alarm does
//! not follow its rule: `PutCompositeAlarm` is refused by name, and a seed makes one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::{ApiError, Input, Place, epoch};

/// `DescribeAlarms` takes no more names, and a page holds no more.
const MOST: usize = 100;
/// As many as a page holds that nobody bounds.
const PAGE: usize = 50;

/// The alarms of one place.
#[derive(Debug)]
pub struct CloudWatch {
    place: Place,
    alarms: BTreeMap<String, Alarm>,
}

#[derive(Debug)]
struct Alarm {
    composite: bool,
    state: String,
    reason: String,
    updated: Timestamp,
    transitioned: Timestamp,
}

impl CloudWatch {
    /// No alarm yet.
    pub fn new(place: Place) -> Self {
        Self { place, alarms: BTreeMap::new() }
    }

    /// An alarm that is quiet since `now`, unless it is there already.
    pub fn seed(&mut self, name: &str, composite: bool, now: Timestamp) {
        self.alarms.entry(name.to_owned()).or_insert_with(|| Alarm {
            composite,
            state: "OK".to_owned(),
            reason: "seeded".to_owned(),
            updated: now,
            transitioned: now,
        });
    }

    /// Since when an alarm rings, for who must know the truth; `None` while it does not.
    pub fn rings_since(&self, name: &str) -> Option<Timestamp> {
        let alarm = self.alarms.get(name).filter(|alarm| alarm.state == "ALARM")?;
        Some(alarm.transitioned)
    }

    /// Answers a call.
    pub fn call(&mut self, action: &str, input: &Value, now: Timestamp) -> Result<Value, ApiError> {
        let input = Input(input);
        match action {
            "DescribeAlarms" => self.describe(input),
            "PutMetricAlarm" => {
                self.put(input.need("AlarmName")?, now);
                Ok(json!({}))
            }
            "SetAlarmState" => self.set(input, now),
            _ => Err(ApiError::unknown_action("CloudWatch", action)),
        }
    }

    /// A new alarm has no data; one that is there keeps its state.
    fn put(&mut self, name: &str, now: Timestamp) {
        self.alarms.entry(name.to_owned()).or_insert_with(|| Alarm {
            composite: false,
            state: "INSUFFICIENT_DATA".to_owned(),
            reason: "Unchecked: Initial alarm creation".to_owned(),
            updated: now,
            transitioned: now,
        });
    }

    fn set(&mut self, input: Input<'_>, now: Timestamp) -> Result<Value, ApiError> {
        let (name, state) = (input.need("AlarmName")?, input.need("StateValue")?);
        if !["OK", "ALARM", "INSUFFICIENT_DATA"].contains(&state) {
            return Err(ApiError::refused("ValidationError", format!("no state is {state}")));
        }
        let missing = || ApiError::refused("ResourceNotFound", format!("no alarm is {name}"));
        let alarm = self.alarms.get_mut(name).ok_or_else(missing)?;
        if alarm.state != state {
            alarm.transitioned = now;
        }
        state.clone_into(&mut alarm.state);
        input.need("StateReason")?.clone_into(&mut alarm.reason);
        alarm.updated = now;
        Ok(json!({}))
    }

    /// Names that are not there are left out, and composite alarms that nobody asked for.
    fn describe(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let (names, types) = (input.texts("AlarmNames"), input.texts("AlarmTypes"));
        if names.len() > MOST {
            let message = format!("AlarmNames holds more than {MOST} names");
            return Err(ApiError::refused("ValidationError", message));
        }
        let page = input.number("MaxRecords").and_then(|most| usize::try_from(most).ok());
        let page = page.unwrap_or(PAGE).min(MOST);
        let named = |name: &str| names.is_empty() || names.contains(&name);
        let metric = types.is_empty() || types.contains(&"MetricAlarm");
        let asked = |composite: bool| {
            if composite { types.contains(&"CompositeAlarm") } else { metric }
        };
        let found = self.alarms.iter().filter(|(name, it)| named(name) && asked(it.composite));
        let (mut metric, mut composite) = (Vec::new(), Vec::new());
        for (name, alarm) in found.take(page) {
            let list = if alarm.composite { &mut composite } else { &mut metric };
            list.push(self.described(name, alarm));
        }
        Ok(json!({ "MetricAlarms": metric, "CompositeAlarms": composite }))
    }

    fn described(&self, name: &str, alarm: &Alarm) -> Value {
        json!({
            "AlarmName": name,
            "AlarmArn": self.place.arn("cloudwatch", &format!("alarm:{name}")),
            "StateValue": alarm.state,
            "StateReason": alarm.reason,
            "StateUpdatedTimestamp": epoch(alarm.updated),
            "StateTransitionedTimestamp": epoch(alarm.transitioned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composite_alarms_come_only_where_they_are_asked_for() {
        let now = Timestamp::UNIX_EPOCH;
        let mut cloudwatch = CloudWatch::new(Place::new("123456789012", "us-west-2"));
        cloudwatch.seed("all", true, now);
        cloudwatch.call("PutMetricAlarm", &json!({ "AlarmName": "one" }), now).unwrap();
        let names = |cloudwatch: &mut CloudWatch, types: Value| {
            let asked = json!({ "AlarmNames": ["all", "one", "gone"], "AlarmTypes": types });
            let answer = cloudwatch.call("DescribeAlarms", &asked, now).unwrap();
            let count = |kind: &str| answer[kind].as_array().unwrap().len();
            (count("MetricAlarms"), count("CompositeAlarms"))
        };
        assert_eq!(names(&mut cloudwatch, json!([])), (1, 0));
        assert_eq!(names(&mut cloudwatch, json!(["MetricAlarm", "CompositeAlarm"])), (1, 1));
    }

    #[test]
    fn a_state_that_stays_keeps_the_time_of_its_change() {
        let mut cloudwatch = CloudWatch::new(Place::new("123456789012", "us-west-2"));
        cloudwatch.seed("one", false, Timestamp::UNIX_EPOCH);
        let ring = json!({ "AlarmName": "one", "StateValue": "ALARM", "StateReason": "why" });
        for second in [10, 20] {
            let now = Timestamp::from_second(second).unwrap();
            cloudwatch.call("SetAlarmState", &ring, now).unwrap();
        }
        let asked = json!({ "AlarmNames": ["one"] });
        let answer = cloudwatch.call("DescribeAlarms", &asked, Timestamp::UNIX_EPOCH).unwrap();
        let alarm = &answer["MetricAlarms"][0];
        assert_eq!(alarm["StateTransitionedTimestamp"].as_f64(), Some(10.0));
        assert_eq!(alarm["StateUpdatedTimestamp"].as_f64(), Some(20.0));
        let refused = cloudwatch.call("PutCompositeAlarm", &json!({}), Timestamp::UNIX_EPOCH);
        assert_eq!(refused.unwrap_err().code, "UnknownOperationException");
    }
}
