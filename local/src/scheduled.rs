//! What runs ECS tasks at their time: schedules of EventBridge Scheduler, and rules of EventBridge with a
//! schedule. Both replace all they are given.
//!
//! Only `rate(…)` is modelled; a `cron(…)` is refused by name, for it would never fire.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::{ApiError, Input, Place, epoch, present};
use crate::template::rate;

/// ECS writes so many characters of who started a task.
const STARTED_BY: usize = 36;

/// The group of schedules, and the bus, that everybody has.
const DEFAULT: &str = "default";

/// Schedules and rules of one place.
#[derive(Debug)]
pub struct Scheduled {
    place: Place,
    /// By group and name.
    schedules: BTreeMap<(String, String), Schedule>,
    rules: BTreeMap<String, Rule>,
}

#[derive(Debug)]
struct Schedule {
    /// Its members, as they were sent.
    members: Value,
    created: Timestamp,
    changed: Timestamp,
    next: Timestamp,
}

#[derive(Debug)]
struct Rule {
    expression: String,
    enabled: bool,
    targets: BTreeMap<String, Value>,
    next: Timestamp,
}

/// What [`Scheduled::call_scheduler`] takes of a schedule; anything else is refused by name.
const MEMBERS: [&str; 13] = [
    "ActionAfterCompletion",
    "ClientToken",
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "KmsKeyArn",
    "Name",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
    "Target",
];

impl Scheduled {
    /// Nothing is scheduled yet.
    pub fn new(place: Place) -> Self {
        Self { place, schedules: BTreeMap::new(), rules: BTreeMap::new() }
    }

    /// A call that is about a schedule of a task, or that makes one; the others are the stack's own.
    pub fn holds_schedule(&self, action: &str, input: &Value) -> bool {
        let group = input["GroupName"].as_str().unwrap_or(DEFAULT);
        let name = input["Name"].as_str().unwrap_or_default();
        action == "CreateSchedule"
            || self.schedules.contains_key(&(group.to_owned(), name.to_owned()))
    }

    /// The same of rules.
    pub fn holds_rule(&self, action: &str, input: &Value) -> bool {
        let name = input["Rule"].as_str().or(input["Name"].as_str()).unwrap_or_default();
        action == "PutRule" || self.rules.contains_key(name)
    }

    /// Answers a call of EventBridge Scheduler.
    pub fn call_scheduler(
        &mut self,
        action: &str,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let input = Input(input);
        let key = || -> Result<(String, String), ApiError> {
            let group = input.text("GroupName").unwrap_or(DEFAULT);
            Ok((group.to_owned(), input.need("Name")?.to_owned()))
        };
        match action {
            "CreateSchedule" => {
                let key = key()?;
                if self.schedules.contains_key(&key) {
                    let message = format!("Schedule {} already exists.", key.1);
                    return Err(ApiError {
                        status: 409,
                        ..ApiError::refused("ConflictException", message)
                    });
                }
                self.write(key, input, now)
            }
            "UpdateSchedule" => {
                let key = key()?;
                self.schedule(&key)?;
                self.write(key, input, now)
            }
            "GetSchedule" => {
                let key = key()?;
                let Schedule { members, created, changed, .. } = self.schedule(&key)?;
                let mut shown = members.clone();
                shown["Arn"] = json!(self.schedule_arn(&key));
                shown["GroupName"] = json!(key.0);
                shown["CreationDate"] = epoch(*created);
                shown["LastModificationDate"] = epoch(*changed);
                Ok(shown)
            }
            _ => Err(ApiError::unknown_action("EventBridge Scheduler", action)),
        }
    }

    fn schedule(&self, key: &(String, String)) -> Result<&Schedule, ApiError> {
        self.schedules.get(key).ok_or_else(|| ApiError {
            status: 404,
            ..ApiError::refused(
                "ResourceNotFoundException",
                format!("Schedule {} does not exist.", key.1),
            )
        })
    }

    fn schedule_arn(&self, (group, name): &(String, String)) -> String {
        self.place.arn("scheduler", &format!("schedule/{group}/{name}"))
    }

    /// What is not said again is gone.
    fn write(
        &mut self,
        key: (String, String),
        input: Input<'_>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        input.only("UpdateSchedule", &MEMBERS)?;
        let mode = &input.0["FlexibleTimeWindow"]["Mode"];
        let target = &input.0["Target"];
        if mode.is_null() || target["Arn"].is_null() || target["RoleArn"].is_null() {
            let message = "FlexibleTimeWindow, Target.Arn and Target.RoleArn must be given";
            return Err(ApiError::refused("ValidationException", message));
        }
        let every = every(input.need("ScheduleExpression")?)?;
        let mut members = input.0.clone();
        if let Some(members) = members.as_object_mut() {
            members.remove("ClientToken");
            members.entry("State").or_insert_with(|| json!("ENABLED"));
        }
        let before = self.schedules.get(&key);
        let same =
            |it: &&Schedule| it.members["ScheduleExpression"] == members["ScheduleExpression"];
        let next = before.filter(same).map_or(now + every, |it| it.next);
        let created = before.map_or(now, |it| it.created);
        let arn = self.schedule_arn(&key);
        self.schedules.insert(key, Schedule { members, created, changed: now, next });
        Ok(json!({ "ScheduleArn": arn }))
    }

    /// Answers a call of EventBridge that is about a rule with a schedule.
    pub fn call_events(
        &mut self,
        action: &str,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let input = Input(input);
        let bus = input.text("EventBusName").unwrap_or(DEFAULT);
        if bus != DEFAULT {
            let message = format!("Event bus {bus} does not exist.");
            return Err(ApiError::refused("ResourceNotFoundException", message));
        }
        match action {
            "PutRule" => {
                input.only(action, &["EventBusName", "Name", "ScheduleExpression", "State"])?;
                let (name, expression) = (input.need("Name")?, input.need("ScheduleExpression")?);
                let every = every(expression)?;
                let targets = self.rules.remove(name).map(|rule| rule.targets).unwrap_or_default();
                let enabled = input.text("State") != Some("DISABLED");
                let rule =
                    Rule { expression: expression.to_owned(), enabled, targets, next: now + every };
                self.rules.insert(name.to_owned(), rule);
                Ok(json!({ "RuleArn": self.place.arn("events", &format!("rule/{name}")) }))
            }
            "DescribeRule" => {
                input.only(action, &["EventBusName", "Name"])?;
                let name = input.need("Name")?;
                let arn = self.place.arn("events", &format!("rule/{name}"));
                let rule = self.rule(input)?;
                Ok(json!({
                    "Name": name,
                    "Arn": arn,
                    "ScheduleExpression": rule.expression,
                    "State": if rule.enabled { "ENABLED" } else { "DISABLED" },
                    "EventBusName": DEFAULT,
                }))
            }
            "ListTargetsByRule" => {
                input.only(action, &["EventBusName", "Rule"])?;
                let targets = &self.rule(input)?.targets;
                Ok(json!({ "Targets": targets.values().collect::<Vec<_>>() }))
            }
            "PutTargets" => {
                input.only(action, &["EventBusName", "Rule", "Targets"])?;
                let rule = self.rule(input)?;
                for target in Input(input.0).list("Targets") {
                    let id = Input(target).need("Id")?;
                    rule.targets.insert(id.to_owned(), target.clone());
                }
                Ok(json!({ "FailedEntryCount": 0, "FailedEntries": [] }))
            }
            _ => Err(ApiError::unknown_action("EventBridge", action)),
        }
    }

    fn rule(&mut self, input: Input<'_>) -> Result<&mut Rule, ApiError> {
        let name = input.need("Rule").or_else(|_| input.need("Name"))?;
        self.rules.get_mut(name).ok_or_else(|| {
            let message = format!("Rule {name} does not exist on EventBus default.");
            ApiError::refused("ResourceNotFoundException", message)
        })
    }

    /// A schedule as it stands, for who must know the truth; `None` where there is none.
    pub fn schedule_of(&self, group: &str, name: &str) -> Option<&Value> {
        Some(&self.schedules.get(&(group.to_owned(), name.to_owned()))?.members)
    }

    /// The target of a rule that runs a task, as it stands.
    pub fn rule_target_of(&self, rule: &str) -> Option<&Value> {
        self.rules.get(rule)?.targets.values().find(|target| !target["EcsParameters"].is_null())
    }

    /// When the next of them fires.
    pub fn next_due(&self) -> Option<Timestamp> {
        let schedules = self.schedules.values().filter(|it| it.members["State"] == "ENABLED");
        let rules = self.rules.values().filter(|rule| rule.enabled);
        schedules.map(|it| it.next).chain(rules.map(|rule| rule.next)).min()
    }

    /// Lets what is due fire: the `RunTask` of each task.
    pub fn fire(&mut self, now: Timestamp) -> Vec<Value> {
        let mut runs = Vec::new();
        for ((_, name), schedule) in &mut self.schedules {
            if schedule.members["State"] != "ENABLED" || schedule.next > now {
                continue;
            }
            let expression = schedule.members["ScheduleExpression"].as_str().unwrap_or_default();
            schedule.next += every(expression).unwrap_or(Duration::MAX);
            runs.extend(run(&schedule.members["Target"], &format!("chronos-schedule/{name}")));
        }
        for (name, rule) in &mut self.rules {
            if !rule.enabled || rule.next > now {
                continue;
            }
            rule.next += every(&rule.expression).unwrap_or(Duration::MAX);
            runs.extend(
                rule.targets.values().filter_map(|it| run(it, &format!("events-rule/{name}"))),
            );
        }
        runs
    }
}

/// A target's `RunTask`; `None` for targets that are no task.
fn run(target: &Value, started_by: &str) -> Option<Value> {
    let task = target.get("EcsParameters")?;
    let input = target["Input"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let vpc = task.pointer("/NetworkConfiguration/awsvpcConfiguration");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(present(json!({
        "cluster": target["Arn"],
        "taskDefinition": task["TaskDefinitionArn"],
        "launchType": text(&task["LaunchType"]),
        "group": text(&task["Group"]),
        "startedBy": started_by.chars().take(STARTED_BY).collect::<String>(),
        "overrides": input,
        "networkConfiguration": vpc.map(|vpc| json!({ "awsvpcConfiguration": {
            "subnets": vpc["Subnets"],
            "securityGroups": vpc["SecurityGroups"],
            "assignPublicIp": vpc["AssignPublicIp"],
        } })),
    })))
}

/// `rate(5 minutes)`
fn every(expression: &str) -> Result<Duration, ApiError> {
    rate(expression).ok_or_else(|| {
        let message = format!("the local AWS models `rate(…)`, not {expression}");
        ApiError::refused("ValidationException", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(revision: u64) -> Value {
        json!({
            "Name": "a-schedule-with-a-long-name",
            "ScheduleExpression": "rate(5 minutes)",
            "FlexibleTimeWindow": { "Mode": "OFF" },
            "Target": {
                "Arn": "arn:aws:ecs:us-west-2:123456789012:cluster/jobs",
                "RoleArn": "arn:aws:iam::123456789012:role/schedule",
                "EcsParameters": { "TaskDefinitionArn": format!("nightly:{revision}") },
            },
        })
    }

    #[test]
    fn an_update_replaces_all_and_keeps_the_time() {
        let mut scheduled = Scheduled::new(Place::new("123456789012", "us-west-2"));
        let start = Timestamp::UNIX_EPOCH;
        let mut first = schedule(1);
        first["State"] = json!("DISABLED");
        scheduled.call_scheduler("CreateSchedule", &first, start).unwrap();
        assert_eq!(scheduled.next_due(), None, "it is disabled");
        let later = start + Duration::from_secs(60);
        scheduled.call_scheduler("UpdateSchedule", &schedule(2), later).unwrap();
        let due = start + Duration::from_secs(300);
        assert_eq!(scheduled.next_due(), Some(due), "a state that is not said is ENABLED");
        let [run] = &scheduled.fire(due)[..] else { panic!("one") };
        assert_eq!(run["taskDefinition"], "nightly:2");
        assert_eq!(run["startedBy"], "chronos-schedule/a-schedule-with-a-l");
        let again = scheduled.call_scheduler("CreateSchedule", &schedule(3), later).unwrap_err();
        assert_eq!((again.status, again.code.as_str()), (409, "ConflictException"));
    }

    #[test]
    fn a_rule_is_shown_and_one_that_is_not_there_refused() {
        let mut scheduled = Scheduled::new(Place::new("123456789012", "us-west-2"));
        let rule = json!({ "Name": "hourly", "ScheduleExpression": "rate(1 hour)" });
        scheduled.call_events("PutRule", &rule, Timestamp::UNIX_EPOCH).unwrap();
        let mut shown = |name: &str| {
            let named = json!({ "Name": name });
            scheduled.call_events("DescribeRule", &named, Timestamp::UNIX_EPOCH)
        };
        let hourly = shown("hourly").unwrap();
        assert_eq!(hourly["ScheduleExpression"], "rate(1 hour)");
        assert_eq!(hourly["State"], "ENABLED", "{hourly}");
        assert_eq!(shown("daily").unwrap_err().code, "ResourceNotFoundException");
    }

    #[test]
    fn what_would_never_fire_is_refused() {
        let mut scheduled = Scheduled::new(Place::new("123456789012", "us-west-2"));
        let mut nightly = schedule(1);
        nightly["ScheduleExpression"] = json!("cron(0 3 * * ? *)");
        let refused = scheduled.call_scheduler("CreateSchedule", &nightly, Timestamp::UNIX_EPOCH);
        assert!(refused.unwrap_err().message.contains("cron(0 3 * * ? *)"));
    }
}
