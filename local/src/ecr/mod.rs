//! ECR: repositories, images, tags, lifecycle, and who else may pull. No clock and no wire: a model that is called and moved on.
//!
//! Not modelled: layers (so never `LayersNotFoundException`), uploads, scans, rates, rules of replication.

mod access;
mod behaviour;
mod delete;
mod lifecycle;
mod manifest;
mod put;
mod read;
mod reference;
mod replicate;
mod repository;
mod seed;
mod serving;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::Value;

use crate::api::{ApiError, BusEvent, Input, Place};

pub use self::behaviour::Behaviour;
pub use self::manifest::{digest_of, index_manifest, manifest, serving};
pub use self::reference::Reference;
pub use self::repository::{Image, Repository};
pub use self::serving::Serving;

/// The registry of one place.
#[derive(Debug)]
pub struct Ecr {
    place: Place,
    dice: Rng,
    repositories: BTreeMap<String, Repository>,
    /// Whether a further tag on an image makes it look freshly pushed. AWS does not say: the seed draws it.
    pub retag_moves_push_time: bool,
    bus: Vec<BusEvent>,
    /// The registries of other places: tasks here pull from them as well.
    elsewhere: Vec<Ecr>,
}

/// What can be pulled under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pullable {
    /// The digest the name means now.
    pub digest: String,
    /// The digest of the one platform's manifest; the same unless the image is an index.
    pub platform_digest: String,
    /// How the image behaves when it runs.
    pub behaviour: Behaviour,
    /// What is wrong with its answers by HTTP, if anything.
    pub serving: Option<Serving>,
}

impl Ecr {
    /// An empty registry; the same seed and the same calls give the same answers.
    pub fn new(place: Place, seed: u64) -> Self {
        let mut dice = Rng::with_seed(seed);
        let retag_moves_push_time = dice.bool();
        Self {
            place,
            dice,
            repositories: BTreeMap::new(),
            retag_moves_push_time,
            bus: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    /// From now on there is a registry at `place` too.
    pub fn open(&mut self, place: Place, seed: u64) {
        self.elsewhere.push(Self::new(place, seed));
    }

    /// The registry at `place`; this one where there is none.
    pub fn at(&mut self, place: &Place) -> &mut Self {
        match self.elsewhere.iter().position(|other| other.place == *place) {
            Some(other) => &mut self.elsewhere[other],
            None => self,
        }
    }

    /// Answers one call of the API.
    pub fn call(&mut self, action: &str, input: &Value, now: Timestamp) -> Result<Value, ApiError> {
        self.expire_what_is_due(now);
        let input = Input(input);
        match action {
            "CreateRepository" => self.create_repository(input, now),
            "DescribeRepositories" => self.describe_repositories(input),
            "PutImage" => self.put_image(input, now),
            "DescribeImages" => self.describe_images(input),
            "ListImages" => self.list_images(input),
            "BatchGetImage" => self.batch_get_image(input),
            "BatchDeleteImage" => self.batch_delete_image(input, now),
            "GetLifecyclePolicy" => self.get_lifecycle_policy(input),
            "PutLifecyclePolicy" => self.put_lifecycle_policy(input, now),
            "GetRepositoryPolicy" => self.get_repository_policy(input),
            "SetRepositoryPolicy" => self.set_repository_policy(input),
            "DeleteRepositoryPolicy" => self.delete_repository_policy(input),
            other => Err(ApiError::unknown_action("ECR", other)),
        }
    }

    /// The registry that has this repository; this one where none has.
    pub fn holding(&mut self, repository: &str) -> &mut Self {
        let has = |own: &Self| own.repositories.contains_key(repository);
        match self.elsewhere.iter().position(has).filter(|_| !has(self)) {
            Some(other) => &mut self.elsewhere[other],
            None => self,
        }
    }

    /// When something happens next without a call, or an event waits to be taken.
    pub fn next_due(&self) -> Option<Timestamp> {
        let event = self.bus.first().map(|event| event.at);
        let expiry = self.repositories.values().filter_map(Repository::next_expiry).min();
        let others = self.elsewhere.iter().filter_map(Self::next_due);
        event.into_iter().chain(expiry).chain(others).min()
    }

    /// Lets everything up to `now` happen and hands over the events since the last time.
    pub fn advance(&mut self, now: Timestamp) -> Vec<BusEvent> {
        self.expire_what_is_due(now);
        let mut events = std::mem::take(&mut self.bus);
        events.extend(self.elsewhere.iter_mut().flat_map(|other| other.advance(now)));
        events
    }

    /// What `image` names right now, or `None` where a pull would fail.
    ///
    /// Images of other registries always exist and are healthy: a sidecar must not need a seed.
    pub fn pull(&self, image: &str) -> Option<Pullable> {
        let reference = Reference::parse(image);
        let named = |own: &&Self| reference.host.as_deref() == Some(own.place.registry().as_str());
        if let Some(other) = self.elsewhere.iter().find(named) {
            return other.pull(image);
        }
        if !named(&self) {
            let digest = reference.digest.unwrap_or_else(|| digest_of(image));
            let platform_digest = digest.clone();
            let behaviour = Behaviour::Healthy;
            return Some(Pullable { digest, platform_digest, behaviour, serving: None });
        }
        let repository = self.repositories.get(&reference.repository)?;
        let image = match (&reference.digest, &reference.tag) {
            (Some(digest), _) => repository.images.get(digest)?,
            (None, tag) => repository.tagged(tag.as_deref().unwrap_or("latest"))?,
        };
        if image.archived {
            return None;
        }
        let platform = image.platform_child().and_then(|child| repository.images.get(&child));
        Some(Pullable {
            digest: image.digest.clone(),
            platform_digest: platform.unwrap_or(image).digest.clone(),
            behaviour: image
                .behaviour()
                .or(platform.and_then(Image::behaviour))
                .unwrap_or_default(),
            serving: image.serving.clone().or(platform.and_then(|child| child.serving.clone())),
        })
    }

    /// Whether one of these digests is an index that lists the other.
    pub fn lists(&self, one: &str, other: &str) -> bool {
        let lists = |index: &str, child: &str| {
            let images = self.repositories.values().filter_map(|own| own.images.get(index));
            images.flat_map(Image::children).any(|own| own == child)
        };
        let elsewhere = self.elsewhere.iter().any(|registry| registry.lists(one, other));
        lists(one, other) || lists(other, one) || elsewhere
    }

    /// A repository by name, to look at, wherever it is; this registry's before any other's.
    pub fn repository(&self, name: &str) -> Option<&Repository> {
        self.repositories(name).next()
    }

    /// The repositories of a name in all registries.
    pub fn repositories(&self, name: &str) -> impl Iterator<Item = &Repository> {
        self.registries().filter_map(move |registry| registry.repositories.get(name))
    }

    /// This registry, and those of other places.
    fn registries(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.elsewhere)
    }

    fn find(&self, input: Input<'_>) -> Result<&Repository, ApiError> {
        let name = self.named(input)?;
        self.repositories.get(name).ok_or_else(|| missing(name, &self.place.account))
    }

    fn find_mut(&mut self, input: Input<'_>) -> Result<&mut Repository, ApiError> {
        let name = self.named(input)?;
        let missing = missing(name, &self.place.account);
        self.repositories.get_mut(name).ok_or(missing)
    }

    /// The repository's name, once the registry asked for is this one.
    fn named<'a>(&self, input: Input<'a>) -> Result<&'a str, ApiError> {
        let name = input.need("repositoryName")?;
        match input.text("registryId") {
            Some(registry) if registry != self.place.account => Err(missing(name, registry)),
            _ => Ok(name),
        }
    }
}

fn missing(name: &str, registry: &str) -> ApiError {
    ApiError::refused(
        "RepositoryNotFoundException",
        format!(
            "The repository with name '{name}' does not exist in the registry with id '{registry}'"
        ),
    )
}
