//! CloudWatch: alarms, as far as somebody says how they stand.
//!
//! There are no metrics here, so a metric alarm changes only by `SetAlarmState`. A composite alarm follows
//! its rule whenever an alarm that the rule names changes.

mod rule;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::{ApiError, Input, Place, epoch, present};
use rule::Rule;

/// `DescribeAlarms` takes no more names, and a page holds no more.
const MOST: usize = 100;
/// As many as a page holds that nobody bounds.
const PAGE: usize = 50;
/// The state of an alarm before it was looked at first, and CloudWatch's words for it.
const NO_DATA: &str = "INSUFFICIENT_DATA";
const CREATED: &str = "Unchecked: Initial alarm creation";

/// The alarms of one place.
#[derive(Debug)]
pub struct CloudWatch {
    place: Place,
    alarms: BTreeMap<String, Alarm>,
}

#[derive(Debug)]
struct Alarm {
    /// Its text and what it means, of a composite alarm.
    rule: Option<(String, Rule)>,
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
    pub fn seed(&mut self, name: &str, now: Timestamp) {
        let seeded = || Alarm::new(None, "OK", "seeded", now);
        self.alarms.entry(name.to_owned()).or_insert_with(seeded);
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
            "PutCompositeAlarm" => self.put_composite(input, now),
            "SetAlarmState" => self.set(input, now),
            _ => Err(ApiError::unknown_action("CloudWatch", action)),
        }
    }

    /// A new alarm has no data; one that is there keeps its state.
    fn put(&mut self, name: &str, now: Timestamp) {
        let fresh = || Alarm::new(None, NO_DATA, CREATED, now);
        self.alarms.entry(name.to_owned()).or_insert_with(fresh);
    }

    /// A new composite alarm of alarms that are there, so that none is made of itself.
    fn put_composite(&mut self, input: Input<'_>, now: Timestamp) -> Result<Value, ApiError> {
        let (name, text) = (input.need("AlarmName")?, input.need("AlarmRule")?);
        let refused = |why: String| Err(ApiError::refused("ValidationError", why));
        if self.alarms.contains_key(name) {
            return refused(format!("the local AWS does not change {name}, which is there"));
        }
        let rule = Rule::parse(text)?;
        if let Some(missing) = rule.names().into_iter().find(|it| !self.alarms.contains_key(*it)) {
            return refused(format!("AlarmRule names {missing}, which is not there"));
        }
        let alarm = Alarm::new(Some((text.to_owned(), rule)), NO_DATA, CREATED, now);
        self.alarms.insert(name.to_owned(), alarm);
        self.evaluate(name, CREATED, now);
        Ok(json!({}))
    }

    /// Brings a composite alarm into the state that its rule says, and those that are made of it.
    fn evaluate(&mut self, name: &str, reason: &str, now: Timestamp) {
        let state = |name: &str| self.alarms.get(name).map(|alarm| alarm.state.clone());
        let rule = self.alarms.get(name).and_then(|alarm| alarm.rule.as_ref());
        let Some((_, rule)) = rule else { return };
        let state = if rule.holds(&state) { "ALARM" } else { "OK" };
        self.change(name, state, reason, now);
    }

    /// An alarm gets into a state; composite alarms that name it follow.
    fn change(&mut self, name: &str, state: &str, reason: &str, now: Timestamp) {
        let Some(alarm) = self.alarms.get_mut(name) else { return };
        let is_other = alarm.state != state;
        if is_other {
            alarm.transitioned = now;
        }
        state.clone_into(&mut alarm.state);
        reason.clone_into(&mut alarm.reason);
        alarm.updated = now;
        let followers: Vec<String> = self
            .alarms
            .iter()
            .filter(|(_, it)| is_other && it.names(name))
            .map(|(follower, _)| follower.clone())
            .collect();
        let at = now.strftime("%A %d %B, %Y %H:%M:%S UTC");
        let reason = format!("{} transitioned to {state} at {at}", self.arn(name));
        for follower in followers {
            self.evaluate(&follower, &reason, now);
        }
    }

    fn set(&mut self, input: Input<'_>, now: Timestamp) -> Result<Value, ApiError> {
        let (name, state) = (input.need("AlarmName")?, input.need("StateValue")?);
        if !["OK", "ALARM", "INSUFFICIENT_DATA"].contains(&state) {
            return Err(ApiError::refused("ValidationError", format!("no state is {state}")));
        }
        if !self.alarms.contains_key(name) {
            return Err(ApiError::refused("ResourceNotFound", format!("no alarm is {name}")));
        }
        self.change(name, state, input.need("StateReason")?, now);
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
        let found = self.alarms.iter().filter(|(name, it)| named(name) && asked(it.rule.is_some()));
        let (mut metric, mut composite) = (Vec::new(), Vec::new());
        for (name, alarm) in found.take(page) {
            let list = if alarm.rule.is_some() { &mut composite } else { &mut metric };
            list.push(self.described(name, alarm));
        }
        Ok(json!({ "MetricAlarms": metric, "CompositeAlarms": composite }))
    }

    fn described(&self, name: &str, alarm: &Alarm) -> Value {
        present(json!({
            "AlarmName": name,
            "AlarmArn": self.arn(name),
            "AlarmRule": alarm.rule.as_ref().map(|(text, _)| text),
            "StateValue": alarm.state,
            "StateReason": alarm.reason,
            "StateUpdatedTimestamp": epoch(alarm.updated),
            "StateTransitionedTimestamp": epoch(alarm.transitioned),
        }))
    }

    fn arn(&self, name: &str) -> String {
        self.place.arn("cloudwatch", &format!("alarm:{name}"))
    }
}

impl Alarm {
    fn new(rule: Option<(String, Rule)>, state: &str, reason: &str, now: Timestamp) -> Self {
        let (state, reason) = (state.to_owned(), reason.to_owned());
        Self { rule, state, reason, updated: now, transitioned: now }
    }

    /// Whether its rule names another alarm.
    fn names(&self, other: &str) -> bool {
        self.rule.as_ref().is_some_and(|(_, rule)| rule.names().contains(&other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composite_alarms_come_only_where_they_are_asked_for() {
        let now = Timestamp::UNIX_EPOCH;
        let mut cloudwatch = CloudWatch::new(Place::new("123456789012", "us-west-2"));
        cloudwatch.call("PutMetricAlarm", &json!({ "AlarmName": "one" }), now).unwrap();
        let all = json!({ "AlarmName": "all", "AlarmRule": "ALARM(one)" });
        cloudwatch.call("PutCompositeAlarm", &all, now).unwrap();
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
        cloudwatch.seed("one", Timestamp::UNIX_EPOCH);
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
    }

    #[test]
    fn a_composite_alarm_follows_what_it_is_made_of() {
        let now = Timestamp::UNIX_EPOCH;
        let mut cloudwatch = CloudWatch::new(Place::new("123456789012", "us-west-2"));
        let composite = |name: &str, rule: &str| json!({ "AlarmName": name, "AlarmRule": rule });
        let inner = composite("inner", "ALARM(one)");
        let refused = cloudwatch.call("PutCompositeAlarm", &inner, now).unwrap_err();
        assert!(refused.message.contains("names one"), "{refused}");
        cloudwatch.seed("one", now);
        for put in [inner, composite("outer", "NOT OK(inner)")] {
            cloudwatch.call("PutCompositeAlarm", &put, now).unwrap();
        }
        assert_eq!(cloudwatch.rings_since("outer"), None);
        let later = Timestamp::from_second(10).unwrap();
        let ring = json!({ "AlarmName": "one", "StateValue": "ALARM", "StateReason": "why" });
        cloudwatch.call("SetAlarmState", &ring, later).unwrap();
        assert_eq!(cloudwatch.rings_since("outer"), Some(later));
    }
}
