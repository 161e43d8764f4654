//! Who may do what: each function's role, and the roles that are taken on elsewhere, evaluated from the
//! templates' own policies.
//!
//! An operator may do everything at home. Of another account's repositories everybody may do what their own
//! policies let them, which ECR knows. Of tasks' roles there is the trust policy.

mod demand;
mod policy;
mod roles;
mod taken;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::api::{ApiError, Place};
use crate::call::{Call, Caller};
use crate::template::{Function, Stack, TemplateError};
pub(crate) use demand::Demand;
pub(crate) use policy::Policy;
use taken::{Session, Target};

/// The policies of the functions' roles, by program.
#[derive(Debug)]
pub struct Iam {
    place: Place,
    roles: BTreeMap<String, Role>,
    task_roles: roles::TaskRoles,
    /// The roles of other templates, by ARN.
    targets: BTreeMap<String, Target>,
    sessions: Vec<Session>,
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
        let (place, task_roles) = (stack.place.clone(), BTreeMap::new());
        Ok(Self { place, roles, task_roles, targets: BTreeMap::new(), sessions: Vec::new() })
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

    /// Refuses a call to `place` that the caller's role does not allow, naming action and resource.
    pub fn check(&self, call: &Call, place: &Place, now: Timestamp) -> Result<(), ApiError> {
        if call.scope.session.is_some() {
            return self.check_session(call, place, now);
        }
        let demands = demand::of(call, place);
        self.check_trust(call, &demands)?;
        let Caller::Function(instance) = &call.caller else { return Ok(()) };
        let role = self.roles.get(&instance.program);
        for demand in demands {
            if !role.is_some_and(|role| role.policy.allows(&demand)) {
                return Err(denied(call, &self.arn_of(&call.caller), &demand, "identity"));
            }
        }
        Ok(())
    }

    /// What STS calls who asks.
    fn arn_of(&self, caller: &Caller) -> String {
        let Caller::Function(instance) = caller else { return caller.arn(&self.place) };
        let (account, program) = (&self.place.account, &instance.program);
        let role = self.roles.get(program).map_or("none", |role| role.name.as_str());
        format!("arn:aws:sts::{account}:assumed-role/{role}/{program}")
    }
}

/// As IAM says it; `policy` is what kind of policy should have allowed it, `identity` or `resource`.
fn denied(call: &Call, who: &str, demand: &Demand, policy: &str) -> ApiError {
    let (code, status) = match call.service.as_str() {
        "sns" => ("AuthorizationError", 403),
        "elasticloadbalancing" | "sts" => ("AccessDenied", 403),
        _ => ("AccessDeniedException", 400),
    };
    let Demand { action, resource, .. } = demand;
    ApiError {
        status,
        code: code.to_owned(),
        message: format!(
            "User: {who} is not authorized to perform: {action} on resource: {resource} because \
             no {policy}-based policy allows the {action} action"
        ),
    }
}

#[cfg(test)]
mod tests;
