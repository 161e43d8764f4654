//! What services run, and what they run with.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::config::PipelineConfig;
use tidegate_core::definition::{NamedImage, images};
use tidegate_core::drift::Drift;
use tidegate_core::model::{Slot, TargetId, repository_uri};
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
    let ecs = app.ecs(&config.region);
    let names: Vec<_> = config.waves.iter().flatten().map(|it| it.service.clone()).collect();
    let (mut fleet, mut seen) = (Fleet::default(), BTreeMap::new());
    for (name, found) in ecs.look(&config.cluster, &names).await {
        match found {
            Ok(Some(found)) => {
                seen.insert(name, found);
            }
            Ok(None) => {
                fleet.services.insert(name, Shown::Missing);
            }
            Err(refusal) => {
                fleet.services.insert(name, Shown::Hidden(hidden(refusal)));
            }
        }
    }
    let mut runs = Runs::new(&ecs, seen.values().map(|seen| &seen.sighting));
    for (name, seen) in seen {
        match ecs.task_definition(&seen.task_definition).await {
            Ok(definition) => {
                let slot = slots.get(&config.service_id(&name));
                let named = named(config, &definition);
                let read = runs
                    .images(
                        &config.service_id(&name),
                        &seen.sighting,
                        &named,
                        slot,
                        &BTreeSet::new(),
                    )
                    .await;
                fleet.compare(&name, slot, &definition, read);
                fleet.definitions.insert(name.clone(), definition);
                fleet.services.insert(name.clone(), service(&ecs, config, &name, seen).await);
            }
            Err(refusal) => {
                fleet.services.insert(name, Shown::Hidden(hidden(refusal)));
            }
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

async fn service(ecs: &Ecs, config: &PipelineConfig, name: &str, seen: Seen) -> Shown<Service> {
    let Seen { sighting, guards, .. } = seen;
    let failing = sighting.primary().is_some_and(|primary| primary.failed_tasks > 0);
    let mut stopped = Vec::new();
    if failing || sighting.running < sighting.desired {
        // Why is worth a call; without an answer the service is told all the same.
        let tasks = ecs.stopped_tasks(&config.cluster, name).await.unwrap_or_default();
        stopped.extend(tasks.into_iter().map(|task| task.failure));
    }
    Shown::There(Service { sighting, stopped, guards })
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
