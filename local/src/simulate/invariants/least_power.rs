//! `least_power`: only deploy changes targets, and of them a digest and nothing else; nobody asks for
//! more than it may.

use serde_json::Value;

use super::{Invariant, Moment, Wrongs};
use crate::call::{Caller, Noted};
use crate::simulate::raw::{Written, list, members, text};
use crate::simulate::schedule::MARK;

pub(super) struct LeastPower;

impl Invariant for LeastPower {
    fn name(&self) -> &'static str {
        "least_power"
    }

    fn landed(&mut self, _: &Moment<'_>, noted: &Noted, _: &[Written], wrongs: &mut Wrongs) {
        wrongs.extend(too_much(noted));
    }
}

/// What of this call is more than its sender needs.
fn too_much(noted: &Noted) -> Option<String> {
    let Noted { call, refusal, .. } = noted;
    let Caller::Function(instance) = &call.caller else { return None };
    let program = instance.program.as_str();
    if refusal.as_deref().is_some_and(|it| it.starts_with("AccessDenied")) {
        return Some(format!("{program} asked for {}, which it may not", call.name()));
    }
    let input = &call.input;
    let allowed = match (program, call.name().as_str()) {
        ("deploy", "ecs:UpdateService") => only(input, &["cluster", "service", "taskDefinition"]),
        ("deploy", "ecs:RunTask") => only(input, &RUN) && gives_a_command(input),
        ("deploy", "ecs:StopServiceDeployment") => input["stopType"] == "ROLLBACK",
        ("deploy", "ecr:PutImage") => {
            let tag = text(&input["imageTag"]);
            tag.starts_with("tidegate-keep-") || tag == MARK
        }
        // What is registered, and what replaces all that is there, is `only_the_image`'s question.
        (
            "deploy",
            "ecs:RegisterTaskDefinition"
            | "scheduler:UpdateSchedule"
            | "events:PutTargets"
            | "lightsail:CreateContainerServiceDeployment",
        )
        | ("promote" | "deploy" | "watch", "sts:AssumeRole")
        | ("notify", "sns:Publish" | "sqs:SendMessage") => true,
        (_, "dynamodb:DeleteItem" | "dynamodb:BatchWriteItem") => false,
        (_, name) => {
            let action = name.split(':').nth(1).unwrap_or_default();
            name.starts_with("dynamodb:")
                || ["Describe", "List", "Get", "BatchGet"].iter().any(|it| action.starts_with(it))
        }
    };
    (!allowed).then(|| format!("{program} called {} with {input}", call.name()))
}

/// What a one-off task is told: where, as what, and one command.
const RUN: [&str; 11] = [
    "capacityProviderStrategy",
    "clientToken",
    "cluster",
    "count",
    "group",
    "launchType",
    "networkConfiguration",
    "overrides",
    "platformVersion",
    "startedBy",
    "taskDefinition",
];

fn gives_a_command(input: &Value) -> bool {
    let given = |one: &Value| only(one, &["name", "command"]);
    only(&input["overrides"], &["containerOverrides"])
        && list(&input["overrides"]["containerOverrides"]).all(given)
}

fn only(input: &Value, names: &[&str]) -> bool {
    members(input).all(|(name, _)| names.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::call::{Call, Instance, Scope};

    fn called(program: &str, action: &str, input: Value, refusal: Option<&str>) -> Noted {
        let caller = Caller::Function(Instance { program: program.to_owned(), number: 1 });
        let (service, action) = action.split_once(':').unwrap();
        let (service, action) = (service.to_owned(), action.to_owned());
        let refusal = refusal.map(str::to_owned);
        let at = "2026-11-21T00:00:00Z".parse().unwrap();
        Noted {
            at,
            call: Call { caller, scope: Scope::default(), service, action, input },
            refusal,
            fault: None,
            items: 0,
        }
    }

    #[test]
    fn more_than_one_needs_is_seen() {
        let update = json!({ "cluster": "c", "service": "s", "taskDefinition": "t" });
        let mut scaled = update.clone();
        scaled["desiredCount"] = json!(3);
        for (program, action, input, refusal, wrong) in [
            ("deploy", "ecs:UpdateService", update.clone(), None, false),
            ("deploy", "ecs:UpdateService", scaled, None, true),
            ("watch", "ecs:UpdateService", update.clone(), None, true),
            ("watch", "ecs:DescribeServices", update, None, false),
            ("promote", "ecr:BatchGetImage", json!({}), None, false),
            ("promote", "ecr:PutImage", json!({}), None, true),
            ("deploy", "ecr:PutImage", json!({ "imageTag": "uapi" }), None, true),
            ("deploy", "ecs:RunTask", json!({ "overrides": { "cpu": "1" } }), None, true),
            ("watch", "sts:AssumeRole", json!({}), None, false),
            ("notify", "sts:AssumeRole", json!({}), None, true),
            ("watch", "ecs:ListTasks", json!({}), Some("AccessDeniedException"), true),
            ("notify", "dynamodb:DeleteItem", json!({}), None, true),
        ] {
            let noted = called(program, action, input, refusal);
            assert_eq!(too_much(&noted).is_some(), wrong, "{noted:?}");
        }
    }
}
