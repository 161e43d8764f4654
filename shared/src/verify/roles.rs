//! Roles that task definitions name: whether ECS may hand them to tasks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::{elements, texts};
use super::{Line, Needs, Shown, Topic, list};
use crate::model::TargetId;

/// Who hands roles to tasks.
const ECS_TASKS: &str = "ecs-tasks.amazonaws.com";

/// One line for each role; `roles` has their trust policies, by ARN.
pub(super) fn lines(needs: &Needs, roles: &BTreeMap<String, Shown<Value>>) -> Vec<Line> {
    let told =
        |(arn, users): (&String, &BTreeSet<TargetId>)| Some(line(arn, users, roles.get(arn)?));
    needs.roles.iter().filter_map(told).collect()
}

fn line(arn: &str, users: &BTreeSet<TargetId>, shown: &Shown<Value>) -> Line {
    let (topic, name) = (Topic::Roles, arn.rsplit('/').next().unwrap_or(arn));
    let waits = format!("no new task of {} can start", list(users));
    match shown {
        Shown::There(policy) if trusts_tasks(policy) => {
            topic.green(name, format!("trusts {ECS_TASKS}, for {}", list(users)))
        }
        Shown::There(_) => topic.failed(
            name,
            format!("it does not trust {ECS_TASKS}: {waits}"),
            format!(
                "Allow the service {ECS_TASKS} sts:AssumeRole in its trust policy: \
                 `aws iam update-assume-role-policy --role-name {name}`"
            ),
        ),
        Shown::Missing => topic.failed(
            name,
            format!("it is not there: {waits}"),
            "Create it under the same name, or name another in the task definitions",
        ),
        Shown::Hidden(hidden) => topic.unknown(name, hidden),
    }
}

/// Some statement allows ECS to assume the role, and none denies it. Conditions are taken to hold.
fn trusts_tasks(policy: &Value) -> bool {
    let speaks = |statement: &&Value| {
        let principals = &statement["Principal"]["Service"];
        let actions = texts(&statement["Action"]);
        texts(principals).any(|it| it == ECS_TASKS)
            && actions.into_iter().any(|it| ["sts:AssumeRole", "sts:*", "*"].contains(&it))
    };
    let speaking: Vec<_> = elements(&policy["Statement"]).filter(speaks).collect();
    !speaking.is_empty() && speaking.iter().all(|it| it["Effect"] == "Allow")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::target;
    use super::*;
    use crate::verify::State;

    fn policy(effect: &str, service: &Value) -> Value {
        json!({ "Effect": effect, "Principal": { "Service": service }, "Action": "sts:AssumeRole" })
    }

    #[test]
    fn only_a_role_that_ecs_may_hand_out_is_green() {
        let told = |statement: Value| {
            let users = BTreeSet::from([target("Rag")]);
            let shown = Shown::There(json!({ "Statement": statement }));
            line("arn:aws:iam::123456789012:role/ecs/live-crons-task", &users, &shown)
        };
        let tasks = policy("Allow", &json!(["lambda.amazonaws.com", ECS_TASKS]));
        assert_eq!(told(tasks.clone()).state, State::Green);
        assert_eq!(told(json!([tasks, policy("Deny", &json!(ECS_TASKS))])).state, State::Failed);
        let other = told(json!([policy("Allow", &json!("lambda.amazonaws.com"))]));
        assert_eq!((other.state, &*other.subject), (State::Failed, "live-crons-task"));
        assert!(
            other.remedy.unwrap().contains("update-assume-role-policy --role-name live-crons-t")
        );
    }
}
