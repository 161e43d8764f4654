//! Lightsail container services: a deployment states every container, is tried, and takes over or fails.
//!
//! Documented: one deployment at a time; a failed one leaves the one before it active; deployments are
//! numbered. That `@sha256:…` is taken is not documented, so it is refused here.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tidegate_core::definition::repository_of;

use crate::api::{ApiError, Input, Place, epoch, present};
use crate::ecr::{Behaviour, Ecr};

/// Lightsail makes its network and starts the containers for about that long before it checks them.
const TRIED: Duration = Duration::from_secs(90);

/// As many deployments as are shown.
const KEPT: usize = 50;

/// Container services of one place.
#[derive(Debug)]
pub struct Lightsail {
    place: Place,
    services: BTreeMap<String, Service>,
}

#[derive(Debug)]
struct Service {
    scale: u32,
    created: Timestamp,
    /// Newest last.
    deployments: Vec<Deployment>,
    /// When the one on its way is judged.
    due: Option<Timestamp>,
}

#[derive(Debug)]
struct Deployment {
    version: u64,
    state: &'static str,
    containers: Map<String, Value>,
    endpoint: Value,
    created: Timestamp,
    /// Since when it is active.
    active: Option<Timestamp>,
    /// Container → the image that was pulled for it, by its digest, from when it is active on: a tag that
    /// is moved afterwards changes nothing that runs.
    pulled: BTreeMap<String, String>,
}

impl Deployment {
    fn view(&self) -> Value {
        present(json!({
            "version": self.version,
            "state": self.state,
            "containers": self.containers,
            "publicEndpoint": self.endpoint,
            "createdAt": epoch(self.created),
        }))
    }

    fn pull(&mut self, ecr: &Ecr) {
        let pulled = self.containers.iter().filter_map(|(name, container)| {
            let image = container["image"].as_str()?;
            let repository = repository_of(image);
            Some((name.clone(), format!("{repository}@{}", ecr.pull(image)?.digest)))
        });
        self.pulled = pulled.collect();
    }

    fn images(&self) -> impl Iterator<Item = &str> {
        self.containers.values().filter_map(|container| container["image"].as_str())
    }
}

impl Service {
    fn in_state(&self, state: &str) -> Option<&Deployment> {
        self.deployments.iter().rev().find(|deployment| deployment.state == state)
    }
}

impl Lightsail {
    /// No container service yet.
    pub fn new(place: Place) -> Self {
        Self { place, services: BTreeMap::new() }
    }

    /// A container service that has run these containers for a while.
    pub fn seed(
        &mut self,
        name: &str,
        containers: Map<String, Value>,
        endpoint: Value,
        now: Timestamp,
    ) {
        let state = "ACTIVE";
        let deployment = Deployment {
            version: 1,
            state,
            containers,
            endpoint,
            created: now,
            active: Some(now),
            pulled: BTreeMap::new(),
        };
        let service = Service { scale: 1, created: now, deployments: vec![deployment], due: None };
        self.services.insert(name.to_owned(), service);
    }

    /// Answers a call.
    pub fn call(
        &mut self,
        action: &str,
        input: &Value,
        now: Timestamp,
        ecr: &Ecr,
    ) -> Result<Value, ApiError> {
        self.advance(now, ecr);
        let input = Input(input);
        match action {
            "GetContainerServices" => {
                input.only(action, &["serviceName"])?;
                let services: Vec<_> = match input.text("serviceName") {
                    Some(name) => vec![self.view(name, self.service(name)?)],
                    None => self.services.iter().map(|(name, it)| self.view(name, it)).collect(),
                };
                Ok(json!({ "containerServices": services }))
            }
            "GetContainerServiceDeployments" => {
                input.only(action, &["serviceName"])?;
                let service = self.service(input.need("serviceName")?)?;
                let shown = service.deployments.iter().rev().take(KEPT);
                Ok(json!({ "deployments": shown.map(Deployment::view).collect::<Vec<_>>() }))
            }
            "CreateContainerServiceDeployment" => self.create(input, now),
            _ => Err(ApiError::unknown_action("Lightsail", action)),
        }
    }

    fn service(&self, name: &str) -> Result<&Service, ApiError> {
        self.services.get(name).ok_or_else(|| {
            let message = format!("The container service {name} does not exist");
            ApiError { status: 404, ..ApiError::refused("NotFoundException", message) }
        })
    }

    fn create(&mut self, input: Input<'_>, now: Timestamp) -> Result<Value, ApiError> {
        const ACTION: &str = "CreateContainerServiceDeployment";
        let refuse = |why: String| Err(ApiError::refused("InvalidInputException", why));
        input.only(ACTION, &["containers", "publicEndpoint", "serviceName"])?;
        let name = input.need("serviceName")?;
        if self.service(name)?.due.is_some() {
            return refuse(format!("{name} has a deployment in progress"));
        }
        let containers = input.0["containers"].as_object().cloned().unwrap_or_default();
        if containers.is_empty() {
            return refuse("a deployment needs a container".to_owned());
        }
        for (container, stated) in &containers {
            match stated["image"].as_str() {
                None => return refuse(format!("container {container} has no image")),
                Some(image) if image.contains('@') => {
                    return refuse(format!(
                        "the local AWS does not take {image}: a tag is documented"
                    ));
                }
                Some(_) => {}
            }
        }
        let endpoint = input.0.get("publicEndpoint").cloned().unwrap_or(Value::Null);
        if let Some(container) = endpoint["containerName"].as_str()
            && !containers.contains_key(container)
        {
            return refuse(format!("the public endpoint's container {container} is not stated"));
        }
        let Some(service) = self.services.get_mut(name) else { return Ok(Value::Null) };
        let version = service.deployments.last().map_or(0, |last| last.version) + 1;
        let state = "ACTIVATING";
        let pulled = BTreeMap::new();
        let made =
            Deployment { version, state, containers, endpoint, created: now, active: None, pulled };
        service.deployments.push(made);
        service.due = Some(now + TRIED);
        Ok(json!({ "containerService": self.view(name, self.service(name)?) }))
    }

    fn view(&self, name: &str, service: &Service) -> Value {
        let failed = service.deployments.last().filter(|last| last.state == "FAILED");
        let (state, detail) = match (service.due, failed) {
            (Some(_), _) => ("DEPLOYING", json!({ "code": "EVALUATING_HEALTH_CHECK" })),
            (None, Some(_)) => (
                "RUNNING",
                json!({ "code": "UNKNOWN_ERROR",
                "message": "the deployment did not become healthy" }),
            ),
            (None, None) => ("RUNNING", Value::Null),
        };
        present(json!({
            "containerServiceName": name,
            "arn": self.place.container_service(name),
            "createdAt": epoch(service.created),
            "location": { "availabilityZone": "all", "regionName": self.place.region },
            "resourceType": "ContainerService",
            "power": "nano",
            "powerId": "nano-1",
            "scale": service.scale,
            "isDisabled": false,
            "privateDomainName": format!("{name}.service.local"),
            "state": state,
            "stateDetail": detail,
            "currentDeployment": service.in_state("ACTIVE").map(Deployment::view),
            "nextDeployment": service.in_state("ACTIVATING").map(Deployment::view),
        }))
    }

    /// The deployment that a container service runs, for who must know the truth.
    pub fn active(&self, name: &str) -> Option<Value> {
        Some(self.services.get(name)?.in_state("ACTIVE")?.view())
    }

    /// What its containers run, by name: the digest that was pulled.
    pub fn running(&self, name: &str) -> Vec<(String, String)> {
        let active = self.services.get(name).and_then(|service| service.in_state("ACTIVE"));
        let pulled = active.into_iter().flat_map(|active| &active.pulled);
        let digest = |image: &str| Some(image.split_once('@')?.1.to_owned());
        pulled.filter_map(|(name, image)| Some((name.clone(), digest(image)?))).collect()
    }

    /// When the next deployment is judged.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.services.values().filter_map(|service| service.due).min()
    }

    /// Judges the deployments whose time has come.
    pub fn advance(&mut self, now: Timestamp, ecr: &Ecr) {
        for service in self.services.values_mut() {
            let active = service.deployments.iter_mut().filter(|it| it.state == "ACTIVE");
            // What was there from the beginning.
            active.filter(|it| it.pulled.is_empty()).for_each(|it| it.pull(ecr));
            let Some(due) = service.due.filter(|due| *due <= now) else { continue };
            service.due = None;
            let Some(tried) = service.deployments.last() else { continue };
            let holds = tried.images().all(|image| starts(image, ecr));
            if holds {
                for active in service.deployments.iter_mut().filter(|it| it.state == "ACTIVE") {
                    active.state = "INACTIVE";
                }
            }
            if let Some(tried) = service.deployments.last_mut() {
                tried.state = if holds { "ACTIVE" } else { "FAILED" };
                tried.active = holds.then_some(due);
                tried.pull(ecr);
            }
        }
    }

    /// The status of a wrong answer of the public endpoint; `None` where it answers well.
    pub fn answers_wrongly(
        &self,
        name: &str,
        path: &str,
        ecr: &Ecr,
        now: Timestamp,
    ) -> Option<u16> {
        let active = self.services.get(name)?.in_state("ACTIVE")?;
        let serving = active.pulled.values().filter_map(|image| ecr.pull(image)?.serving);
        serving
            .filter(|serving| {
                let until = active.active.zip(serving.first).map(|(at, first)| at + first);
                serving.path.as_deref().is_none_or(|own| own == path)
                    && until.is_none_or(|until| now < until)
            })
            .map(|serving| serving.status)
            .next()
    }
}

/// Whether a container of this image stands its trial.
fn starts(image: &str, ecr: &Ecr) -> bool {
    ecr.pull(image).is_some_and(|bytes| match bytes.behaviour {
        Behaviour::Healthy | Behaviour::Slow(_) | Behaviour::OneOff(_) | Behaviour::ExitLoop => {
            true
        }
        Behaviour::CrashAfter(after) => after > TRIED,
        Behaviour::Crash | Behaviour::Unhealthy | Behaviour::Exit(_) | Behaviour::NoPull => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (Lightsail, Ecr) {
        let place = Place::new("123456789012", "us-east-1");
        let mut ecr = Ecr::new(place.clone(), 7);
        for (tag, behaviour) in [("good", "healthy"), ("bad", "crash")] {
            ecr.seed_image("web", tag, behaviour, Timestamp::UNIX_EPOCH).unwrap();
        }
        let mut lightsail = Lightsail::new(place);
        let containers = containers("redis:7");
        lightsail.seed("apps", containers, Value::Null, Timestamp::UNIX_EPOCH);
        (lightsail, ecr)
    }

    fn containers(image: &str) -> Map<String, Value> {
        Map::from_iter([("web".to_owned(), json!({ "image": image }))])
    }

    fn states(lightsail: &mut Lightsail, ecr: &Ecr, now: Timestamp) -> Vec<String> {
        let asked = json!({ "serviceName": "apps" });
        let answer = lightsail.call("GetContainerServiceDeployments", &asked, now, ecr).unwrap();
        let all = answer["deployments"].as_array().unwrap().iter();
        all.map(|it| it["state"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_failed_deployment_leaves_the_one_before_it() {
        let (mut lightsail, ecr) = world();
        let start = Timestamp::UNIX_EPOCH;
        let deploy = |lightsail: &mut Lightsail, tag: &str, now| {
            let image = format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/web:{tag}");
            let input = json!({ "serviceName": "apps", "containers": containers(&image) });
            lightsail.call("CreateContainerServiceDeployment", &input, now, &ecr)
        };
        deploy(&mut lightsail, "bad", start).unwrap();
        let refused = deploy(&mut lightsail, "good", start).unwrap_err();
        assert_eq!(refused.code, "InvalidInputException", "one at a time");
        let judged = lightsail.next_due().unwrap();
        assert_eq!(states(&mut lightsail, &ecr, judged), ["FAILED", "ACTIVE"]);
        deploy(&mut lightsail, "good", judged).unwrap();
        let judged = lightsail.next_due().unwrap();
        assert_eq!(states(&mut lightsail, &ecr, judged), ["ACTIVE", "FAILED", "INACTIVE"]);
    }

    #[test]
    fn it_is_shown_as_its_owner_sees_it() {
        let (mut lightsail, ecr) = world();
        let answer = lightsail
            .call("GetContainerServices", &json!({}), Timestamp::UNIX_EPOCH, &ecr)
            .unwrap();
        let shown = &answer["containerServices"][0];
        assert_eq!(shown["location"]["regionName"], "us-east-1");
        assert_eq!(shown["isDisabled"], false);
        // It has none: AWS leaves out what is not there.
        assert!(shown["currentDeployment"].get("publicEndpoint").is_none(), "{shown}");
    }

    #[test]
    fn what_is_not_documented_is_not_taken() {
        let (mut lightsail, ecr) = world();
        let pinned = containers(&format!("web@sha256:{}", "a".repeat(64)));
        let input = json!({ "serviceName": "apps", "containers": pinned });
        let action = "CreateContainerServiceDeployment";
        let refused = lightsail.call(action, &input, Timestamp::UNIX_EPOCH, &ecr).unwrap_err();
        assert!(refused.message.contains("@sha256:"), "{refused}");
    }
}
