//! The images that a pipeline needs, as their repositories hold them.

use std::collections::BTreeMap;

use serde_json::Value;
use tidegate_core::config::Role;
use tidegate_core::model::{Digest, Scene, Slot, TargetId};
use tidegate_core::verify::{Image, ImageKey, Shown, Stored, Use};

use super::services::Fleet;
use super::{hidden, shown};
use crate::App;
use crate::registry::{LifecyclePolicy, Registry, Repository};

/// Each image with what its repository says of it.
type Images = BTreeMap<ImageKey, (Image, Shown<Stored>)>;

/// The lifecycle policies, by repository.
type Policies = BTreeMap<String, Shown<String>>;

/// What is needed of one repository.
type Wanted = BTreeMap<Digest, Image>;

/// Looks at what runs, what is the way back and what is wanted: a hundred images a call, and the
/// policy of each repository once.
pub(super) async fn look(
    app: &App,
    scene: &Scene,
    slots: &BTreeMap<TargetId, Slot>,
    fleet: &Fleet,
) -> (Images, Policies) {
    let registry = app.registry(scene.config.role.as_ref());
    let (mut images, mut policies) = (Images::new(), Policies::new());
    for (repository, wanted) in wanted(scene, slots, fleet) {
        let name = repository.to_string();
        let role = Role::for_registry(scene.config.role.as_ref(), &repository.account);
        policies.insert(name.clone(), policy(&registry, &repository, role).await);
        let digests: Vec<_> = wanted.keys().cloned().collect();
        let listed = shown(registry.describe(&repository, &digests).await, role);
        for (digest, image) in wanted {
            let stored = match &listed {
                Shown::There(listed) => match listed.iter().find(|it| it.digest == digest) {
                    Some(listed) => shown(
                        registry
                            .platforms(&repository, listed)
                            .await
                            .map(|platforms| Stored { tags: listed.tags.clone(), platforms }),
                        role,
                    ),
                    None => Shown::Missing,
                },
                Shown::Missing => Shown::Missing,
                Shown::Hidden(hidden) => Shown::Hidden(hidden.clone()),
            };
            images.insert((name.clone(), digest), (image, stored));
        }
    }
    (images, policies)
}

async fn policy(
    registry: &Registry,
    repository: &Repository,
    role: Option<&Role>,
) -> Shown<String> {
    match registry.lifecycle_policy(repository).await {
        Ok(LifecyclePolicy::None) => Shown::Missing,
        Ok(LifecyclePolicy::Text(text)) => Shown::There(text),
        Ok(LifecyclePolicy::Unreadable(refusal)) | Err(refusal) => {
            Shown::Hidden(hidden(refusal, role))
        }
    }
}

/// What is needed of each repository.
fn wanted(
    scene: &Scene,
    slots: &BTreeMap<TargetId, Slot>,
    fleet: &Fleet,
) -> BTreeMap<Repository, Wanted> {
    let config = &scene.config;
    let mut all: BTreeMap<Repository, Wanted> = BTreeMap::new();
    let releases = || scene.live.iter().chain(&scene.moving);
    for image in releases().flat_map(|release| release.images.values()) {
        let wanted = all.entry(Repository::of(image)).or_default();
        wanted.entry(image.digest.clone()).or_default().uses.insert(Use::Wanted);
    }
    for (uri, repository) in
        config.images.values().map(|image| (image.uri(), Repository::of_config(image)))
    {
        // A task may show the bytes of its platform, of an index that a release wanted.
        let known = releases().flat_map(|release| release.images.values());
        let known: Vec<_> = known.filter(|image| Repository::of(image) == repository).collect();
        let whole = |digest: &Digest| {
            let index = known.iter().find(|image| image.accepts.contains(digest));
            index.map_or_else(|| digest.clone(), |image| image.digest.clone())
        };
        let wanted = all.entry(repository).or_default();
        for (target, runs) in &fleet.runs {
            let platform = fleet.definitions.get(target).and_then(|it| platform(&it.json));
            let back = slots.get(target).into_iter().flat_map(|slot| &slot.baseline.images);
            let uses = runs.iter().map(|image| (Use::Running, image));
            for (used, image) in uses.chain(back.map(|image| (Use::WayBack, image))) {
                let Some(digest) = image.digest.as_ref().filter(|_| image.repository == uri) else {
                    continue;
                };
                let image = wanted.entry(whole(digest)).or_default();
                image.uses.insert(used);
                image.platforms.extend(platform.clone());
            }
        }
    }
    all.retain(|_, wanted| !wanted.is_empty());
    all
}

/// The platform of a definition's tasks: `linux/arm64`. Without a word Fargate takes amd64; on
/// instances it is whatever they are.
fn platform(definition: &Value) -> Option<String> {
    let platform = &definition["runtimePlatform"];
    let kinds = definition["requiresCompatibilities"].as_array();
    let on_fargate = kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "FARGATE"));
    let processor = match platform["cpuArchitecture"].as_str() {
        Some("ARM64") => "arm64",
        Some(_) => "amd64",
        None if on_fargate => "amd64",
        None => return None,
    };
    let family = platform["operatingSystemFamily"].as_str().unwrap_or("LINUX");
    let system = if family.starts_with("WINDOWS") { "windows" } else { "linux" };
    Some(format!("{system}/{processor}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_definition_that_says_nothing_runs_on_amd64_on_fargate() {
        let on = |processor: Option<&str>, kind: &str| {
            platform(&json!({
                "requiresCompatibilities": [kind],
                "runtimePlatform": { "cpuArchitecture": processor },
            }))
        };
        assert_eq!(on(Some("ARM64"), "FARGATE").as_deref(), Some("linux/arm64"));
        assert_eq!(on(Some("X86_64"), "EC2").as_deref(), Some("linux/amd64"));
        assert_eq!(on(None, "FARGATE").as_deref(), Some("linux/amd64"));
        assert_eq!(on(None, "EC2"), None);
    }
}
