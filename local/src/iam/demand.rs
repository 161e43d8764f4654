//! What a call needs to be allowed: actions, on resources, in a context.
//!
//! As the Service Authorization Reference has it; a call that stands for several (a transaction, a
//! registration that passes roles) demands each.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::{Input, Place};
use crate::call::Call;

/// One permission that must be held.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Demand {
    pub(super) action: String,
    pub(super) resource: String,
    pub(super) context: BTreeMap<String, Vec<String>>,
}

impl Demand {
    pub(crate) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        let (action, resource) = (action.into(), resource.into());
        Self { action, resource, context: BTreeMap::new() }
    }

    fn with(mut self, key: &'static str, values: impl IntoIterator<Item = String>) -> Self {
        self.context.entry(key.to_owned()).or_default().extend(values);
        self
    }
}

/// Everything `call` demands. Calls that need no permission demand nothing.
pub(super) fn of(call: &Call, place: &Place) -> Vec<Demand> {
    let input = Input(&call.input);
    match call.service.as_str() {
        "dynamodb" => dynamodb(&call.action, input, place),
        "ecs" => ecs(&call.action, input, place),
        "ecr" => {
            let repository = input.text("repositoryName").unwrap_or("*");
            vec![Demand::new(call.name(), place.arn("ecr", &format!("repository/{repository}")))]
        }
        "sns" => vec![Demand::new(call.name(), input.text("TopicArn").unwrap_or("*"))],
        "secretsmanager" => vec![Demand::new(call.name(), input.text("SecretId").unwrap_or("*"))],
        "sqs" => vec![Demand::new(call.name(), queue(input, place))],
        "scheduler" => schedule(call, input, place),
        "events" => rule(call, input, place),
        "lightsail" => {
            let service = input.text("serviceName").filter(|_| {
                // It has no level of resources.
                call.action != "GetContainerServiceDeployments"
            });
            let arn = service.map_or("*".to_owned(), |name| place.container_service(name));
            vec![Demand::new(call.name(), arn)]
        }
        "sts" if call.action == "AssumeRole" => {
            let role = input.text("RoleArn").unwrap_or("*");
            let external_id = input.text("ExternalId").map(str::to_owned);
            vec![Demand::new(call.name(), role).with("sts:ExternalId", external_id)]
        }
        "sts" => Vec::new(),
        _ => vec![Demand::new(call.name(), "*")],
    }
}

/// A schedule is written with the role that it runs its target with.
fn schedule(call: &Call, input: Input<'_>, place: &Place) -> Vec<Demand> {
    let group = input.text("GroupName").unwrap_or("default");
    let name = input.text("Name").unwrap_or("*");
    let schedule = place.arn("scheduler", &format!("schedule/{group}/{name}"));
    let role = input.0.pointer("/Target/RoleArn").and_then(Value::as_str);
    let pass = role.map(|role| passes(role, "scheduler.amazonaws.com"));
    std::iter::once(Demand::new(call.name(), schedule)).chain(pass).collect()
}

fn rule(call: &Call, input: Input<'_>, place: &Place) -> Vec<Demand> {
    let name = input.text("Rule").or(input.text("Name")).unwrap_or("*");
    let rule = place.arn("events", &format!("rule/{name}"));
    let roles = input.list("Targets").iter().filter_map(|target| target["RoleArn"].as_str());
    let pass = roles.map(|role| passes(role, "events.amazonaws.com"));
    std::iter::once(Demand::new(call.name(), rule)).chain(pass).collect()
}

fn passes(role: &str, service: &str) -> Demand {
    Demand::new("iam:PassRole", role).with("iam:PassedToService", [service.to_owned()])
}

/// `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME` as an ARN.
fn queue(input: Input<'_>, place: &Place) -> String {
    let url = input.text("QueueUrl").unwrap_or("*");
    place.arn("sqs", url.rsplit('/').next().unwrap_or(url))
}

fn dynamodb(action: &str, input: Input<'_>, place: &Place) -> Vec<Demand> {
    let table = |request: &Value| {
        let name = request["TableName"].as_str().unwrap_or_default();
        let index = request["IndexName"].as_str();
        let index = index.map(|index| format!("/index/{index}")).unwrap_or_default();
        place.arn("dynamodb", &format!("table/{name}{index}"))
    };
    let one = |action: &str, request: &Value| {
        Demand::new(format!("dynamodb:{action}"), table(request))
            .with("dynamodb:LeadingKeys", leading_key(request))
    };
    match action {
        "TransactWriteItems" | "TransactGetItems" => input
            .list("TransactItems")
            .iter()
            .flat_map(|item| item.as_object().into_iter().flatten())
            .map(|(kind, request)| {
                let single = match kind.as_str() {
                    "ConditionCheck" => "ConditionCheckItem",
                    "Get" => "GetItem",
                    "Put" => "PutItem",
                    "Delete" => "DeleteItem",
                    _ => "UpdateItem",
                };
                one(single, request).with("dynamodb:EnclosingOperation", [action.to_owned()])
            })
            .collect(),
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = input.0["RequestItems"].as_object().into_iter().flatten();
            tables
                .map(|(name, _)| place.arn("dynamodb", &format!("table/{name}")))
                .map(|table| Demand::new(format!("dynamodb:{action}"), table))
                .collect()
        }
        _ => vec![one(action, input.0)],
    }
}

/// The partition key an item request names; the table's is called `pk`.
fn leading_key(request: &Value) -> Option<String> {
    let key = if request["Key"].is_null() { &request["Item"] } else { &request["Key"] };
    key["pk"]["S"].as_str().map(str::to_owned)
}

fn ecs(action: &str, input: Input<'_>, place: &Place) -> Vec<Demand> {
    let names = Names { place, cluster: cluster_name(input) };
    let demand = |resource: String| {
        let cluster = place.arn("ecs", &format!("cluster/{}", names.cluster));
        Demand::new(format!("ecs:{action}"), resource).with("ecs:cluster", [cluster])
    };
    match action {
        "RegisterTaskDefinition" => register(input, place),
        "DescribeServices" => {
            input.texts("services").into_iter().map(|it| demand(names.service(it))).collect()
        }
        "CreateService" | "UpdateService" | "DeleteService" | "ListServiceDeployments" => {
            let service = input.text("service").or(input.text("serviceName")).unwrap_or("*");
            let revision = input.text("taskDefinition").map(|it| names.task_definition(it));
            vec![demand(names.service(service)).with("ecs:task-definition", revision)]
        }
        "DescribeServiceDeployments" | "StopServiceDeployment" | "DescribeServiceRevisions" => {
            let many = input.texts("serviceDeploymentArns");
            let revisions = input.texts("serviceRevisionArns");
            let single = input.text("serviceDeploymentArn");
            let arns = many.into_iter().chain(revisions).chain(single);
            arns.flat_map(|arn| {
                service_of(arn).map(&demand).into_iter().chain([demand(arn.to_owned())])
            })
            .collect()
        }
        // The roles that it passes were demanded when the definition was registered.
        "RunTask" => {
            let definition = input.text("taskDefinition").unwrap_or("*");
            vec![demand(names.task_definition(definition))]
        }
        "DescribeTasks" => {
            input.texts("tasks").into_iter().map(|it| demand(names.task(it))).collect()
        }
        "ListTasks" | "ListServices" => vec![demand(names.everything(action))],
        _ => vec![demand("*".to_owned())],
    }
}

/// `RegisterTaskDefinition`: the family, the tags it sets, the roles it passes.
fn register(input: Input<'_>, place: &Place) -> Vec<Demand> {
    let family = input.text("family").unwrap_or_default();
    let family = place.arn("ecs", &format!("task-definition/{family}:*"));
    let mut demands = vec![Demand::new("ecs:RegisterTaskDefinition", family.clone())];
    if !input.list("tags").is_empty() {
        let action = "RegisterTaskDefinition".to_owned();
        demands.push(Demand::new("ecs:TagResource", family).with("ecs:CreateAction", [action]));
    }
    for member in ["taskRoleArn", "executionRoleArn"] {
        if let Some(role) = input.text(member) {
            demands.push(passes(role, "ecs-tasks.amazonaws.com"));
        }
    }
    demands
}

struct Names<'a> {
    place: &'a Place,
    cluster: &'a str,
}

impl Names<'_> {
    fn service(&self, name: &str) -> String {
        self.arn("service", name)
    }

    fn task(&self, name: &str) -> String {
        self.arn("task", name)
    }

    fn task_definition(&self, name: &str) -> String {
        if name.starts_with("arn:") {
            return name.to_owned();
        }
        self.place.arn("ecs", &format!("task-definition/{name}"))
    }

    fn everything(&self, action: &str) -> String {
        let kind = if action == "ListTasks" { "container-instance" } else { "service" };
        self.arn(kind, "*")
    }

    fn arn(&self, kind: &str, name: &str) -> String {
        if name.starts_with("arn:") {
            return name.to_owned();
        }
        self.place.arn("ecs", &format!("{kind}/{}/{name}", self.cluster))
    }
}

fn cluster_name(input: Input<'_>) -> &str {
    let cluster = input.text("cluster").unwrap_or("default");
    cluster.rsplit('/').next().unwrap_or(cluster)
}

/// The service of `…:service-deployment/CLUSTER/SERVICE/ID` or `…:service-revision/…`.
fn service_of(arn: &str) -> Option<String> {
    let (head, path) = arn.split_once('/')?;
    let (head, _) = head.rsplit_once(':')?;
    let (service, _) = path.rsplit_once('/')?;
    Some(format!("{head}:service/{service}"))
}
