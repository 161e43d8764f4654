//! The installation's own stack: its rules, schedules, mappings, queues, topics and roles.

use std::collections::BTreeMap;

use aws_types::SdkConfig;
use serde_json::{Value, json};
use tidegate_core::config::Registry as Place;
use tidegate_core::verify::{
    Channel, Demand, Denied, Installation, Leg, Listeners, Rule, Shown, Wakes, Webhook,
};

use super::around::iam;
use super::shown;
use crate::json::JsonService;
use crate::query::QueryService;
use crate::rest::RestService;
use crate::topic::Topic;
use crate::{App, DeadLetters, Refusal};

/// The topic of notifications, as the template calls it.
const NOTIFICATIONS: &str = "NotificationTopic";
/// The topic of its alarms.
const ALARMS: &str = "AlarmTopic";
/// A call takes no more resources at once than come back on one page with four actions.
const RESOURCES_A_CALL: usize = 100;

/// What the stack is made of.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) installation: Shown<Installation>,
    account: String,
    /// The physical names of its roles, by the template's.
    roles: BTreeMap<String, String>,
}

/// A resource of the stack.
struct Resource {
    id: String,
    name: String,
    kind: String,
}

/// Looks at the stack of this name.
pub(super) async fn look(app: &App, home: &Place, stack: &str) -> Found {
    let resources = shown(resources(&app.sdk, stack).await, None);
    let mut found = Found {
        installation: Shown::Missing,
        account: home.account.clone(),
        roles: BTreeMap::new(),
    };
    found.installation = match resources {
        Shown::Missing => Shown::Missing,
        Shown::Hidden(hidden) => Shown::Hidden(hidden),
        Shown::There(resources) => {
            let of_kind = |kind: &'static str| resources.iter().filter(move |it| it.kind == kind);
            let names = of_kind("AWS::IAM::Role").map(|it| (it.id.clone(), it.name.clone()));
            found.roles = names.collect();
            let looker = Looker { sdk: &app.sdk, resources: &resources };
            let mut legs = Vec::new();
            for resource in &resources {
                if let Some(leg) = looker.leg(resource).await {
                    legs.push((resource.id.clone(), leg));
                }
            }
            Shown::There(Installation {
                stack: stack.to_owned(),
                tables: of_kind("AWS::DynamoDB::Table").map(|it| it.name.clone()).collect(),
                home: (home.account.clone(), home.region.clone()),
                legs,
                webhooks: shown(webhooks(&app.sdk, stack).await, None),
            })
        }
    };
    found
}

impl Found {
    /// The ARN of the role of a function's program.
    pub(super) fn role(&self, program: &str) -> Option<String> {
        let own = |(id, _): &(&String, &String)| id.eq_ignore_ascii_case(&format!("{program}Role"));
        let (_, name) = self.roles.iter().find(own)?;
        Some(format!("arn:aws:iam::{}:role/{name}", self.account))
    }
}

fn cloudformation(sdk: &SdkConfig) -> QueryService {
    QueryService { config: sdk.clone(), name: "cloudformation", version: "2010-05-15" }
}

async fn resources(sdk: &SdkConfig, stack: &str) -> Result<Vec<Resource>, Refusal> {
    let input = [("StackName".to_owned(), stack.to_owned())];
    let action = "cloudformation:DescribeStackResources";
    let answer = cloudformation(sdk).call(action, stack, &input).await?;
    let members = ["LogicalResourceId", "PhysicalResourceId", "ResourceType"];
    let records = answer.records(&["StackResources", "member"], members).into_iter();
    Ok(records.map(|[id, name, kind]| Resource { id, name, kind }).collect())
}

/// The webhooks that the stack was given, by its parameters.
async fn webhooks(sdk: &SdkConfig, stack: &str) -> Result<Vec<Webhook>, Refusal> {
    let input = [("StackName".to_owned(), stack.to_owned())];
    let answer = cloudformation(sdk).call("cloudformation:DescribeStacks", stack, &input).await?;
    let path = ["Stacks", "member", "Parameters", "member"];
    let given = answer.records(&path, ["ParameterKey", "ParameterValue"]);
    let webhook = |channel: Channel| {
        let is_its = |[key, arn]: &&[String; 2]| key == channel.parameter() && !arn.is_empty();
        let [_, secret] = given.iter().find(is_its)?;
        Some(Webhook { channel, secret: secret.clone() })
    };
    Ok(Channel::ALL.into_iter().filter_map(webhook).collect())
}

/// Looks at one leg after the other.
struct Looker<'a> {
    sdk: &'a SdkConfig,
    resources: &'a [Resource],
}

impl Looker<'_> {
    async fn leg(&self, resource: &Resource) -> Option<Shown<Leg>> {
        let Resource { id, name, kind } = resource;
        Some(match kind.as_str() {
            "AWS::Events::Rule" => shown(self.rule(name).await, None),
            "AWS::Scheduler::Schedule" => shown(self.schedule(name).await, None),
            "AWS::Lambda::EventSourceMapping" => shown(self.mapping(name).await, None),
            "AWS::SQS::Queue" => shown(self.dead_letters(name).await, None),
            "AWS::SNS::Topic" if id == NOTIFICATIONS => {
                shown(self.listeners(name).await.map(Leg::Notifications), None)
            }
            "AWS::SNS::Topic" if id == ALARMS => {
                shown(self.listeners(name).await.map(Leg::Alarms), None)
            }
            _ => return None,
        })
    }

    /// The function of the stack that an ARN means, by the template's name and its own.
    fn function(&self, arn: &Value) -> Option<&Resource> {
        let name = arn.as_str()?.rsplit(':').next()?;
        self.resources.iter().find(|it| it.kind == "AWS::Lambda::Function" && it.name == name)
    }

    async fn rule(&self, name: &str) -> Result<Leg, Refusal> {
        let events = JsonService {
            config: self.sdk.clone(),
            name: "events",
            target: "AWSEvents",
            version: "1.1",
        };
        let asked = json!({ "Name": name });
        let rule = events.call("events:DescribeRule", name, &asked).await?;
        let asked = json!({ "Rule": name });
        let targets = events.call("events:ListTargetsByRule", name, &asked).await?;
        let mut targets = targets["Targets"].as_array().into_iter().flatten();
        let function = targets.find_map(|target| self.function(&target["Arn"]));
        let may_invoke = match function {
            Some(function) => shown(self.lets_in(function, &rule["Arn"]).await, None),
            None => Shown::There(false),
        };
        let pattern = rule["EventPattern"].as_str().unwrap_or_default();
        Ok(Leg::Rule(Rule {
            wakes: Wakes {
                name: name.to_owned(),
                is_enabled: rule["State"] == "ENABLED",
                function: function.map(|function| function.id.clone()),
            },
            pattern: serde_json::from_str(pattern).unwrap_or_default(),
            may_invoke,
        }))
    }

    fn lambda(&self) -> RestService {
        RestService { config: self.sdk.clone(), name: "lambda" }
    }

    /// Whether the function's own policy lets the rule of this ARN invoke it.
    async fn lets_in(&self, function: &Resource, rule: &Value) -> Result<bool, Refusal> {
        let path = format!("/2015-03-31/functions/{}/policy", function.name);
        let answer = self.lambda().get("lambda:GetPolicy", &function.name, &path).await?;
        let policy = answer["Policy"].as_str().unwrap_or_default();
        let policy: Value = serde_json::from_str(policy).unwrap_or_default();
        let mut statements = policy["Statement"].as_array().into_iter().flatten();
        Ok(statements.any(|statement| {
            let source = &statement["Condition"]["ArnLike"]["AWS:SourceArn"];
            statement["Effect"] == "Allow"
                && statement["Principal"]["Service"] == "events.amazonaws.com"
                && (source.is_null() || source == rule)
        }))
    }

    async fn schedule(&self, name: &str) -> Result<Leg, Refusal> {
        let scheduler = RestService { config: self.sdk.clone(), name: "scheduler" };
        let path = format!("/schedules/{name}");
        let schedule = scheduler.get("scheduler:GetSchedule", name, &path).await?;
        let function = self.function(&schedule["Target"]["Arn"]);
        Ok(Leg::Schedule(Wakes {
            name: name.to_owned(),
            is_enabled: schedule["State"] == "ENABLED",
            function: function.map(|function| function.id.clone()),
        }))
    }

    async fn mapping(&self, uuid: &str) -> Result<Leg, Refusal> {
        let path = format!("/2015-03-31/event-source-mappings/{uuid}");
        let found = self.lambda().get("lambda:GetEventSourceMapping", uuid, &path).await?;
        let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
        let (state, last) = (text("State"), text("LastProcessingResult"));
        Ok(Leg::Mapping { uuid: uuid.to_owned(), state, last })
    }

    async fn dead_letters(&self, url: &str) -> Result<Leg, Refusal> {
        let messages = DeadLetters::new(self.sdk, url).count().await?;
        Ok(Leg::DeadLetters { url: url.to_owned(), messages })
    }

    async fn listeners(&self, arn: &str) -> Result<Listeners, Refusal> {
        let (confirmed, pending) = Topic::new(self.sdk, arn).subscriptions().await?;
        Ok(Listeners { arn: arn.to_owned(), confirmed, pending })
    }
}

/// What of a demand the role does not allow, as IAM itself works it out.
pub(super) async fn denied(
    sdk: &SdkConfig,
    role: &str,
    demand: &Demand,
) -> Result<Vec<Denied>, Refusal> {
    let Demand { program: _, actions, resources, context } = demand;
    let mut denied = Vec::new();
    for resources in resources.chunks(RESOURCES_A_CALL) {
        let mut input = vec![("PolicySourceArn".to_owned(), role.to_owned())];
        let mut add = |name: String, value: &str| input.push((name, value.to_owned()));
        for (at, action) in actions.iter().enumerate() {
            add(format!("ActionNames.member.{}", at + 1), action);
        }
        for (at, resource) in resources.iter().enumerate() {
            add(format!("ResourceArns.member.{}", at + 1), resource);
        }
        if let Some((key, value)) = context {
            let entry = "ContextEntries.member.1";
            add(format!("{entry}.ContextKeyName"), key);
            add(format!("{entry}.ContextKeyType"), "string");
            add(format!("{entry}.ContextKeyValues.member.1"), value);
        }
        add("MaxItems".to_owned(), "1000");
        let answer = iam(sdk).call("iam:SimulatePrincipalPolicy", role, &input).await?;
        let path = ["EvaluationResults", "member"];
        let members = ["EvalActionName", "EvalResourceName", "EvalDecision"];
        let refused = answer.records(&path, members).into_iter();
        let refused = refused.filter(|[_, _, decision]| decision != "allowed");
        denied.extend(refused.map(|[action, resource, _]| (action, resource)));
    }
    Ok(denied)
}
