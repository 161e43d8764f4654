//! Services: made, updated, listed.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Ecs;
use super::configuration::{Configuration, Strategy};
use super::deployments::{Deployment, WayBack};
use super::names::{ServiceName, short};
use crate::api::{ApiError, Input, present};
use crate::ecr::Ecr;

/// Members of `CreateService` that change nothing in the model and are shown as they were given.
const SHOWN_ONLY: [&str; 8] = [
    "networkConfiguration",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "propagateTags",
    "placementConstraints",
    "placementStrategy",
    "serviceRegistries",
    "availabilityZoneRebalancing",
];
/// Members of `CreateService` and `UpdateService` that mean something here.
const CREATED_WITH: [&str; 12] = [
    "cluster",
    "serviceName",
    "taskDefinition",
    "desiredCount",
    "launchType",
    "loadBalancers",
    "deploymentConfiguration",
    "schedulingStrategy",
    "deploymentController",
    "healthCheckGracePeriodSeconds",
    "tags",
    "clientToken",
];
const UPDATED_WITH: [&str; 7] = [
    "cluster",
    "service",
    "taskDefinition",
    "desiredCount",
    "forceNewDeployment",
    "deploymentConfiguration",
    "healthCheckGracePeriodSeconds",
];

/// A service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) desired: u32,
    /// `ECS`, `CODE_DEPLOY` or `EXTERNAL`.
    pub(super) controller: String,
    pub(super) scheduling: String,
    pub(super) configuration: Configuration,
    pub(super) load_balancers: Vec<Value>,
    pub(super) grace: Duration,
    pub(super) shown: Value,
    pub(super) tags: Vec<Value>,
    pub(super) created_at: Timestamp,
    /// Newest first: the first is PRIMARY.
    pub(super) deployments: Vec<Deployment>,
    /// What a rollback by ECS would return to; gone while one is on its way.
    pub(super) way_back: Option<WayBack>,
    /// The newest service deployment's ARN.
    pub(super) newest_change: Option<String>,
    pub(super) steady: bool,
    /// How many more tasks find no place.
    pub(super) placement_failures: u32,
    /// The last messages of the service, newest first.
    pub(super) messages: VecDeque<Value>,
    /// What `DescribeServices` could answer at each moment of the last seconds, newest last.
    pub(super) seen: VecDeque<(Timestamp, Value)>,
}

impl Service {
    pub(super) fn is_native(&self) -> bool {
        self.configuration.strategy() != Strategy::Rolling
    }

    pub(super) fn target_groups(&self) -> Vec<&str> {
        let groups = self.load_balancers.iter();
        groups.filter_map(|balancer| balancer.get("targetGroupArn")?.as_str()).collect()
    }

    /// The port that containers register with a target group.
    pub(super) fn port(&self, target_group: &str) -> i64 {
        let own = |balancer: &&Value| balancer["targetGroupArn"] == json!(target_group);
        let balancer = self.load_balancers.iter().find(own);
        balancer.and_then(|balancer| balancer["containerPort"].as_i64()).unwrap_or(80)
    }
}

impl Ecs {
    pub(super) fn create_service(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
        ecr: &Ecr,
    ) -> Result<Value, ApiError> {
        let known: Vec<&str> = CREATED_WITH.iter().chain(&SHOWN_ONLY).copied().collect();
        input.only("CreateService", &known)?;
        if input.text("launchType").is_some_and(|kind| kind != "FARGATE") {
            return Err(ApiError::refused(
                "InvalidParameterException",
                "the local AWS models launchType FARGATE only",
            ));
        }
        let cluster = self.cluster_named(input)?;
        let name = ServiceName::new(&cluster, input.need("serviceName")?);
        if self.services.contains_key(&name) {
            return Err(ApiError::refused(
                "InvalidParameterException",
                "Creation of service was not idempotent.",
            ));
        }
        let definition = self.definitions.usable(input.need("taskDefinition")?)?.arn.clone();
        let given = input.0.get("deploymentConfiguration").unwrap_or(&Value::Null);
        let controller = input.0.pointer("/deploymentController/type").and_then(Value::as_str);
        let mut shown = json!({});
        for member in SHOWN_ONLY {
            shown[member] = input.0.get(member).cloned().unwrap_or(Value::Null);
        }
        let service = Service {
            desired: wanted(input)?.unwrap_or(1),
            controller: controller.unwrap_or("ECS").to_owned(),
            scheduling: input.text("schedulingStrategy").unwrap_or("REPLICA").to_owned(),
            configuration: Configuration::default().updated(given)?,
            load_balancers: input.list("loadBalancers").to_vec(),
            grace: grace(input).unwrap_or_default(),
            shown: present(shown),
            tags: input.list("tags").to_vec(),
            created_at: now,
            deployments: Vec::new(),
            way_back: None,
            newest_change: None,
            steady: false,
            placement_failures: 0,
            messages: VecDeque::new(),
            seen: VecDeque::new(),
        };
        self.services.insert(name.clone(), service);
        self.deploy(&name, &definition, now, ecr);
        Ok(json!({ "service": self.service_view(&name) }))
    }

    pub(super) fn update_service(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
        ecr: &Ecr,
    ) -> Result<Value, ApiError> {
        input.only("UpdateService", &UPDATED_WITH)?;
        let cluster = self.cluster_named(input)?;
        let name = self
            .service_named(&cluster, input.need("service")?)
            .ok_or_else(|| ApiError::refused("ServiceNotFoundException", "Service not found."))?;
        let definition = match input.text("taskDefinition") {
            Some(reference) => Some(self.definitions.usable(reference)?.arn.clone()),
            None => None,
        };
        let desired = wanted(input)?;
        let force = input.flag("forceNewDeployment");
        let Some(service) = self.services.get_mut(&name) else {
            return Err(ApiError::refused("ServiceNotFoundException", "Service not found."));
        };
        if definition.is_some() || force {
            refuse_foreign_controller(&service.controller)?;
        }
        if let Some(given) = input.0.get("deploymentConfiguration") {
            service.configuration = service.configuration.updated(given)?;
        }
        service.grace = grace(input).unwrap_or(service.grace);
        service.desired = desired.unwrap_or(service.desired);
        let primary = service.deployments.first().map(|primary| primary.task_definition.clone());
        let changed = definition.is_some() && definition != primary;
        match definition.or(primary).filter(|_| changed || force) {
            Some(definition) => self.deploy(&name, &definition, now, ecr),
            None => self.reconcile(&name, now),
        }
        Ok(json!({ "service": self.service_view(&name) }))
    }

    pub(super) fn list_services(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let cluster = self.cluster_named(input)?;
        let own = self.services.keys().filter(|name| name.cluster == cluster);
        let all = own.map(|name| self.service_arn(name)).collect();
        // Ten a page unless asked for up to a hundred, as ECS does.
        let asked = input.number("maxResults").is_some();
        let (arns, next) = input.page(all, if asked { 100 } else { 10 })?;
        Ok(present(json!({ "serviceArns": arns, "nextToken": next })))
    }

    /// A line in the service's `events`, of which ECS keeps a hundred.
    pub(super) fn say(&mut self, name: &ServiceName, message: &str, at: Timestamp) {
        let id = crate::api::uuid(&mut self.dice);
        let Some(service) = self.services.get_mut(name) else { return };
        let message = format!("(service {}) {message}", short(&name.service));
        let created_at = crate::api::epoch(at);
        service
            .messages
            .push_front(json!({ "id": id, "createdAt": created_at, "message": message }));
        service.messages.truncate(100);
    }
}

fn wanted(input: Input<'_>) -> Result<Option<u32>, ApiError> {
    let Some(number) = input.number("desiredCount") else { return Ok(None) };
    u32::try_from(number).map(Some).map_err(|_| {
        ApiError::refused("InvalidParameterException", "desiredCount must not be negative")
    })
}

fn grace(input: Input<'_>) -> Option<Duration> {
    let seconds = input.number("healthCheckGracePeriodSeconds")?;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

fn refuse_foreign_controller(controller: &str) -> Result<(), ApiError> {
    let why = match controller {
        "CODE_DEPLOY" => {
            "Unable to update task definition on services with a CODE_DEPLOY deployment controller. \
             Use AWS CodeDeploy to trigger a new deployment."
        }
        "EXTERNAL" => {
            "Unable to update task definition on services with an EXTERNAL deployment controller. \
             Use CreateTaskSet."
        }
        _ => return Ok(()),
    };
    Err(ApiError::refused("InvalidParameterException", why))
}
