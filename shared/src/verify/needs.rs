//! What task definitions need around them: roles, secrets, parameters, log groups.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::TargetId;

/// Things by name, each with the targets that need it.
pub type Users = BTreeMap<String, BTreeSet<TargetId>>;

/// What the task definitions of a pipeline need.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Task roles and execution roles, by ARN.
    pub roles: Users,
    /// Secrets, by ARN or name, without JSON key and version.
    pub secrets: Users,
    /// Parameters of the Parameter Store.
    pub parameters: BTreeMap<Parameter, BTreeSet<TargetId>>,
    /// Log groups.
    pub logs: BTreeMap<LogGroup, BTreeSet<TargetId>>,
    /// Those of their users whose log driver makes the group where it is not there.
    pub log_makers: BTreeMap<LogGroup, BTreeSet<TargetId>>,
}

/// A parameter of the Parameter Store, as a task definition names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parameter {
    /// The account that holds it.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its name.
    pub name: String,
}

/// A CloudWatch log group, as a task definition names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogGroup {
    /// The region that holds it.
    pub region: String,
    /// Its name.
    pub name: String,
}

impl Needs {
    /// Adds what `definition` (a raw task definition) needs for `user`, in whose account and region
    /// everything is that names no other.
    pub fn add(&mut self, user: &TargetId, definition: &Value) {
        let add = |users: &mut BTreeSet<TargetId>| {
            users.insert(user.clone());
        };
        for role in ["taskRoleArn", "executionRoleArn"] {
            if let Some(arn) = definition[role].as_str() {
                add(self.roles.entry(arn.to_owned()).or_default());
            }
        }
        for container in definition["containerDefinitions"].as_array().into_iter().flatten() {
            let log = &container["logConfiguration"];
            for value in values(container, log) {
                match Source::of(value, user) {
                    Source::Secret(id) => add(self.secrets.entry(id).or_default()),
                    Source::Parameter(parameter) => {
                        add(self.parameters.entry(parameter).or_default());
                    }
                }
            }
            let option = |name: &str| log["options"][name].as_str();
            if log["logDriver"] == "awslogs"
                && let Some(name) = option("awslogs-group")
            {
                let region = option("awslogs-region").unwrap_or(&user.region).to_owned();
                let group = LogGroup { region, name: name.to_owned() };
                if option("awslogs-create-group") == Some("true") {
                    add(self.log_makers.entry(group.clone()).or_default());
                }
                add(self.logs.entry(group).or_default());
            }
        }
    }
}

/// Everything in a container that names a secret or a parameter.
fn values<'a>(container: &'a Value, log: &'a Value) -> impl Iterator<Item = &'a str> {
    let lists = [&container["secrets"], &log["secretOptions"]];
    let named = lists.into_iter().flat_map(|list| list.as_array().into_iter().flatten());
    let named = named.map(|secret| &secret["valueFrom"]);
    let pulls = &container["repositoryCredentials"]["credentialsParameter"];
    named.chain([pulls]).filter_map(Value::as_str)
}

/// Where a value comes from.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    /// Secrets Manager, by ARN.
    Secret(String),
    /// The Parameter Store.
    Parameter(Parameter),
}

impl Source {
    fn of(value: &str, user: &TargetId) -> Self {
        let parameter = |account: &str, region: &str, name: &str| {
            let [account, region, name] = [account, region, name].map(str::to_owned);
            Self::Parameter(Parameter { account, region, name })
        };
        // arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME[:JSON-KEY:STAGE:VERSION]
        let parts: Vec<_> = value.split(':').collect();
        match &parts[..] {
            ["arn", _, "secretsmanager", ..] => Self::Secret(parts[..parts.len().min(7)].join(":")),
            ["arn", _, "ssm", region, account, resource, ..] => {
                // `parameter/a` is called `a`, and `parameter/a/b` is called `/a/b`.
                let path = resource.strip_prefix("parameter").unwrap_or(resource);
                let bare = path.strip_prefix('/').filter(|name| !name.contains('/'));
                parameter(account, region, bare.unwrap_or(path))
            }
            _ => parameter(&user.account, &user.region, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::target;
    use super::*;

    const HOME: &str = "123456789012";
    /// Keeps its own: the account of an ARN is not the task's.
    const OTHER: &str = "another";
    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:config-AbCdEf";

    #[test]
    fn values_come_from_secrets_and_parameters_in_every_spelling() {
        let ssm = |name: &str| format!("arn:aws:ssm:eu-west-1:{OTHER}:parameter/{name}");
        let parameter = |account: &str, region: &str, name: &str| {
            let [account, region, name] = [account, region, name].map(str::to_owned);
            Source::Parameter(Parameter { account, region, name })
        };
        for (value, source) in [
            (SECRET.to_owned(), Source::Secret(SECRET.into())),
            (format!("{SECRET}:url::"), Source::Secret(SECRET.into())),
            (ssm("token"), parameter(OTHER, "eu-west-1", "token")),
            (ssm("api/token"), parameter(OTHER, "eu-west-1", "/api/token")),
            ("/api/token".to_owned(), parameter(HOME, "us-west-2", "/api/token")),
            ("token".to_owned(), parameter(HOME, "us-west-2", "token")),
        ] {
            assert_eq!(Source::of(&value, &target("Rag")), source, "{value}");
        }
    }

    #[test]
    fn everything_that_a_definition_names_is_found_with_its_users() {
        let definition = json!({
            "taskRoleArn": "role/task", "executionRoleArn": "role/execution",
            "containerDefinitions": [{
                "secrets": [{ "name": "CONFIG", "valueFrom": SECRET }],
                "repositoryCredentials": { "credentialsParameter": format!("{SECRET}2") },
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": { "awslogs-group": "/ecs/a" },
                    "secretOptions": [{ "name": "TOKEN", "valueFrom": "token" }],
                },
            }, { "logConfiguration": { "logDriver": "splunk", "options": { "awslogs-group": "b" } } }],
        });
        let mut needs = Needs::default();
        needs.add(&target("Rag"), &definition);
        needs.add(&target("Carousel"), &definition);
        let both = BTreeSet::from([target("Carousel"), target("Rag")]);
        assert_eq!(needs.secrets.keys().collect::<Vec<_>>(), [SECRET, &format!("{SECRET}2")]);
        let names: Vec<_> = needs.parameters.keys().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["token"]);
        assert_eq!(needs.roles["role/execution"], both);
        let groups: Vec<_> = needs.logs.into_iter().collect();
        let group = LogGroup { region: "us-west-2".to_owned(), name: "/ecs/a".to_owned() };
        assert_eq!(groups, [(group, both)]);
    }
}
