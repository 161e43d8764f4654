//! What services run, and what they run with.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::config::PipelineConfig;
use tidegate_core::definition::{NamedImage, images};
use tidegate_core::drift::Drift;
use tidegate_core::model::{Slot, TargetId, TargetKind, repository_uri};
use tidegate_core::sighting::{RunningImage, Sighting};
use tidegate_core::verify::{Service, Shown};

use super::{hidden, shown};
use crate::App;
use crate::ecs::{Ecs, RawTaskDefinition, Seen};
use crate::survey::Runs;

/// The services and one-off tasks of a pipeline, as they are now.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    pub(super) services: BTreeMap<String, Shown<Service>>,
    /// Schedules, rules and container services, in the words of a service.
    pub(super) others: BTreeMap<TargetId, Shown<Service>>,
    /// One-off tasks by name: whether their task definition can be read.
    pub(super) tasks: BTreeMap<String, Shown<()>>,
    /// The task definitions of both, by name.
    pub(super) definitions: BTreeMap<String, RawTaskDefinition>,
    /// The bytes that each service runs in the containers that releases change.
    pub(super) runs: BTreeMap<String, Vec<RunningImage>>,
    pub(super) drift: BTreeMap<String, Shown<Drift>>,
}

impl Fleet {
    /// The services that are there.
    pub(super) fn sightings(&self) -> impl Iterator<Item = (&String, &Sighting)> {
        self.services.iter().filter_map(|(name, shown)| match shown {
            Shown::There(service) => Some((name, &service.sighting)),
            Shown::Missing | Shown::Hidden(_) => None,
        })
    }
}

/// Looks at them: ten services a call, each task definition once.
pub(super) async fn look(
    app: &App,
    config: &PipelineConfig,
    slots: &BTreeMap<TargetId, Slot>,
) -> Fleet {
    let targets = app.targets(&config.region, config.role.as_ref());
    let ecs = &targets.ecs;
    let ids: Vec<_> =
        config.waves.iter().flatten().map(|target| config.target_id(&target.name)).collect();
    let (mut fleet, mut seen) = (Fleet::default(), BTreeMap::new());
    for (id, found) in targets.look(&ids).await {
        match found {
            Ok(Some(found)) => {
                seen.insert(id, found);
            }
            Ok(None) => fleet.add(&id, Shown::Missing),
            Err(refusal) => fleet.add(&id, Shown::Hidden(hidden(refusal))),
        }
    }
    let registry = app.registry(config.role.as_ref());
    let mut runs = Runs::new(ecs, &registry, seen.values().map(|seen| &seen.sighting));
    for (id, mut seen) in seen {
        let definition = match seen.definition.take() {
            Some(definition) => Ok(definition),
            None => ecs.task_definition(&seen.task_definition).await,
        };
        match definition {
            Ok(definition) => {
                let (slot, named) = (slots.get(&id), named(config, &definition));
                let read = runs.images(&id, &seen.sighting, &named, slot, &BTreeSet::new()).await;
                fleet.compare(&id.name, slot, &definition, read);
                fleet.definitions.insert(id.name.clone(), definition);
                let service = service(ecs, &id, seen).await;
                fleet.add(&id, Shown::There(service));
            }
            Err(refusal) => fleet.add(&id, Shown::Hidden(hidden(refusal))),
        }
    }
    for task in &config.pre_deploy {
        let answer = ecs.task_definition(&task.task_definition).await;
        let found = answer.map(|definition| {
            fleet.definitions.insert(task.name.clone(), definition);
        });
        fleet.tasks.insert(task.name.clone(), shown(found));
    }
    fleet
}

impl Fleet {
    /// What is no service is told in lines of its own.
    fn add(&mut self, id: &TargetId, shown: Shown<Service>) {
        if id.kind == TargetKind::Service {
            self.services.insert(id.name.clone(), shown);
        } else {
            self.others.insert(id.clone(), shown);
        }
    }

    /// Keeps what a service runs, and whether that is what its last release left.
    fn compare(
        &mut self,
        name: &str,
        slot: Option<&Slot>,
        definition: &RawTaskDefinition,
        read: Result<Vec<RunningImage>, crate::Refusal>,
    ) {
        let images = match read {
            Ok(images) => images,
            Err(refusal) => {
                self.drift.insert(name.to_owned(), Shown::Hidden(hidden(refusal)));
                return;
            }
        };
        if let Some(drift) = slot.and_then(|slot| Drift::of(slot, &definition.arn, &images)) {
            let registered = definition.registered();
            self.drift.insert(name.to_owned(), Shown::There(Drift { registered, ..drift }));
        }
        self.runs.insert(name.to_owned(), images);
    }
}

async fn service(ecs: &Ecs, id: &TargetId, seen: Seen) -> Service {
    let Seen { sighting, guards, .. } = seen;
    let failing = sighting.primary().is_some_and(|primary| primary.failed_tasks > 0);
    let mut stopped = Vec::new();
    if id.kind == TargetKind::Service && (failing || sighting.running < sighting.desired) {
        // Why is worth a call; without an answer the service is told all the same.
        let tasks = ecs.stopped_tasks(&id.within, &id.name).await.unwrap_or_default();
        stopped.extend(tasks.into_iter().map(|task| task.failure));
    }
    Service { sighting, stopped, guards }
}

/// The containers of a definition that releases change.
fn named(config: &PipelineConfig, definition: &RawTaskDefinition) -> Vec<NamedImage> {
    let uris: BTreeSet<_> = config
        .images
        .values()
        .map(|it| repository_uri(&it.registry.account, &it.registry.region, &it.repository))
        .collect();
    let mut named = images(&definition.json);
    named.retain(|image| uris.contains(image.repository()));
    named
}
