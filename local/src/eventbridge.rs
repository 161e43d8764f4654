//! EventBridge and Lambda, as far as they tell of what wakes the functions: rules, schedules, stream
//! mappings. All of them are the template's; they can be switched off and on.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::{ApiError, Input, Place};
use crate::template::Function;

/// The functions by their programs, each with what wakes it.
type Functions = BTreeMap<String, Function>;

/// Answers a call about rules.
pub fn rules(
    action: &str,
    input: &Value,
    functions: &mut Functions,
    place: &Place,
) -> Result<Value, ApiError> {
    let member = if action == "ListTargetsByRule" { "Rule" } else { "Name" };
    let name = Input(input).need(member)?;
    let missing = || ApiError::refused("ResourceNotFoundException", format!("no rule is {name}"));
    let mut all = functions.values_mut().flat_map(|function| {
        let arn = function.arn.clone();
        function.rules.iter_mut().map(move |rule| (arn.clone(), rule))
    });
    let (function, rule) = all.find(|(_, rule)| rule.name == name).ok_or_else(missing)?;
    match action {
        "DescribeRule" => Ok(json!({
            "Name": rule.name,
            "Arn": rule_arn(place, &rule.name),
            "State": if rule.enabled { "ENABLED" } else { "DISABLED" },
            "EventPattern": rule.source.to_string(),
            "EventBusName": "default",
        })),
        "ListTargetsByRule" => Ok(json!({ "Targets": [{ "Id": rule.id, "Arn": function }] })),
        "EnableRule" | "DisableRule" => {
            rule.enabled = action == "EnableRule";
            Ok(json!({}))
        }
        _ => Err(ApiError::unknown_action("EventBridge", action)),
    }
}

/// Answers a call about schedules.
pub fn schedules(action: &str, input: &Value, functions: &Functions) -> Result<Value, ApiError> {
    if action != "GetSchedule" {
        return Err(ApiError::unknown_action("EventBridge Scheduler", action));
    }
    let name = Input(input).need("Name")?;
    let mut all = functions
        .values()
        .flat_map(|function| function.schedules.iter().map(move |it| (&function.arn, it)));
    let (function, schedule) = all
        .find(|(_, schedule)| schedule.name == name)
        .ok_or_else(|| gone(format!("Schedule {name} does not exist.")))?;
    Ok(json!({
        "Name": schedule.name,
        "GroupName": "default",
        "State": if schedule.enabled { "ENABLED" } else { "DISABLED" },
        "Target": { "Arn": function, "Input": schedule.input.to_string() },
    }))
}

/// Answers a call about mappings and about who may invoke.
pub fn lambda(
    action: &str,
    input: &Value,
    functions: &Functions,
    place: &Place,
) -> Result<Value, ApiError> {
    let input = Input(input);
    match action {
        "GetEventSourceMapping" => {
            let uuid = input.need("UUID")?;
            let mut all = functions
                .values()
                .flat_map(|function| function.mappings.iter().map(move |it| (&function.arn, it)));
            let (function, mapping) = all
                .find(|(_, mapping)| mapping.uuid == uuid)
                .ok_or_else(|| gone("The resource you requested does not exist.".to_owned()))?;
            Ok(json!({
                "UUID": uuid,
                "FunctionArn": function,
                "EventSourceArn": mapping.stream,
                "State": if mapping.enabled { "Enabled" } else { "Disabled" },
                "LastProcessingResult": "OK",
            }))
        }
        "GetPolicy" => {
            let name = input.need("FunctionName")?;
            let function = functions.values().find(|it| it.name == name || it.arn == name);
            let rules = function.into_iter().flat_map(|it| &it.rules);
            let statements: Vec<_> = rules
                .map(|rule| {
                    json!({
                        "Effect": "Allow",
                        "Principal": { "Service": "events.amazonaws.com" },
                        "Action": "lambda:InvokeFunction",
                        "Condition": { "ArnLike": { "AWS:SourceArn": rule_arn(place, &rule.name) } },
                    })
                })
                .collect();
            if statements.is_empty() {
                return Err(gone("The resource you requested does not exist.".to_owned()));
            }
            let policy = json!({ "Version": "2012-10-17", "Statement": statements });
            Ok(json!({ "Policy": policy.to_string() }))
        }
        _ => Err(ApiError::unknown_action("Lambda", action)),
    }
}

fn rule_arn(place: &Place, name: &str) -> String {
    place.arn("events", &format!("rule/{name}"))
}

fn gone(message: String) -> ApiError {
    ApiError { status: 404, code: "ResourceNotFoundException".to_owned(), message }
}
