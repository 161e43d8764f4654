//! `template.yaml`, read as CloudFormation and SAM read it: the local AWS is wired from it.

mod function;
mod intrinsic;
mod names;
mod resources;
mod yaml;

pub(crate) use function::rate;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::api::Place;
use crate::pattern::Pattern;
pub use function::{Destination, Function, Mapping, Retries, Rule, Schedule, Table};
pub use intrinsic::STACK;
pub use resources::StackResource;

/// The template as written: nothing resolved yet.
#[derive(Debug, Clone)]
pub struct Template(Value);

/// Why the template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template.yaml: {0}")]
pub struct TemplateError(String);

impl TemplateError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// The template with its parameters filled in: what would be deployed.
#[derive(Debug, Clone)]
pub struct Stack {
    /// The place everything stands in.
    pub place: Place,
    /// Resources whose condition holds, by logical id.
    resources: BTreeMap<String, Resource>,
    /// The values that were given for its parameters.
    pub parameters: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Resource {
    kind: String,
    /// The physical name.
    name: String,
    properties: Value,
    metadata: Value,
}

impl Template {
    /// Reads the YAML, short forms of intrinsic functions included.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        yaml::parse(text).map(with_generated_queues).map(Self)
    }

    /// Fills in `parameters` (the template's defaults stand in for absent ones).
    pub fn deploy(
        &self,
        parameters: &BTreeMap<String, String>,
        place: &Place,
    ) -> Result<Stack, TemplateError> {
        let scope = intrinsic::Scope::new(&self.0, parameters, place)?;
        let mut resources = BTreeMap::new();
        for (id, resource) in members(&self.0["Resources"]) {
            if scope.stands(resource)? {
                let kind = resource["Type"].as_str().unwrap_or_default().to_owned();
                let mut properties = scope.resolve(&resource["Properties"])?;
                if kind == "AWS::Serverless::Function" {
                    let globals = scope.resolve(&self.0["Globals"]["Function"])?;
                    properties = merged(globals, properties);
                }
                let name = scope.physical_name(id)?;
                let metadata = resource["Metadata"].clone();
                resources.insert(id.clone(), Resource { kind, name, properties, metadata });
            }
        }
        Ok(Stack { place: place.clone(), resources, parameters: parameters.clone() })
    }
}

/// The dead-letter queues that SAM itself makes for a rule which names one (`QueueLogicalId`).
fn with_generated_queues(mut template: Value) -> Value {
    let functions = members(&template["Resources"]).map(|(_, resource)| resource);
    let events = functions.flat_map(|function| members(&function["Properties"]["Events"]));
    let queues: Vec<String> = events
        .filter_map(|(_, event)| {
            event["Properties"]["DeadLetterConfig"]["QueueLogicalId"].as_str().map(str::to_owned)
        })
        .collect();
    for queue in queues {
        template["Resources"][queue] =
            serde_json::json!({ "Type": "AWS::SQS::Queue", "Properties": {} });
    }
    template
}

impl Stack {
    /// Resources of one type, by logical id.
    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a String, &'a Resource)> {
        self.resources.iter().filter(move |(_, resource)| resource.kind == kind)
    }

    /// The policy statements of a role, by the role's ARN.
    pub fn statements(&self, role_arn: &str) -> Vec<&Value> {
        let role = self.role(role_arn);
        let held = role.iter().flat_map(|role| list(&role.properties["ManagedPolicyArns"]));
        let held: Vec<&str> = held.filter_map(Value::as_str).collect();
        let managed = self.managed_policies().into_iter();
        let managed = managed.filter(|(arn, _)| held.contains(&arn.as_str()));
        let inline = self.inline_policies(role_arn).into_iter();
        let documents = inline.chain(managed.map(|(_, document)| document));
        documents.flat_map(|document| list(&document["Statement"])).collect()
    }

    /// The documents that are written into a role itself, by the role's ARN.
    pub fn inline_policies(&self, role_arn: &str) -> Vec<&Value> {
        let role = self.role(role_arn);
        let own = role.iter().flat_map(|role| list(&role.properties["Policies"]));
        let attached = self.of_kind("AWS::IAM::Policy").map(|(_, policy)| &policy.properties);
        let attached = attached.filter(|policy| {
            let roles = list(&policy["Roles"]);
            roles.iter().any(|name| role.is_some_and(|role| *name == role.name))
        });
        own.chain(attached).map(|policy| &policy["PolicyDocument"]).collect()
    }

    /// Policies that stand by themselves: the ARN of each, and its document.
    pub fn managed_policies(&self) -> Vec<(String, &Value)> {
        let policies = self.of_kind("AWS::IAM::ManagedPolicy");
        let arn = |policy: &Resource| names::arn(&self.place, &policy.kind, &policy.name);
        policies.map(|(_, it)| (arn(it), &it.properties["PolicyDocument"])).collect()
    }

    fn role(&self, arn: &str) -> Option<&Resource> {
        let mut roles = self.of_kind("AWS::IAM::Role").map(|(_, role)| role);
        roles.find(|role| names::arn(&self.place, &role.kind, &role.name) == arn)
    }

    /// The subscriptions that the template makes: topic and endpoint.
    pub fn subscriptions(&self) -> Vec<(String, String)> {
        let topics = self.of_kind("AWS::SNS::Topic");
        let own = topics.flat_map(|(_, it)| {
            let arn = names::arn(&self.place, &it.kind, &it.name);
            let endpoints = list(&it.properties["Subscription"]).iter();
            endpoints.filter_map(move |one| Some((arn.clone(), one["Endpoint"].as_str()?.into())))
        });
        own.collect()
    }

    /// Each role's ARN, with the statements that say who may take it on.
    pub fn trusts(&self) -> Vec<(String, Vec<&Value>)> {
        let roles = self.of_kind("AWS::IAM::Role");
        let trust = |role: &'_ Resource| names::arn(&self.place, &role.kind, &role.name);
        roles
            .map(|(_, it)| {
                let document = &it.properties["AssumeRolePolicyDocument"];
                (trust(it), list(&document["Statement"]).iter().collect())
            })
            .collect()
    }

    /// The accounts whose events the default bus takes.
    pub fn admitted(&self) -> BTreeSet<String> {
        let policies = self.of_kind("AWS::Events::EventBusPolicy");
        let accounts =
            policies.flat_map(|(_, it)| list(&it.properties["Statement"]["Principal"]["AWS"]));
        accounts.filter_map(|account| account.as_str().map(str::to_owned)).collect()
    }

    /// What the stack's own rules send on.
    pub fn rules(&self) -> Result<Vec<Pattern>, TemplateError> {
        let rules = self.of_kind("AWS::Events::Rule");
        rules.map(|(id, it)| function::pattern(id, &it.properties["EventPattern"])).collect()
    }

    /// The ARN of each SNS topic.
    pub fn topics(&self) -> Vec<String> {
        let topics = self.of_kind("AWS::SNS::Topic");
        topics.map(|(_, it)| names::arn(&self.place, &it.kind, &it.name)).collect()
    }
}

/// A list; a single value stands for a list of one, as in policy documents.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(elements) => elements,
        single => std::slice::from_ref(single),
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// SAM's rule for Globals: maps are merged, everything else is overridden.
fn merged(base: Value, over: Value) -> Value {
    match (base, over) {
        (Value::Object(mut base), Value::Object(over)) => {
            for (key, value) in over {
                let below = base.remove(&key).unwrap_or(Value::Null);
                base.insert(key, merged(below, value));
            }
            Value::Object(base)
        }
        (base, Value::Null) => base,
        (_, over) => over,
    }
}

#[cfg(test)]
mod tests;
