//! Task definitions in and out as raw JSON: the SDK's types drop what is newer than they are.

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_core::drift::Registered;

use super::Ecs;
use crate::Refusal;

/// A task definition as AWS wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct RawTaskDefinition {
    /// Its ARN, with the revision.
    pub arn: String,
    /// Its family.
    pub family: String,
    /// `ACTIVE`, `INACTIVE` or `DELETE_IN_PROGRESS`.
    pub status: String,
    /// The `taskDefinition` member, whole.
    pub json: Value,
    /// The tags, which AWS gives beside it.
    pub tags: Vec<(String, String)>,
}

impl RawTaskDefinition {
    /// The ARN of the family's revision before this one, if there was one.
    pub fn revision_before(&self) -> Option<String> {
        let (family, revision) = self.arn.rsplit_once(':')?;
        let before = revision.parse::<u64>().ok()?.checked_sub(1).filter(|number| *number > 0)?;
        Some(format!("{family}:{before}"))
    }

    /// Who registered it, as far as ECS says.
    pub fn registered(&self) -> Option<Registered> {
        let by = self.json["registeredBy"].as_str()?.to_owned();
        // A second is as exact as a person needs.
        #[expect(clippy::cast_possible_truncation, reason = "seconds of this century")]
        let second = self.json["registeredAt"].as_f64()? as i64;
        Some(Registered { by, at: Timestamp::from_second(second).ok()? })
    }

    /// A service can be updated to it; to a deregistered one it cannot.
    pub fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }
}

impl Ecs {
    /// Reads a revision by its ARN, or a family's newest active one by its name.
    pub async fn task_definition(&self, name: &str) -> Result<RawTaskDefinition, Refusal> {
        const ACTION: &str = "ecs:DescribeTaskDefinition";
        let input = json!({ "taskDefinition": name, "include": ["TAGS"] });
        let answer = self.raw.call(ACTION, name, &input).await?;
        raw(answer).ok_or_else(|| Refusal::broken(ACTION, name, "task definition"))
    }

    /// Registers `definition`, a [`tidegate_core::definition::successor`], and returns its ARN.
    ///
    /// Not idempotent: a call that is tried again makes another revision, which hurts nobody.
    pub async fn register(&self, definition: &Value) -> Result<String, Refusal> {
        const ACTION: &str = "ecs:RegisterTaskDefinition";
        let family = definition["family"].as_str().unwrap_or_default();
        let answer = self.raw.call(ACTION, family, definition).await?;
        answer["taskDefinition"]["taskDefinitionArn"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| Refusal::broken(ACTION, family, "task definition ARN"))
    }
}

fn raw(mut answer: Value) -> Option<RawTaskDefinition> {
    let json = answer.get_mut("taskDefinition")?.take();
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let tags = answer["tags"].as_array().into_iter().flatten().filter_map(|tag| {
        Some((tag["key"].as_str()?.to_owned(), tag["value"].as_str().unwrap_or("").to_owned()))
    });
    Some(RawTaskDefinition {
        arn: text("taskDefinitionArn")?,
        family: text("family")?,
        status: text("status").unwrap_or_default(),
        tags: tags.collect(),
        json,
    })
}
