//! ECS on Fargate, with its dynamics: revisions, deployments, a scheduler, tasks that live and die, a
//! circuit breaker, native strategies. No clock and no wire: a model that is called and moved on.
//!
//! Reading order: what a task does (`tasks`, `life`, `one_off`), what the scheduler wants (`deployments`, `scheduler`,
//! `native`), what callers see (`describe_*`), what others do to it (`foreign`).
//!
//! Not modelled, and refused by name: lifecycle hooks, deployment alarms, task sets.

mod agenda;
mod clusters;
mod configuration;
mod deployments;
mod describe_deployments;
mod describe_services;
mod describe_tasks;
mod events;
mod foreign;
mod life;
mod names;
mod native;
mod one_off;
mod pace;
mod printed;
mod revisions;
mod scheduler;
mod seed;
mod service_deployments;
mod services;
mod serving;
mod switches;
mod targets;
mod task_definitions;
mod task_index;
mod tasks;
#[cfg(test)]
mod tests;
mod throttle;
mod truth;

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::Value;

use self::agenda::{Agenda, Due};
use self::clusters::Cluster;
use self::one_off::Runs;
use self::revisions::ServiceRevision;
use self::service_deployments::ServiceDeployment;
use self::services::Service;
use self::task_definitions::TaskDefinitions;
use self::task_index::Tasks;
use self::tasks::Task;
use self::throttle::Throttle;
use crate::api::{ApiError, BusEvent, Input, Place};
use crate::ecr::Ecr;

pub use self::names::ServiceName;
pub use self::seed::SeedService;
pub use self::switches::{RollbackShape, ShownDigest, Switches};
pub use self::targets::{Target, TargetState};
pub use self::truth::{OneOff, Primary};

/// ECS in one place.
#[derive(Debug)]
pub struct Ecs {
    place: Place,
    dice: Rng,
    /// What AWS leaves open.
    pub switches: Switches,
    /// How often `DescribeServices` showed what was no longer so.
    pub lagged: u64,
    throttle: Throttle,
    agenda: Agenda,
    bus: Vec<BusEvent>,
    clusters: BTreeMap<String, Cluster>,
    definitions: TaskDefinitions,
    services: BTreeMap<ServiceName, Service>,
    revisions: BTreeMap<String, ServiceRevision>,
    service_deployments: BTreeMap<String, ServiceDeployment>,
    tasks: Tasks,
    runs: Runs,
}

impl Ecs {
    /// An empty ECS; the same seed and the same calls give the same answers.
    pub fn new(place: Place, seed: u64) -> Self {
        let mut dice = Rng::with_seed(seed);
        let switches = Switches::drawn(&mut dice);
        Self {
            place,
            dice,
            switches,
            lagged: 0,
            throttle: Throttle::default(),
            agenda: Agenda::default(),
            bus: Vec::new(),
            clusters: BTreeMap::new(),
            definitions: TaskDefinitions::default(),
            services: BTreeMap::new(),
            revisions: BTreeMap::new(),
            service_deployments: BTreeMap::new(),
            tasks: Tasks::default(),
            runs: Runs::default(),
        }
    }

    /// Answers one call of the API.
    pub fn call(
        &mut self,
        action: &str,
        input: &Value,
        now: Timestamp,
        ecr: &Ecr,
    ) -> Result<Value, ApiError> {
        self.run(now, ecr);
        if self.switches.throttle {
            self.throttle.admit(action, now)?;
        }
        let input = Input(input);
        match action {
            "CreateCluster" => Ok(self.create_cluster(input)),
            "DescribeClusters" => Ok(self.describe_clusters(input)),
            "ListClusters" => self.list_clusters(input),
            "RegisterTaskDefinition" => self.register_task_definition(input, now),
            "DescribeTaskDefinition" => self.describe_task_definition(input),
            "DeregisterTaskDefinition" => self.deregister_task_definition(input, now),
            "ListTaskDefinitions" => self.list_task_definitions(input),
            "CreateService" => self.create_service(input, now, ecr),
            "UpdateService" => self.update_service(input, now, ecr),
            "DescribeServices" => self.describe_services(input, now),
            "ListServices" => self.list_services(input),
            "RunTask" => self.run_task(input, now),
            "ListTasks" => self.list_tasks(input),
            "DescribeTasks" => self.describe_tasks(input),
            "ListServiceDeployments" => self.list_service_deployments(input, now),
            "DescribeServiceDeployments" => self.describe_service_deployments(input, now),
            "StopServiceDeployment" => self.stop_service_deployment(input, now),
            "DescribeServiceRevisions" => self.describe_service_revisions(input),
            other => Err(ApiError::unknown_action("ECS", other)),
        }
    }

    /// When something happens next without a call, or an event waits to be taken.
    pub fn next_due(&self) -> Option<Timestamp> {
        let event = self.bus.first().map(|event| event.at);
        event.into_iter().chain(self.agenda.next_due()).min()
    }

    /// Lets everything up to `now` happen and hands over the events since the last time, in order.
    pub fn advance(&mut self, now: Timestamp, ecr: &Ecr) -> Vec<BusEvent> {
        self.run(now, ecr);
        std::mem::take(&mut self.bus)
    }

    /// Each thing happens at its own time, and the scheduler looks at the service right after it.
    fn run(&mut self, now: Timestamp, ecr: &Ecr) {
        while let Some((at, due)) = self.agenda.take(now) {
            let service = match due {
                Due::Task { task, step } => self.task_step(&task, step, at, ecr),
                Due::Service(name) => Some(name),
                Due::Stage { deployment } => self.leave_stage(&deployment, at),
            };
            if let Some(name) = service {
                self.reconcile(&name, at);
            }
        }
    }
}
