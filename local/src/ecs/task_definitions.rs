//! Task definitions: raw JSON in, the same JSON out. Members nobody knows are kept at both levels.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Ecs;
use crate::api::{ApiError, Input, epoch, present};

/// Members that AWS writes and never reads: a caller that sends them back cannot set them.
const WRITTEN_BY_AWS: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];
/// ECS's limits of a task definition.
const LARGEST: usize = 64 * 1024;
const MOST_TAGS: usize = 50;

/// One revision of a family.
#[derive(Debug)]
pub(super) struct TaskDefinition {
    pub(super) arn: String,
    family: String,
    active: bool,
    /// The definition as `DescribeTaskDefinition` answers it.
    body: Value,
    tags: Vec<Value>,
}

/// What a task needs to know of a container of its definition.
#[derive(Debug, Clone)]
pub(super) struct ContainerPlan {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) cpu: String,
    pub(super) essential: bool,
    /// Whether a tag is resolved once for all tasks of a deployment.
    pub(super) consistent: bool,
    /// How long its health check takes to give up; `None` without one.
    pub(super) gives_up_after: Option<Duration>,
}

impl TaskDefinition {
    pub(super) fn containers(&self) -> Vec<ContainerPlan> {
        let containers = Input(&self.body).list("containerDefinitions").iter().map(Input);
        containers
            .map(|container| ContainerPlan {
                name: container.text("name").unwrap_or_default().to_owned(),
                image: container.text("image").unwrap_or_default().to_owned(),
                cpu: container.number("cpu").unwrap_or_default().to_string(),
                essential: container.0.get("essential") != Some(&json!(false)),
                consistent: container.text("versionConsistency") != Some("disabled"),
                gives_up_after: container.0.get("healthCheck").map(|check| gives_up(Input(check))),
            })
            .collect()
    }

    pub(super) fn text(&self, member: &str) -> Option<&str> {
        Input(&self.body).text(member)
    }

    /// As it is described, and its tags beside it.
    pub(super) fn parts(&self) -> (&Value, &[Value]) {
        (&self.body, &self.tags)
    }
}

/// Start period, then as many failed checks as it takes; ECS's defaults are 3 checks, 30 seconds apart.
fn gives_up(check: Input<'_>) -> Duration {
    let number = |member, default| {
        check.number(member).and_then(|n| u64::try_from(n).ok()).unwrap_or(default)
    };
    Duration::from_secs(number("startPeriod", 0) + number("retries", 3) * number("interval", 30))
}

/// All families; revisions stand in their order, so number `n` is at `n - 1`.
#[derive(Debug, Default)]
pub(super) struct TaskDefinitions {
    families: BTreeMap<String, Vec<TaskDefinition>>,
}

impl TaskDefinitions {
    /// By ARN, by `family:revision`, or the newest active one of `family`.
    pub(super) fn find(&self, reference: &str) -> Option<&TaskDefinition> {
        let (family, revision) = parts(reference);
        let revisions = self.families.get(family)?;
        match revision {
            Some(revision) => {
                let found = revisions.get(revision.checked_sub(1)?)?;
                (!reference.starts_with("arn:") || found.arn == reference).then_some(found)
            }
            None => revisions.iter().rev().find(|revision| revision.active),
        }
    }

    fn find_mut(&mut self, reference: &str) -> Option<&mut TaskDefinition> {
        let (family, revision) = parts(reference);
        self.families.get_mut(family)?.get_mut(revision?.checked_sub(1)?)
    }

    /// One that a service may be brought to.
    pub(super) fn usable(&self, reference: &str) -> Result<&TaskDefinition, ApiError> {
        match self.find(reference) {
            Some(found) if found.active => Ok(found),
            Some(_) => Err(ApiError::refused("ClientException", "TaskDefinition is inactive")),
            None => Err(ApiError::refused("ClientException", "TaskDefinition not found.")),
        }
    }
}

/// `family` and, if named, the revision's number.
fn parts(reference: &str) -> (&str, Option<usize>) {
    let name = reference.rsplit('/').next().unwrap_or(reference);
    match name.rsplit_once(':') {
        Some((family, revision)) => (family, Some(revision.parse().unwrap_or(0))),
        None => (name, None),
    }
}

impl Ecs {
    pub(super) fn register_task_definition(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let family = input.need("family")?.to_owned();
        let tags = checked_tags(input)?;
        let members = checked_members(input)?;
        let revision = self.definitions.families.get(&family).map_or(0, Vec::len) + 1;
        let arn = self.arn(&format!("task-definition/{family}:{revision}"));
        let mut body = Value::Object(members);
        body["taskDefinitionArn"] = json!(arn);
        body["revision"] = json!(revision);
        body["status"] = json!("ACTIVE");
        body["requiresAttributes"] = json!([]);
        body["compatibilities"] = json!(["EC2", "FARGATE"]);
        body["registeredAt"] = epoch(now);
        body["registeredBy"] = json!(format!("arn:aws:iam::{}:root", self.place.account));
        let answer = described(&body, &tags);
        let definition = TaskDefinition { arn, family: family.clone(), active: true, body, tags };
        self.definitions.families.entry(family).or_default().push(definition);
        Ok(answer)
    }

    pub(super) fn describe_task_definition(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let reference = input.need("taskDefinition")?;
        let found = self.definitions.find(reference).ok_or_else(|| {
            ApiError::refused("ClientException", "Unable to describe task definition.")
        })?;
        if input.texts("include").contains(&"TAGS") {
            return Ok(json!({ "taskDefinition": found.body, "tags": found.tags }));
        }
        Ok(json!({ "taskDefinition": found.body }))
    }

    pub(super) fn deregister_task_definition(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let reference = input.need("taskDefinition")?;
        let found = self.definitions.find_mut(reference).ok_or_else(|| {
            ApiError::refused("ClientException", "The specified task definition does not exist.")
        })?;
        found.active = false;
        found.body["status"] = json!("INACTIVE");
        found.body["deregisteredAt"] = epoch(now);
        Ok(json!({ "taskDefinition": found.body }))
    }

    pub(super) fn list_task_definitions(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let wants_active = input.text("status") != Some("INACTIVE");
        let family = input.text("familyPrefix");
        let mut arns: Vec<&str> = self
            .definitions
            .families
            .values()
            .flatten()
            .filter(|one| one.active == wants_active)
            .filter(|one| family.is_none_or(|family| one.family == family))
            .map(|one| one.arn.as_str())
            .collect();
        if input.text("sort") == Some("DESC") {
            arns.reverse();
        }
        let (arns, next) = input.page(arns, 100)?;
        Ok(present(json!({ "taskDefinitionArns": arns, "nextToken": next })))
    }
}

fn described(body: &Value, tags: &[Value]) -> Value {
    present(json!({ "taskDefinition": body, "tags": (!tags.is_empty()).then_some(tags) }))
}

fn checked_tags(input: Input<'_>) -> Result<Vec<Value>, ApiError> {
    let tags = input.list("tags");
    if input.0.get("tags").is_some() && tags.is_empty() {
        return Err(ApiError::refused("ClientException", "Tags can not be empty."));
    }
    let keys = tags.iter().filter_map(|tag| tag.get("key")?.as_str());
    if let Some(key) = keys.into_iter().find(|key| key.to_lowercase().starts_with("aws:")) {
        return Err(ApiError::refused(
            "InvalidParameterException",
            format!("tag key {key} begins with aws:, which is reserved"),
        ));
    }
    if tags.len() > MOST_TAGS {
        return Err(ApiError::refused(
            "InvalidParameterException",
            format!("a task definition has at most {MOST_TAGS} tags"),
        ));
    }
    Ok(tags.to_vec())
}

/// The members to keep: what was sent, with the defaults that ECS writes into every definition.
fn checked_members(input: Input<'_>) -> Result<Map<String, Value>, ApiError> {
    let refuse = |why: &str| Err(ApiError::refused("ClientException", why));
    let mut members = input.0.as_object().cloned().unwrap_or_default();
    members.remove("tags");
    members.retain(|member, _| !WRITTEN_BY_AWS.contains(&member.as_str()));
    if input.0.to_string().len() > LARGEST {
        return refuse("Actual length of the task definition is larger than 64 KB.");
    }
    default(&mut members, &[("volumes", json!([])), ("placementConstraints", json!([]))]);
    let containers = members.get_mut("containerDefinitions").and_then(Value::as_array_mut);
    let Some(containers) = containers.filter(|containers| !containers.is_empty()) else {
        return refuse("Container list cannot be empty.");
    };
    for container in containers {
        let named = |member| Input(container).text(member).is_some_and(|text| !text.is_empty());
        if !named("name") || !named("image") {
            return refuse("Container.name and Container.image should not be null or empty.");
        }
        if let Some(container) = container.as_object_mut() {
            let lists =
                ["environment", "mountPoints", "portMappings", "systemControls", "volumesFrom"];
            default(container, &lists.map(|member| (member, json!([]))));
            default(container, &[("cpu", json!(0)), ("essential", json!(true))]);
        }
    }
    Ok(members)
}

fn default(members: &mut Map<String, Value>, defaults: &[(&str, Value)]) {
    for (member, value) in defaults {
        members.entry(*member).or_insert_with(|| value.clone());
    }
}
