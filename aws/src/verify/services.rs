//! What services run, and what they run with.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::config::PipelineConfig;
use tidegate_core::definition::{NamedImage, takers};
use tidegate_core::drift::Drift;
use tidegate_core::model::{Release, Scene, Slot, TargetId, TargetKind};
use tidegate_core::sighting::{RunningImage, Sighting};
use tidegate_core::verify::{Compared, Named, Service, Shown};

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
    /// The task definitions of all of them.
    pub(super) definitions: BTreeMap<TargetId, RawTaskDefinition>,
    /// What permissions name of each.
    pub(super) named: BTreeMap<TargetId, Named>,
    /// The bytes that each runs in the containers that releases change.
    pub(super) runs: BTreeMap<TargetId, Vec<RunningImage>>,
    pub(super) drift: BTreeMap<TargetId, Shown<Compared>>,
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
pub(super) async fn look(app: &App, scene: &Scene, slots: &BTreeMap<TargetId, Slot>) -> Fleet {
    let (config, live) = (&scene.config, scene.live.as_ref());
    let role = config.role.as_ref();
    let targets = app.targets(&config.region, role);
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
            Err(refusal) => fleet.add(&id, Shown::Hidden(hidden(refusal, role))),
        }
    }
    let registry = app.registry(role);
    let mut runs = Runs::new(ecs, &registry, seen.values().map(|seen| &seen.sighting));
    for (id, mut seen) in seen {
        let definition = match seen.definition.take() {
            Some(definition) => Ok(definition),
            None => ecs.task_definition(&seen.task_definition).await,
        };
        match definition {
            Ok(definition) => {
                let (slot, named) = (slots.get(&id), named(config, &id, &definition));
                let nothing = BTreeSet::new();
                let mut read = runs.images(&id, &seen.sighting, &named, slot, &nothing).await;
                if let (Ok(images), None, true) = (&mut read, slot, id.kind.is_scheduled()) {
                    // As at adoption: nothing of it runs, and its tag is what its next run asks.
                    let asked = runs.next_run(&named, images).await;
                    read = asked.and(read);
                }
                match read {
                    Ok(images) => fleet.compare(&id, (slot, live), &definition, images),
                    Err(refusal) => {
                        fleet.drift.insert(id.clone(), Shown::Hidden(hidden(refusal, role)));
                    }
                }
                let (holder, cluster) = (seen.holder.take(), seen.cluster.take());
                let named = Named { revision: definition.arn.clone(), holder, cluster };
                fleet.named.insert(id.clone(), named);
                fleet.definitions.insert(id.clone(), definition);
                let service = service(ecs, &id, seen).await;
                fleet.add(&id, Shown::There(service));
            }
            Err(refusal) => fleet.add(&id, Shown::Hidden(hidden(refusal, role))),
        }
    }
    for task in &config.pre_deploy {
        let answer = ecs.task_definition(&task.task_definition).await;
        let found = answer.map(|definition| {
            fleet.definitions.insert(config.task_id(task), definition);
        });
        fleet.tasks.insert(task.name.clone(), shown(found, role));
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

    /// Keeps what a target runs, and how that compares with what Tidegate left there.
    fn compare(
        &mut self,
        id: &TargetId,
        (slot, live): (Option<&Slot>, Option<&Release>),
        definition: &RawTaskDefinition,
        images: Vec<RunningImage>,
    ) {
        let compared = match Compared::of(slot, live, &definition.arn, &images) {
            Compared::Drifted(drift) => {
                Compared::Drifted(Drift { registered: definition.registered(), ..drift })
            }
            other => other,
        };
        self.drift.insert(id.clone(), Shown::There(compared));
        self.runs.insert(id.clone(), images);
    }
}

async fn service(ecs: &Ecs, id: &TargetId, seen: Seen) -> Service {
    let sighting = seen.sighting;
    let failing = sighting.primary().is_some_and(|primary| primary.failed_tasks > 0);
    let mut stopped = Vec::new();
    if id.kind == TargetKind::Service && (failing || sighting.running < sighting.desired) {
        // Why is worth a call; without an answer the service is told all the same.
        let tasks = ecs.stopped_tasks(&id.within, &id.name).await.unwrap_or_default();
        stopped.extend(tasks.into_iter().map(|task| task.failure));
    }
    Service { sighting, stopped }
}

/// The containers of a target's definition that releases change.
fn named(
    config: &PipelineConfig,
    id: &TargetId,
    definition: &RawTaskDefinition,
) -> Vec<NamedImage> {
    let everything = BTreeMap::new();
    let chosen = config.target(id).map_or(&everything, |target| &target.containers);
    let sources = config.images.iter().map(|(name, image)| (name.as_str(), image.uri()));
    takers(&definition.json, chosen, sources).into_iter().map(|(named, _)| named).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What releases change of a definition whose containers all come from the pipeline's repository.
    fn changed(target: &Value) -> Vec<String> {
        let config: PipelineConfig = serde_json::from_value(json!({
            "schema": 1, "name": "p", "account": "123456789012", "region": "us-west-2",
            "images": { "crons": { "repository": "live_crons", "tags": ["uapi"],
                "registry": { "account": "123456789012", "region": "us-west-2" } } },
            "cluster": "c", "waves": [[target]], "on_failure": "rollback", "base": "running",
            "watch": { "timeout": 1, "bake": 1, "failed_tasks": 1, "on_timeout": "rollback" },
        }))
        .unwrap();
        let container = |name: &str| {
            let image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/live_crons:uapi";
            json!({ "name": name, "image": image })
        };
        let definition = RawTaskDefinition {
            arn: String::new(),
            family: String::new(),
            status: String::new(),
            json: json!({ "containerDefinitions": [container("main"), container("beside")] }),
            tags: Vec::new(),
        };
        let id = config.target_id(&config.waves[0][0].name);
        named(&config, &id, &definition).into_iter().map(|named| named.container).collect()
    }

    #[test]
    fn a_container_that_the_config_does_not_name_beside_others_is_none_of_ours() {
        assert_eq!(changed(&json!({ "service": "Rag" })), ["main", "beside"]);
        let one = json!({ "service": "Rag", "containers": { "main": "crons" } });
        assert_eq!(changed(&one), ["main"]);
    }
}
