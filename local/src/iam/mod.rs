//! Who may do what: each function's role, evaluated from the template's own policies.
//!
//! Only identity policies are modelled, and only for the functions; an operator may do everything.
//! Of tasks' roles there is the trust policy.

mod demand;
mod policy;
mod roles;

use std::collections::BTreeMap;

use crate::api::{ApiError, Place};
use crate::call::{Call, Caller};
use crate::template::{Function, Stack, TemplateError};
use demand::Demand;
use policy::Policy;

/// The policies of the functions' roles, by program.
#[derive(Debug)]
pub struct Iam {
    place: Place,
    roles: BTreeMap<String, Role>,
    task_roles: roles::TaskRoles,
}

/// What a mapping needs to read its stream.
const READS: [&str; 4] = [
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
];

#[derive(Debug)]
struct Role {
    name: String,
    policy: Policy,
}

impl Iam {
    /// Reads the roles of `functions`; a condition that is not modelled is refused by name.
    pub fn new(stack: &Stack, functions: &[Function]) -> Result<Self, TemplateError> {
        let mut roles = BTreeMap::new();
        for function in functions {
            let name = function.role.rsplit('/').next().unwrap_or_default().to_owned();
            let policy = Policy::parse(&stack.statements(&function.role))?;
            roles.insert(function.program.clone(), Role { name, policy });
        }
        Ok(Self { place: stack.place.clone(), roles, task_roles: BTreeMap::new() })
    }

    /// AWS reads streams and parks what failed as the function's role, and sets neither up where
    /// that role could not.
    pub fn check_wiring(&self, functions: &[Function]) -> Result<(), TemplateError> {
        for function in functions {
            let streams = function.mappings.iter().map(|mapping| &mapping.stream);
            let reads = streams.flat_map(|stream| READS.map(|action| (action, stream)));
            let queues = function.mappings.iter().map(|mapping| &mapping.on_failure);
            let queues = queues.chain([&function.retries.on_failure]).flatten();
            let parks = queues.map(|queue| ("sqs:SendMessage", queue));
            let role = self.roles.get(&function.program);
            for (action, resource) in reads.chain(parks) {
                let demand = Demand::new(action, resource);
                if !role.is_some_and(|role| role.policy.allows(&demand)) {
                    return Err(TemplateError::new(format!(
                        "{}: its role must allow {action} on {resource}: AWS does that as the role",
                        function.id
                    )));
                }
            }
        }
        Ok(())
    }

    /// Refuses a call that the caller's role does not allow, naming action and resource.
    pub fn check(&self, call: &Call) -> Result<(), ApiError> {
        let Caller::Function(instance) = &call.caller else { return Ok(()) };
        let role = self.roles.get(&instance.program);
        for demand in demand::of(call, &self.place) {
            if !role.is_some_and(|role| role.policy.allows(&demand)) {
                let name = role.map_or("none", |role| role.name.as_str());
                return Err(self.denied(call, name, &instance.program, &demand));
            }
        }
        Ok(())
    }

    fn denied(&self, call: &Call, role: &str, program: &str, demand: &Demand) -> ApiError {
        let (code, status) = match call.service.as_str() {
            "sns" => ("AuthorizationError", 403),
            "elasticloadbalancing" => ("AccessDenied", 403),
            _ => ("AccessDeniedException", 400),
        };
        let Demand { action, resource, .. } = demand;
        let account = &self.place.account;
        ApiError {
            status,
            code: code.to_owned(),
            message: format!(
                "User: arn:aws:sts::{account}:assumed-role/{role}/{program} is not authorized to \
                 perform: {action} on resource: {resource} because no identity-based policy \
                 allows the {action} action"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
