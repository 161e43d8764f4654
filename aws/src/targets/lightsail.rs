//! Lightsail container services: what their deployments run, and stating one anew with other images.
//!
//! A deployment states every container whole, with its environment, which often holds secrets: it is
//! read and written back, and never kept, logged or told. What remains of it here are the images.

use std::collections::BTreeMap;

use aws_types::SdkConfig;
use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_core::definition::lightsail::{identity, named_by};
use tidegate_core::model::Pin;
use tidegate_core::sighting::{Deployment, RolloutState, Sighting};

use crate::ecs::{RawTaskDefinition, Seen};
use crate::json::JsonService;
use crate::moment::of_json;
use crate::{Clock, Refusal};

pub(super) const CREATE: &str = "lightsail:CreateContainerServiceDeployment";
const DEPLOYMENTS: &str = "lightsail:GetContainerServiceDeployments";

/// Lightsail of one region.
#[derive(Debug, Clone)]
pub(super) struct Lightsail {
    service: JsonService,
    clock: Clock,
}

impl Lightsail {
    pub(super) fn new(config: &SdkConfig, clock: &Clock) -> Self {
        let (config, target) = (config.clone(), "Lightsail_20161128");
        let service = JsonService { config, name: "lightsail", target, version: "1.1" };
        Self { service, clock: clock.clone() }
    }

    /// A look, in the words of an ECS service: a deployment that is on its way is primary, and one that
    /// failed is not, because the one before it goes on.
    pub(super) async fn look(&self, name: &str) -> Result<Option<Seen>, Refusal> {
        let Some(service) = self.service_of(name).await? else { return Ok(None) };
        let scale =
            service["scale"].as_u64().and_then(|scale| u32::try_from(scale).ok()).unwrap_or(1);
        let all = self.deployments(name).await?;
        let newest = all.first();
        let in_flight = newest.is_some_and(|newest| newest["state"] == "ACTIVATING");
        let deployments = all.iter().filter_map(|stated| {
            let (state, is_newest) = (stated["state"].as_str()?, newest == Some(stated));
            let (primary, rollout) = match state {
                "ACTIVATING" => (true, RolloutState::InProgress),
                "ACTIVE" => (!in_flight, RolloutState::Completed),
                // An older failure says nothing of what runs.
                "FAILED" if is_newest => (false, RolloutState::Failed),
                _ => return None,
            };
            let running = if state == "ACTIVE" { scale } else { 0 };
            Some(Deployment {
                id: format!("{name} version {}", version(stated)),
                primary,
                revision: identity(name, &images(stated)),
                rollout: Some(rollout),
                reason: if state == "FAILED" { reason(&service) } else { String::new() },
                failed_tasks: 0,
                desired: scale,
                running,
                pending: 0,
                created_at: moment(stated),
            })
        });
        let mut sighting = Sighting::of(self.clock.now(), deployments.collect());
        (sighting.desired, sighting.running) = (scale, scale);
        if !["READY", "RUNNING"].contains(&state(&service)) {
            // Between two deployments, or when it is disabled, it takes none.
            for deployment in &mut sighting.deployments {
                if deployment.primary && deployment.rollout == Some(RolloutState::Completed) {
                    deployment.rollout = Some(RolloutState::InProgress);
                    deployment.reason = format!("the container service is {}", state(&service));
                }
            }
        }
        let active = all.iter().find(|stated| stated["state"] == "ACTIVE");
        let images = active.map(images).unwrap_or_default();
        let definition = definition(name, &images);
        let task_definition = definition.arn.clone();
        Ok(Some(Seen {
            sighting,
            task_definition,
            definition: Some(definition),
            holder: service["arn"].as_str().map(str::to_owned),
            ..Seen::default()
        }))
    }

    /// States what runs now once more, with these images; returns the new deployment's version.
    ///
    /// What would come of it must be `revision`: where somebody else changed an image meanwhile it is not,
    /// and nothing is sent.
    pub(super) async fn bring(
        &self,
        name: &str,
        revision: &str,
        pins: &[Pin],
    ) -> Result<String, Refusal> {
        let all = self.deployments(name).await?;
        let Some(active) = all.iter().find(|stated| stated["state"] == "ACTIVE") else {
            let words = "the container service has no active deployment to state anew";
            return Err(Refusal::unfit(CREATE, name, words));
        };
        let mut containers = active["containers"].clone();
        for pin in pins {
            if let Some(container) = containers.get_mut(&pin.container) {
                container["image"] = json!(named_by(pin));
            }
        }
        let mut input = json!({ "serviceName": name, "containers": containers });
        if identity(name, &images(&input)) != revision {
            let words = "another image changed there since the survey; nothing was sent";
            return Err(Refusal::unfit(CREATE, name, words));
        }
        if let Some(endpoint) = active.get("publicEndpoint").filter(|it| !it.is_null()) {
            input["publicEndpoint"] = endpoint.clone();
        }
        match self.service.call(CREATE, name, &input).await {
            Ok(answer) => {
                let next = &answer["containerService"]["nextDeployment"];
                Ok(format!("{name} version {}", version(next)))
            }
            // It takes none while one is on its way, and has no code of its own for that.
            Err(refusal) if refusal.is_final() && self.is_busy(name).await? => {
                Err(refusal.into_throttle())
            }
            Err(refusal) => Err(refusal),
        }
    }

    async fn is_busy(&self, name: &str) -> Result<bool, Refusal> {
        let service = self.service_of(name).await?;
        Ok(service
            .is_some_and(|service| ["DEPLOYING", "UPDATING", "PENDING"].contains(&state(&service))))
    }

    async fn service_of(&self, name: &str) -> Result<Option<Value>, Refusal> {
        const ACTION: &str = "lightsail:GetContainerServices";
        let asked = json!({ "serviceName": name });
        match self.service.call(ACTION, name, &asked).await {
            Ok(mut answer) => Ok(answer["containerServices"].get_mut(0).map(Value::take)),
            Err(refusal) if refusal.is_not_found() => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// All deployments that Lightsail still has, newest first: its own order is documented both ways.
    async fn deployments(&self, name: &str) -> Result<Vec<Value>, Refusal> {
        let asked = json!({ "serviceName": name });
        let mut answer = self.service.call(DEPLOYMENTS, name, &asked).await?;
        let mut all: Vec<Value> =
            answer["deployments"].as_array_mut().map(std::mem::take).unwrap_or_default();
        all.sort_unstable_by_key(|stated| std::cmp::Reverse(version(stated)));
        Ok(all)
    }
}

/// Container → image.
fn images(stated: &Value) -> BTreeMap<String, String> {
    let containers = stated["containers"].as_object().into_iter().flatten();
    containers
        .filter_map(|(name, container)| {
            Some((name.clone(), container["image"].as_str()?.to_owned()))
        })
        .collect()
}

fn version(stated: &Value) -> u64 {
    stated["version"].as_u64().unwrap_or_default()
}

fn state(service: &Value) -> &str {
    service["state"].as_str().unwrap_or("UNKNOWN")
}

fn reason(service: &Value) -> String {
    let detail = &service["stateDetail"];
    let text = |name: &str| detail[name].as_str().unwrap_or_default();
    let (code, words) = (text("code"), text("message"));
    [code, words].iter().filter(|it| !it.is_empty()).copied().collect::<Vec<_>>().join(": ")
}

fn moment(stated: &Value) -> Timestamp {
    of_json(&stated["createdAt"]).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What of a deployment may be kept: its containers and their images, in the form of a task definition.
fn definition(service: &str, images: &BTreeMap<String, String>) -> RawTaskDefinition {
    let containers: Vec<_> =
        images.iter().map(|(name, image)| json!({ "name": name, "image": image })).collect();
    RawTaskDefinition {
        arn: identity(service, images),
        family: service.to_owned(),
        status: "ACTIVE".to_owned(),
        json: json!({ "containerDefinitions": containers }),
        tags: Vec::new(),
    }
}
