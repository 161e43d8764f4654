//! Lifecycle policies: rules by priority, which really expire images.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::repository::matches_wildcard;
use super::{Ecr, Image, Repository};
use crate::api::{ApiError, Input, epoch, present};

/// How often policies are evaluated. AWS promises "within 24 hours"; any shorter rhythm keeps that promise,
/// and six hours lets an image outlive its eligibility for a while, as it does there.
const EVERY: Duration = Duration::from_hours(6);
const DAY: Duration = Duration::from_hours(24);
/// ECR's limits of a policy.
const MOST_RULES: usize = 50;
const LONGEST_POLICY: usize = 30_720;

/// A repository's policy, as text and as rules.
#[derive(Debug)]
pub(super) struct Lifecycle {
    text: String,
    rules: Vec<Rule>,
    evaluated_at: Option<Timestamp>,
    pub(super) next_at: Timestamp,
}

#[derive(Debug)]
struct Rule {
    priority: i64,
    tags: Tags,
    limit: Limit,
}

#[derive(Debug)]
enum Tags {
    Any,
    Untagged,
    /// An image matches when every pattern matches one of its tags.
    Patterns(Vec<String>),
}

#[derive(Debug)]
enum Limit {
    Count(usize),
    Age(Duration),
}

impl Rule {
    fn read(rule: &Value) -> Result<Self, String> {
        let selection = Input(rule.get("selection").unwrap_or(&Value::Null));
        let priority = Input(rule).number("rulePriority").ok_or("rulePriority is missing")?;
        if rule.pointer("/action/type").and_then(Value::as_str) != Some("expire") {
            return Err(format!("rule {priority}: the local AWS models action type expire only"));
        }
        let prefixes = selection.texts("tagPrefixList").into_iter().map(|text| format!("{text}*"));
        let patterns: Vec<String> = selection
            .texts("tagPatternList")
            .into_iter()
            .map(str::to_owned)
            .chain(prefixes)
            .collect();
        let tags = match (selection.text("tagStatus"), patterns.is_empty()) {
            (Some("any"), true) => Tags::Any,
            (Some("untagged"), true) => Tags::Untagged,
            (Some("tagged"), false) => Tags::Patterns(patterns),
            (status, _) => {
                return Err(format!(
                    "rule {priority}: tagStatus {} does not go with its patterns or prefixes",
                    status.unwrap_or("(none)")
                ));
            }
        };
        let number = selection.number("countNumber").and_then(|n| u32::try_from(n).ok());
        let number = number.filter(|n| *n > 0).ok_or("countNumber must be a positive integer")?;
        let limit = match (selection.text("countType"), selection.text("countUnit")) {
            (Some("imageCountMoreThan"), None) => Limit::Count(number as usize),
            (Some("sinceImagePushed"), Some("days")) => Limit::Age(DAY * number),
            (kind, _) => {
                return Err(format!(
                    "rule {priority}: countType {} with its countUnit is not modelled",
                    kind.unwrap_or("(none)")
                ));
            }
        };
        Ok(Self { priority, tags, limit })
    }

    fn matches(&self, image: &Image) -> bool {
        match &self.tags {
            Tags::Any => true,
            Tags::Untagged => image.tags.is_empty(),
            Tags::Patterns(patterns) => patterns
                .iter()
                .all(|pattern| image.tags.iter().any(|tag| matches_wildcard(pattern, tag))),
        }
    }

    /// Which of its images, newest first, the rule takes.
    fn takes(&self, images: &[&Image], now: Timestamp) -> Vec<String> {
        let too_many = match self.limit {
            Limit::Count(most) => images.get(most..).unwrap_or_default().to_vec(),
            Limit::Age(age) => {
                images.iter().filter(|image| image.pushed_at + age < now).copied().collect()
            }
        };
        too_many.into_iter().map(|image| image.digest.clone()).collect()
    }
}

fn read_rules(text: &str) -> Result<Vec<Rule>, String> {
    if text.len() > LONGEST_POLICY {
        return Err(format!("the policy is longer than {LONGEST_POLICY} characters"));
    }
    let policy: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut rules =
        Input(&policy).list("rules").iter().map(Rule::read).collect::<Result<Vec<_>, _>>()?;
    if rules.is_empty() || rules.len() > MOST_RULES {
        return Err(format!("a policy holds 1 to {MOST_RULES} rules"));
    }
    rules.sort_by_key(|rule| rule.priority);
    if rules.windows(2).any(|pair| matches!(pair, [a, b] if a.priority == b.priority)) {
        return Err("two rules have the same rulePriority".to_owned());
    }
    let any = rules.iter().position(|rule| matches!(rule.tags, Tags::Any));
    if any.is_some_and(|at| at + 1 < rules.len()) {
        return Err("a rule with tagStatus any must have the highest rulePriority".to_owned());
    }
    Ok(rules)
}

impl Repository {
    /// What the policy would take now. The first rule an image matches decides about it: no rule of lower
    /// priority (a higher number) can take it any more.
    fn expiring(&self, now: Timestamp) -> BTreeSet<String> {
        let mut undecided: Vec<&Image> =
            self.images.values().filter(|image| !image.archived).collect();
        undecided.sort_by(|a, b| (b.pushed_at, &b.digest).cmp(&(a.pushed_at, &a.digest)));
        let mut expiring = BTreeSet::new();
        for rule in self.lifecycle.iter().flat_map(|lifecycle| &lifecycle.rules) {
            let (own, rest): (Vec<_>, Vec<_>) =
                undecided.into_iter().partition(|image| rule.matches(image));
            expiring.extend(rule.takes(&own, now));
            undecided = rest;
        }
        expiring
    }

    /// Expires what the policy takes; what an index refers to stays as long as the index.
    fn expire(&mut self, now: Timestamp) -> Vec<String> {
        let expiring = self.expiring(now);
        let indexes: Vec<String> =
            expiring.iter().filter(|digest| !self.is_referenced(digest)).cloned().collect();
        for digest in &indexes {
            self.images.remove(digest);
        }
        let orphans: Vec<String> = expiring
            .into_iter()
            .filter(|digest| self.images.contains_key(digest) && !self.is_referenced(digest))
            .collect();
        for digest in &orphans {
            self.images.remove(digest);
        }
        if let Some(lifecycle) = &mut self.lifecycle {
            lifecycle.evaluated_at = Some(now);
            lifecycle.next_at = now + EVERY;
        }
        indexes.into_iter().chain(orphans).collect()
    }
}

impl Ecr {
    pub(super) fn get_lifecycle_policy(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let repository = self.find(input)?;
        let Some(lifecycle) = &repository.lifecycle else {
            return Err(ApiError::refused(
                "LifecyclePolicyNotFoundException",
                format!(
                    "Lifecycle policy does not exist for the repository with name '{}' in the \
                     registry with id '{}'",
                    repository.name, self.place.account
                ),
            ));
        };
        Ok(present(json!({
            "registryId": self.place.account,
            "repositoryName": repository.name,
            "lifecyclePolicyText": lifecycle.text,
            "lastEvaluatedAt": lifecycle.evaluated_at.map(epoch),
        })))
    }

    pub(super) fn put_lifecycle_policy(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let text = input.need("lifecyclePolicyText")?;
        let rules = read_rules(text).map_err(|why| {
            ApiError::refused(
                "InvalidParameterException",
                format!("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: '{why}'"),
            )
        })?;
        let repository = self.find_mut(input)?;
        let name = repository.name.clone();
        repository.lifecycle = Some(Lifecycle {
            text: text.to_owned(),
            rules,
            evaluated_at: None,
            next_at: now + EVERY,
        });
        Ok(json!({
            "registryId": self.place.account,
            "repositoryName": name,
            "lifecyclePolicyText": text,
        }))
    }

    /// Evaluates a repository's policy at once; returns the digests that went. ECR sends no event for them.
    pub fn expire_now(&mut self, repository: &str, now: Timestamp) -> Vec<String> {
        self.repositories.get_mut(repository).map(|found| found.expire(now)).unwrap_or_default()
    }

    pub(super) fn expire_what_is_due(&mut self, now: Timestamp) {
        for repository in self.repositories.values_mut() {
            while let Some(due) = repository.next_expiry().filter(|due| *due <= now) {
                repository.expire(due);
            }
        }
    }
}
