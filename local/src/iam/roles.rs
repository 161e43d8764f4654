//! Roles that are not the template's: those of tasks, with whom they trust.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::demand::Demand;
use super::{Iam, Role};
use crate::api::{ApiError, Input};

/// Roles by name, each with its trust policy.
pub(super) type TaskRoles = BTreeMap<String, Value>;

impl Iam {
    /// A role that ECS may hand to tasks, unless it is there already.
    pub fn seed_task_role(&mut self, arn: &str) {
        let name = arn.rsplit('/').next().unwrap_or(arn).to_owned();
        self.task_roles.entry(name).or_insert_with(|| {
            json!({ "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "ecs-tasks.amazonaws.com" },
                "Action": "sts:AssumeRole",
            }] })
        });
    }

    /// Answers a call.
    pub fn call(&mut self, action: &str, input: &Value) -> Result<Value, ApiError> {
        let input = Input(input);
        match action {
            "GetRole" => {
                let name = input.need("RoleName")?;
                let policy = self.task_roles.get(name).ok_or_else(|| no_entity(name))?;
                // As IAM writes it: URL-encoded.
                let escaped: String =
                    form_urlencoded::byte_serialize(policy.to_string().as_bytes()).collect();
                let escaped = escaped.replace('+', "%20");
                Ok(json!({ "Role": { "RoleName": name, "AssumeRolePolicyDocument": escaped } }))
            }
            "UpdateAssumeRolePolicy" => {
                let (name, policy) = (input.need("RoleName")?, input.need("PolicyDocument")?);
                let role = self.task_roles.get_mut(name).ok_or_else(|| no_entity(name))?;
                *role = serde_json::from_str(policy).map_err(|error| {
                    ApiError::refused("MalformedPolicyDocument", error.to_string())
                })?;
                Ok(json!({}))
            }
            "DeleteRole" => {
                let name = input.need("RoleName")?;
                self.task_roles.remove(name).map(|_| json!({})).ok_or_else(|| no_entity(name))
            }
            "SimulatePrincipalPolicy" => self.simulate(input),
            _ => Err(ApiError::unknown_action("IAM", action)),
        }
    }

    /// What a function's role allows, action by action and resource by resource.
    fn simulate(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let arn = input.need("PolicySourceArn")?;
        let name = arn.rsplit('/').next().unwrap_or(arn);
        let role = self.roles.values().find(|role: &&Role| role.name == name);
        let role = role.ok_or_else(|| no_entity(name))?;
        let mut results = Vec::new();
        for action in input.texts("ActionNames") {
            for resource in input.texts("ResourceArns") {
                let mut demand = Demand::new(action, resource);
                for entry in input.list("ContextEntries") {
                    let key = entry["ContextKeyName"].as_str().unwrap_or_default();
                    let values = Input(entry).texts("ContextKeyValues").into_iter();
                    demand.context.insert(key.to_owned(), values.map(str::to_owned).collect());
                }
                let allowed = role.policy.allows(&demand);
                results.push(json!({
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": if allowed { "allowed" } else { "implicitDeny" },
                }));
            }
        }
        Ok(json!({ "EvaluationResults": results, "IsTruncated": false }))
    }
}

fn no_entity(name: &str) -> ApiError {
    let message = format!("The role with name {name} cannot be found.");
    ApiError { status: 404, code: "NoSuchEntity".to_owned(), message }
}
