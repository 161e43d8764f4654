//! What AWS has of the things that a config names.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_aws::alarms::Alarms;
use tidegate_aws::ecs::RawTaskDefinition;
use tidegate_aws::inventory::Inventory;
use tidegate_aws::registry::{Registry as Images, Repository};
use tidegate_aws::{Ecs, Reach, RefusalKind, Targets};
use tidegate_core::config::{Live, LiveService, PipelineConfig, Registry, Role, Running};
use tidegate_core::decide::checks::Heard;
use tidegate_core::definition::{NamedImage, images};
use tidegate_core::model::TargetKind;
use tidegate_core::sighting::Controller;

use crate::output::Desk;
use crate::{Error, Session};

/// What AWS has, by account and region, and what the services run with, by the role that reaches them.
#[derive(Debug, Default)]
pub(crate) struct Look {
    pub(crate) live: BTreeMap<Registry, Live>,
    pub(crate) running: BTreeMap<Option<Role>, Running>,
}

/// Looks at every place that `pipelines` name.
pub(crate) async fn look(
    session: &Session,
    desk: &mut Desk<'_>,
    pipelines: &[PipelineConfig],
) -> Result<Look, Error> {
    let reach = session.reach().await?;
    let mut registries: BTreeMap<Option<Role>, Images> = BTreeMap::new();
    let mut found = Look::default();
    let mut unseen = BTreeSet::new();
    // Homes first: to a pipeline of another account that only pulls from there, a home shows its
    // repositories, and to its own its clusters too.
    let homes = pipelines.iter().map(|pipeline| (pipeline, home_of(pipeline)));
    let others = pipelines.iter().flat_map(|pipeline| {
        pipeline.images.values().map(move |image| (pipeline, image.registry.clone()))
    });
    for (pipeline, place) in homes.chain(others) {
        // As somebody else, it may be shown after all.
        let asked = (place.clone(), pipeline.role.clone());
        if found.live.contains_key(&place) || unseen.contains(&asked) {
            continue;
        }
        let home = home_of(pipeline);
        match list(reach, &place, &home, pipeline.role.as_ref()).await {
            Ok(live) => {
                found.live.insert(place, live);
            }
            // Another account's registry often lets one pull, but not list.
            Err(Error::Aws(refusal))
                if place.account != home.account && refusal.kind == RefusalKind::AccessDenied =>
            {
                desk.talk(&refusal);
                unseen.insert(asked);
            }
            Err(error) => return Err(error),
        }
    }
    for pipeline in pipelines {
        let (home, role) = (home_of(pipeline), pipeline.role.as_ref());
        let images = registries.entry(role.cloned()).or_insert_with(|| Images::new(reach, role));
        services(session, pipeline, &home, &mut found).await?;
        other_targets(session, pipeline, &home, &mut found).await?;
        alarms(session, desk, pipeline, &home, &mut found).await?;
        for image in pipeline.images.values() {
            let Some(live) = found.live.get_mut(&image.registry) else { continue };
            let Some(tags) = live.repositories.get_mut(&image.repository) else { continue };
            let tagged = images.tagged(&Repository::of_config(image)).await?;
            tags.extend(tagged.into_iter().flat_map(|image| image.tags));
        }
    }
    Ok(found)
}

/// Where a pipeline's targets are.
fn home_of(pipeline: &PipelineConfig) -> Registry {
    Registry { account: pipeline.account.clone(), region: pipeline.region.clone() }
}

/// The names of everything in one place. Another account's clusters are nobody's business.
async fn list(
    reach: &Reach,
    place: &Registry,
    home: &Registry,
    role: Option<&Role>,
) -> Result<Live, Error> {
    let role = Role::for_registry(role, &place.account);
    let inventory = Inventory::new(&reach.at(&place.region, role), &place.region);
    let clusters =
        if place.account == home.account { inventory.clusters().await? } else { BTreeSet::new() };
    let repositories = inventory.repositories(&place.account).await?;
    let repositories = repositories.into_iter().map(|name| (name, BTreeSet::new())).collect();
    Ok(Live { clusters, repositories, ..Live::default() })
}

/// The services of a pipeline's cluster; containers only of those that the pipeline names.
async fn services(
    session: &Session,
    pipeline: &PipelineConfig,
    home: &Registry,
    found: &mut Look,
) -> Result<(), Error> {
    let Look { live, running } = found;
    let Some(live) = live.get_mut(home).filter(|live| live.clusters.contains(&pipeline.cluster))
    else {
        return Ok(());
    };
    let running = running.entry(pipeline.role.clone()).or_default();
    let sdk = session.reach().await?.at(&pipeline.region, pipeline.role.as_ref());
    let ecs = Ecs::new(&sdk, session.clock()?);
    let names = Inventory::new(&sdk, &pipeline.region).services(&pipeline.cluster).await?;
    let names: Vec<String> = names.into_iter().collect();
    let seen = ecs.describe(&pipeline.cluster, &names).await?;
    let services = live.services.entry(pipeline.cluster.clone()).or_default();
    for (name, seen) in seen.into_iter().filter_map(|(name, seen)| Some((name, seen?))) {
        let service = services.entry(name.clone()).or_insert_with(|| LiveService {
            controller: seen.sighting.controller,
            daemon: seen.sighting.daemon,
            containers: BTreeMap::new(),
        });
        if pipeline.target(&pipeline.service_id(&name)).is_none() {
            continue;
        }
        let definition = ecs.task_definition(&seen.task_definition).await?;
        let pair = |NamedImage { container, image }| (container, image);
        service.containers = images(&definition.json).into_iter().map(pair).collect();
        runs_with(running, definition);
    }
    for task in &pipeline.pre_deploy {
        match ecs.task_definition(&task.task_definition).await {
            Ok(definition) => {
                let named = images(&definition.json).into_iter().map(|image| image.container);
                live.tasks.insert(task.task_definition.clone(), named.collect());
                runs_with(running, definition);
            }
            Err(refusal) if refusal.is_not_found() => {}
            Err(refusal) => return Err(refusal.into()),
        }
    }
    Ok(())
}

/// The schedules, rules and container services that a pipeline names.
async fn other_targets(
    session: &Session,
    pipeline: &PipelineConfig,
    home: &Registry,
    found: &mut Look,
) -> Result<(), Error> {
    let Look { live, running } = found;
    let Some(live) = live.get_mut(home) else { return Ok(()) };
    let running = running.entry(pipeline.role.clone()).or_default();
    let sdk = session.reach().await?.at(&pipeline.region, pipeline.role.as_ref());
    let targets = Targets::new(&sdk, session.clock()?);
    let named = pipeline.waves.iter().flatten().map(|target| &target.name);
    let named = named.map(|name| (pipeline.target_id(name), name));
    let others: BTreeMap<_, _> = named.filter(|(id, _)| id.kind != TargetKind::Service).collect();
    for (id, seen) in targets.look(others.keys()).await {
        let Some(seen) = seen? else { continue };
        let containers = if let Some(definition) = seen.definition {
            images(&definition.json)
        } else {
            let definition = targets.ecs.task_definition(&seen.task_definition).await?;
            let named = images(&definition.json);
            runs_with(running, definition);
            named
        };
        let pair = |NamedImage { container, image }| (container, image);
        let service = LiveService {
            controller: Controller::Ecs,
            daemon: false,
            containers: containers.into_iter().map(pair).collect(),
        };
        live.others.insert(others[&id].clone(), service);
        if id.kind == TargetKind::Lightsail {
            running.lightsail.extend(seen.holder);
        } else {
            running.schedule_roles.extend(seen.holder);
            running.schedule_clusters.extend(seen.cluster);
        }
    }
    Ok(())
}

/// Which alarms of a pipeline are missing. Who may not ask is told so, and finds none missing.
async fn alarms(
    session: &Session,
    desk: &mut Desk<'_>,
    pipeline: &PipelineConfig,
    home: &Registry,
    found: &mut Look,
) -> Result<(), Error> {
    let named: Vec<String> = pipeline.alarms().map(str::to_owned).collect();
    let Some(live) = found.live.get_mut(home).filter(|_| !named.is_empty()) else { return Ok(()) };
    let sdk = session.reach().await?.at(&pipeline.region, pipeline.role.as_ref());
    match Alarms::new(&sdk).states(&named).await {
        Ok(states) => {
            let missing = |heard: &Heard| matches!(heard, Heard::Unasked(_));
            let missing = states.into_iter().filter(|(_, heard)| missing(heard));
            live.no_alarms.extend(missing.map(|(name, _)| name));
            Ok(())
        }
        Err(refusal) if refusal.kind == RefusalKind::AccessDenied => {
            desk.talk(&refusal);
            Ok(())
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn runs_with(running: &mut Running, definition: RawTaskDefinition) {
    let roles = ["taskRoleArn", "executionRoleArn"].map(|role| definition.json[role].as_str());
    running.roles.extend(roles.into_iter().flatten().map(str::to_owned));
    running.task_definitions.insert(definition.arn);
}
