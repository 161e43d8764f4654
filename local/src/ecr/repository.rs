//! A repository, its images and their tags.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::Access;
use super::lifecycle::Lifecycle;
use super::{Behaviour, Ecr, Serving, manifest, missing};
use crate::api::{ApiError, Input, epoch, present};

/// An image: the bytes of its manifest, and what points at them.
#[derive(Debug, Clone)]
pub struct Image {
    /// The digest of `manifest`.
    pub digest: String,
    /// The bytes as they were pushed.
    pub manifest: String,
    /// What kind of manifest it is.
    pub media_type: String,
    /// Tags that mean this image now, oldest first.
    pub tags: Vec<String>,
    /// When it was pushed, in whole seconds, as ECR keeps it.
    pub pushed_at: Timestamp,
    /// Archived images are hidden, and cannot be pulled until they are restored.
    pub archived: bool,
    pub(super) behaviour: Option<Behaviour>,
    pub(super) serving: Option<Serving>,
    pub(super) parsed: Value,
}

impl Image {
    pub(super) fn behaviour(&self) -> Option<Behaviour> {
        self.behaviour
    }

    pub(super) fn children(&self) -> Vec<String> {
        manifest::children(&self.parsed)
    }

    pub(super) fn platform_child(&self) -> Option<String> {
        manifest::platform_child(&self.parsed)
    }
}

/// A repository.
#[derive(Debug)]
pub struct Repository {
    /// Its name, unique in the registry.
    pub name: String,
    /// Images by digest: an order that has nothing to do with time, as ECR's pages have none.
    pub images: BTreeMap<String, Image>,
    pub(super) created_at: Timestamp,
    pub(super) mutability: String,
    /// Wildcards of tags to which the opposite of `mutability` applies.
    pub(super) exclusions: Vec<String>,
    pub(super) lifecycle: Option<Lifecycle>,
    pub(super) access: Option<Access>,
}

impl Repository {
    /// The image that `tag` means now.
    pub fn tagged(&self, tag: &str) -> Option<&Image> {
        self.images.values().find(|image| image.tags.iter().any(|own| own == tag))
    }

    /// Whether an index that exists refers to `digest`.
    pub(super) fn is_referenced(&self, digest: &str) -> bool {
        self.images.values().any(|image| image.children().iter().any(|child| child == digest))
    }

    /// Whether `tag` stays where it is once it is set.
    pub(super) fn fixes(&self, tag: &str) -> bool {
        let excluded = self.exclusions.iter().any(|wildcard| matches_wildcard(wildcard, tag));
        match self.mutability.as_str() {
            "IMMUTABLE" => true,
            "IMMUTABLE_WITH_EXCLUSION" => !excluded,
            "MUTABLE_WITH_EXCLUSION" => excluded,
            _ => false,
        }
    }

    pub(super) fn next_expiry(&self) -> Option<Timestamp> {
        self.lifecycle.as_ref().map(|lifecycle| lifecycle.next_at)
    }
}

/// `*` stands for any text, also none.
pub(super) fn matches_wildcard(wildcard: &str, text: &str) -> bool {
    match wildcard.split_once('*') {
        None => wildcard == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len())
                .filter_map(|at| tail.get(at..))
                .any(|candidate| matches_wildcard(rest, candidate))
        }),
    }
}

impl Ecr {
    pub(super) fn create_repository(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let name = self.named(input)?;
        if self.repositories.contains_key(name) {
            return Err(ApiError::refused(
                "RepositoryAlreadyExistsException",
                format!(
                    "The repository with name '{name}' already exists in the registry with id '{}'",
                    self.place.account
                ),
            ));
        }
        let exclusions = input.list("imageTagMutabilityExclusionFilters").iter();
        let repository = Repository {
            name: name.to_owned(),
            images: BTreeMap::new(),
            created_at: now,
            mutability: input.text("imageTagMutability").unwrap_or("MUTABLE").to_owned(),
            exclusions: exclusions
                .filter_map(|filter| Some(filter.get("filter")?.as_str()?.to_owned()))
                .collect(),
            lifecycle: None,
            access: None,
        };
        let answer = json!({ "repository": self.describe(&repository) });
        self.repositories.insert(name.to_owned(), repository);
        Ok(answer)
    }

    pub(super) fn describe_repositories(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let names = input.texts("repositoryNames");
        if let Some(unknown) = names.iter().find(|name| !self.repositories.contains_key(**name)) {
            return Err(missing(unknown, &self.place.account));
        }
        let chosen = self
            .repositories
            .values()
            .filter(|repository| names.is_empty() || names.contains(&repository.name.as_str()))
            .map(|repository| self.describe(repository))
            .collect();
        let (repositories, next) = input.page(chosen, 1000)?;
        Ok(present(json!({ "repositories": repositories, "nextToken": next })))
    }

    fn describe(&self, repository: &Repository) -> Value {
        let filters: Vec<Value> = repository
            .exclusions
            .iter()
            .map(|wildcard| json!({ "filterType": "WILDCARD", "filter": wildcard }))
            .collect();
        present(json!({
            "repositoryArn": self.place.arn("ecr", &format!("repository/{}", repository.name)),
            "registryId": self.place.account,
            "repositoryName": repository.name,
            "repositoryUri": format!("{}/{}", self.place.registry(), repository.name),
            "createdAt": epoch(repository.created_at),
            "imageTagMutability": repository.mutability,
            "imageTagMutabilityExclusionFilters": (!filters.is_empty()).then_some(filters),
            "imageScanningConfiguration": { "scanOnPush": false },
            "encryptionConfiguration": { "encryptionType": "AES256" },
        }))
    }
}
