//! What task definitions need around them: roles, secrets, parameters, log groups.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Things by name, each with the targets that need it.
pub type Users = BTreeMap<String, BTreeSet<String>>;

/// What the task definitions of a pipeline need.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Task roles and execution roles, by ARN.
    pub roles: Users,
    /// Secrets, by ARN or name, without JSON key and version.
    pub secrets: Users,
    /// Parameters of the Parameter Store, by region and name.
    pub parameters: BTreeMap<(String, String), BTreeSet<String>>,
    /// Log groups.
    pub logs: BTreeMap<LogGroup, BTreeSet<String>>,
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
    /// Adds what `definition` (a raw task definition) needs for `user`, whose own region is `region`.
    pub fn add(&mut self, user: &str, definition: &Value, region: &str) {
        let add = |users: &mut BTreeSet<String>| {
            users.insert(user.to_owned());
        };
        for role in ["taskRoleArn", "executionRoleArn"] {
            if let Some(arn) = definition[role].as_str() {
                add(self.roles.entry(arn.to_owned()).or_default());
            }
        }
        for container in definition["containerDefinitions"].as_array().into_iter().flatten() {
            let log = &container["logConfiguration"];
            for value in values(container, log) {
                match Source::of(value, region) {
                    Source::Secret(id) => add(self.secrets.entry(id).or_default()),
                    Source::Parameter(place, name) => {
                        add(self.parameters.entry((place, name)).or_default());
                    }
                }
            }
            let option = |name: &str| log["options"][name].as_str();
            if log["logDriver"] == "awslogs"
                && let Some(name) = option("awslogs-group")
            {
                let region = option("awslogs-region").unwrap_or(region).to_owned();
                add(self.logs.entry(LogGroup { region, name: name.to_owned() }).or_default());
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
    /// The Parameter Store, by region and name.
    Parameter(String, String),
}

impl Source {
    fn of(value: &str, region: &str) -> Self {
        // arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME[:JSON-KEY:STAGE:VERSION]
        let parts: Vec<_> = value.split(':').collect();
        match &parts[..] {
            ["arn", _, "secretsmanager", ..] => Self::Secret(parts[..parts.len().min(7)].join(":")),
            ["arn", _, "ssm", region, _, resource, ..] => {
                // `parameter/a` is called `a`, and `parameter/a/b` is called `/a/b`.
                let path = resource.strip_prefix("parameter").unwrap_or(resource);
                let bare = path.strip_prefix('/').filter(|name| !name.contains('/'));
                Self::Parameter((*region).to_owned(), bare.unwrap_or(path).to_owned())
            }
            _ => Self::Parameter(region.to_owned(), value.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:config-AbCdEf";

    #[test]
    fn values_come_from_secrets_and_parameters_in_every_spelling() {
        let ssm = |name: &str| format!("arn:aws:ssm:eu-west-1:123456789012:parameter/{name}");
        let parameter = |region: &str, name: &str| Source::Parameter(region.into(), name.into());
        for (value, source) in [
            (SECRET.to_owned(), Source::Secret(SECRET.into())),
            (format!("{SECRET}:url::"), Source::Secret(SECRET.into())),
            (ssm("token"), parameter("eu-west-1", "token")),
            (ssm("api/token"), parameter("eu-west-1", "/api/token")),
            ("/api/token".to_owned(), parameter("us-west-2", "/api/token")),
            ("token".to_owned(), parameter("us-west-2", "token")),
        ] {
            assert_eq!(Source::of(&value, "us-west-2"), source, "{value}");
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
        needs.add("Rag", &definition, "us-west-2");
        needs.add("Carousel", &definition, "us-west-2");
        let both = BTreeSet::from(["Carousel".to_owned(), "Rag".to_owned()]);
        assert_eq!(needs.secrets.keys().collect::<Vec<_>>(), [SECRET, &format!("{SECRET}2")]);
        assert_eq!(needs.parameters[&("us-west-2".to_owned(), "token".to_owned())], both);
        assert_eq!(needs.roles["role/execution"], both);
        let groups: Vec<_> = needs.logs.into_iter().collect();
        let group = LogGroup { region: "us-west-2".to_owned(), name: "/ecs/a".to_owned() };
        assert_eq!(groups, [(group, both)]);
    }
}
