//! The look at an environment: everything that `tidegate verify` tells of. Reads, and nothing else.
//!
//! What AWS refuses to show is a fact of its own; it never ends the look at the rest.

mod around;
mod images;
mod services;
mod stack;

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::config::{Check, PipelineConfig, Registry as Place, Role, Running};
use tidegate_core::decide::checks::Heard;
use tidegate_core::model::{Scene, TargetKind};
use tidegate_core::verify::{Answered, Facts, Hidden, Needs, Shown, To, demands};

use crate::role::ASSUME_ROLE;
use crate::{App, Error, Refusal, RefusalKind};
use services::Fleet;
use stack::Found;

/// Looks at the environment of the pipeline in `scene`, whose installation is the stack of this name
/// in `home`.
///
/// An error only where Tidegate's own table cannot be read.
pub async fn look(app: &App, scene: &Scene, home: &Place, stack: &str) -> Result<Facts, Error> {
    let config = &scene.config;
    let targets: Vec<_> = config.target_waves().into_iter().flatten().collect();
    let slots = app.table.slots(&targets).await?;
    let fleet = services::look(app, scene, &slots).await;
    let needs = needs(&fleet);
    let around = around::look(app, config, &needs).await;
    let (images, policies) = images::look(app, scene, &slots, &fleet).await;
    let found = stack::look(app, home, stack).await;
    let permissions = permissions(app, config, &fleet, &needs, &found).await;
    let mut clusters: BTreeSet<String> =
        fleet.named.values().filter_map(|named| named.cluster.clone()).collect();
    clusters.extend((!config.cluster.is_empty()).then(|| config.cluster_arn()));
    Ok(Facts {
        at: app.clock.now(),
        target_groups: target_groups(app, config, &fleet).await,
        checks: checks(app, config).await,
        needs,
        logs: around.logs,
        secrets: around.secrets,
        parameters: around.parameters,
        roles: around.roles,
        images,
        policies,
        table: app.table.name().to_owned(),
        stack: stack.to_owned(),
        installation: found.installation,
        permissions,
        services: fleet.services,
        clusters,
        others: fleet.others,
        drift: fleet.drift,
        tasks: fleet.tasks,
    })
}

/// What one answer means as a fact; asked as `role`, or without one as whoever types.
fn shown<T>(answer: Result<T, Refusal>, role: Option<&Role>) -> Shown<T> {
    match answer {
        Ok(found) => Shown::There(found),
        Err(refusal) if refusal.is_not_found() => Shown::Missing,
        Err(refusal) => Shown::Hidden(hidden(refusal, role)),
    }
}

fn hidden(refusal: Refusal, role: Option<&Role>) -> Hidden {
    let Refusal { action, resource, kind, message, after_silence: _ } = refusal;
    // To take a role on is asked as whoever types.
    let role = role.filter(|_| action != ASSUME_ROLE);
    let to = match (kind, role) {
        (RefusalKind::AccessDenied, Some(role)) => To::Role(role.arn.clone()),
        (RefusalKind::AccessDenied, None) => To::You,
        _ => To::All,
    };
    Hidden { action: action.to_owned(), resource, words: message, to }
}

/// What the task definitions of services and one-off tasks name around them.
fn needs(fleet: &Fleet) -> Needs {
    let mut needs = Needs::default();
    for (target, definition) in &fleet.definitions {
        needs.add(target, &definition.json);
    }
    needs
}

async fn target_groups(
    app: &App,
    config: &PipelineConfig,
    fleet: &Fleet,
) -> BTreeMap<String, Shown<Vec<tidegate_core::verify::Health>>> {
    let groups: BTreeSet<_> =
        fleet.sightings().flat_map(|(_, sighting)| sighting.target_groups.clone()).collect();
    let elb = app.elb(&config.region, config.role.as_ref());
    let mut found = BTreeMap::new();
    for group in groups {
        let health = shown(elb.health(&group).await, config.role.as_ref());
        found.insert(group, health);
    }
    found
}

/// The answers to the config's checks, in its order: each URL once, all alarms at once.
async fn checks(app: &App, config: &PipelineConfig) -> Vec<Shown<Heard>> {
    let names: Vec<_> = config.alarms().map(str::to_owned).collect();
    let role = config.role.as_ref();
    let alarms = shown(app.alarms(&config.region, role).states(&names).await, role);
    let mut heard = Vec::new();
    for check in &config.checks {
        heard.push(match (check, &alarms) {
            (Check::Http(check), _) => Shown::There(app.probe.ask(check).await),
            (Check::Alarm { name }, Shown::There(states)) => {
                states.get(name).cloned().map_or(Shown::Missing, Shown::There)
            }
            (Check::Alarm { .. }, Shown::Hidden(hidden)) => Shown::Hidden(hidden.clone()),
            (Check::Alarm { .. }, Shown::Missing) => Shown::Missing,
        });
    }
    heard
}

/// What the functions' roles are asked, each with what they refuse.
async fn permissions(
    app: &App,
    config: &PipelineConfig,
    fleet: &Fleet,
    needs: &Needs,
    found: &Found,
) -> Answered {
    let on_ecs = fleet.definitions.iter().filter(|(id, _)| id.kind != TargetKind::Lightsail);
    let running = Running {
        task_definitions: on_ecs.map(|(_, definition)| definition.arn.clone()).collect(),
        roles: needs.roles.keys().cloned().collect(),
        ..Running::default()
    };
    let mut answered = Answered::new();
    for demand in demands(config, &running, &fleet.named) {
        let Some(role) = found.role(demand.program) else { continue };
        let denied = stack::denied(&app.sdk, &role, &demand).await;
        answered.push((demand, shown(denied, None)));
    }
    answered
}
