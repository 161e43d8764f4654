//! What pipelines name elsewhere: the places, the roles that lead there, and the events sent home.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::config::{Parameters, PipelineConfig, Role};

use crate::api::Place;
use crate::call::Caller;
use crate::cloud::{Cloud, CloudError};
use crate::seed;
use crate::template::Template;

/// The account that a laptop plays.
pub const ACCOUNT: &str = "123456789012";
/// The region of everything that a config does not place.
pub const REGION: &str = "us-west-2";

/// The template of a role in another account.
pub const TARGET_ROLE: &str = include_str!("../../target-role.yaml");
/// The template that sends events home.
pub const REGIONAL: &str = include_str!("../../regional.yaml");

/// Where the installation stands: where the cluster of the first pipeline is that needs no role.
pub fn home_of(pipelines: &[PipelineConfig]) -> Place {
    let own = pipelines.iter().find(|pipeline| pipeline.role.is_none());
    Place::new(ACCOUNT, own.map_or(REGION, |pipeline| &pipeline.region))
}

/// Makes the places that `pipelines` name, with `target-role.yaml` and `regional.yaml` deployed in them.
pub fn open(cloud: &mut Cloud, pipelines: &[PipelineConfig]) -> Result<(), CloudError> {
    for place in all(pipelines) {
        cloud.open(&place);
        let clusters = clusters(pipelines, &place).into_iter().collect::<Vec<_>>().join(",");
        let bus = cloud.place.arn("events", "event-bus/default");
        let parameters = [("BusArn", bus), ("ClusterArns", clusters)];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value));
        let stack = Template::parse(REGIONAL)?.deploy(&parameters.into(), &place)?;
        cloud.forward(&stack)?;
    }
    let roles: BTreeSet<&Role> = pipelines.iter().filter_map(|it| it.role.as_ref()).collect();
    for role in roles {
        // This template makes no role that asks for nothing: one without an id is never given.
        let asks = role.external_id.as_deref().unwrap_or_default();
        trust(cloud, pipelines, role, asks)?;
    }
    Ok(())
}

/// Deploys `target-role.yaml` for a role of `pipelines`, which asks for this external id.
pub fn trust(
    cloud: &mut Cloud,
    pipelines: &[PipelineConfig],
    role: &Role,
    asks: &str,
) -> Result<(), CloudError> {
    let mut parameters = seed::parameters_of(pipelines, Some(role));
    // It takes on no role itself.
    for name in Parameters::OPTIONAL {
        parameters.remove(name);
    }
    let mut trusted = cloud.role_arns();
    trusted.push(Caller::Operator.arn(&cloud.place));
    let name = role.arn.rsplit('/').next().unwrap_or_default();
    let more = [("RoleName", name), ("TrustedArns", &trusted.join(",")), ("ExternalId", asks)];
    parameters.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let place = Place::new(role.account(), REGION);
    cloud.trust(&Template::parse(TARGET_ROLE)?.deploy(&parameters, &place)?)
}

/// The values of `template.yaml`'s parameters: the functions' own, and who sends events home.
pub fn parameters(pipelines: &[PipelineConfig]) -> BTreeMap<String, String> {
    let accounts: BTreeSet<String> = all(pipelines).into_iter().map(|it| it.account).collect();
    let others: Vec<String> = accounts.into_iter().filter(|account| account != ACCOUNT).collect();
    let mut parameters = seed::parameters_of(pipelines, None);
    parameters.insert("ForwardingAccounts".to_owned(), others.join(","));
    parameters
}

/// Every place that is named, home among them.
fn all(pipelines: &[PipelineConfig]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for pipeline in pipelines {
        let images = pipeline.images.values().map(|image| &image.registry);
        let images = images.map(|at| Place::new(&at.account, &at.region));
        for place in std::iter::once(Place::of(pipeline)).chain(images) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

fn clusters(pipelines: &[PipelineConfig], place: &Place) -> BTreeSet<String> {
    let on_ecs = pipelines.iter().filter(|pipeline| !pipeline.cluster.is_empty());
    let here = on_ecs.filter(|pipeline| Place::of(pipeline) == *place);
    here.map(|it| place.arn("ecs", &format!("cluster/{}", it.cluster))).collect()
}
