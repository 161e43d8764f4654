//! Tasks: what they are, and how they start and stop.

use jiff::Timestamp;
use serde_json::Value;

use super::agenda::Step;
use super::names::ServiceName;
use super::task_definitions::ContainerPlan;
use super::{Ecs, pace};
use crate::api::uuid;
use crate::ecr::{Behaviour, Pullable};

/// A task.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) arn: String,
    pub(super) origin: Origin,
    pub(super) definition: String,
    pub(super) containers: Vec<Container>,
    pub(super) status: TaskStatus,
    /// Why it must stop; while there is no reason it is wanted.
    pub(super) stop: Option<Stop>,
    /// Counts every change that is told.
    pub(super) version: u64,
    pub(super) healthy: bool,
    /// Whether it counted as healthy once: its end is then no failure to start.
    pub(super) was_healthy: bool,
    pub(super) address: String,
    pub(super) created_at: Timestamp,
    pub(super) pull_started_at: Option<Timestamp>,
    pub(super) pull_stopped_at: Option<Timestamp>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) stopped_at: Option<Timestamp>,
}

/// Who started a task.
#[derive(Debug)]
pub(super) enum Origin {
    /// The scheduler, for a service.
    Service(OfService),
    /// Somebody's `RunTask`: it runs to its end.
    Run(Run),
}

/// Whose task it is.
#[derive(Debug, Clone)]
pub(super) struct OfService {
    pub(super) name: ServiceName,
    /// `ecs-svc/…`: `startedBy`.
    pub(super) deployment: String,
    /// The service revision's ARN.
    pub(super) revision: String,
}

/// What a caller of `RunTask` said of a task.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) cluster: String,
    pub(super) group: String,
    pub(super) started_by: Option<String>,
    /// `containerOverrides`, as they were sent.
    pub(super) overrides: Vec<Value>,
}

/// A container of a task.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) arn: String,
    pub(super) runtime_id: String,
    pub(super) plan: ContainerPlan,
    /// What it runs; known once it was pulled.
    pub(super) bytes: Option<Pullable>,
    pub(super) exit_code: Option<i64>,
    pub(super) reason: Option<String>,
}

impl Container {
    pub(super) fn behaviour(&self) -> Behaviour {
        self.bytes.as_ref().map(|bytes| bytes.behaviour).unwrap_or_default()
    }
}

/// `lastStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TaskStatus {
    Provisioning,
    Pending,
    Running,
    Deactivating,
    Deprovisioning,
    Stopped,
}

impl TaskStatus {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Deprovisioning => "DEPROVISIONING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// Why a task stops.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    pub(super) code: StopCode,
    pub(super) reason: String,
    pub(super) at: Timestamp,
}

/// `stopCode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopCode {
    TaskFailedToStart,
    EssentialContainerExited,
    ServiceSchedulerInitiated,
    UserInitiated,
    SpotInterruption,
}

impl StopCode {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TaskFailedToStart => "TaskFailedToStart",
            Self::EssentialContainerExited => "EssentialContainerExited",
            Self::ServiceSchedulerInitiated => "ServiceSchedulerInitiated",
            Self::UserInitiated => "UserInitiated",
            Self::SpotInterruption => "SpotInterruption",
        }
    }
}

impl Task {
    pub(super) fn of_service(&self) -> Option<&OfService> {
        match &self.origin {
            Origin::Service(service) => Some(service),
            Origin::Run(_) => None,
        }
    }

    pub(super) fn service(&self) -> Option<&ServiceName> {
        self.of_service().map(|service| &service.name)
    }

    pub(super) fn cluster(&self) -> &str {
        match &self.origin {
            Origin::Service(service) => &service.name.cluster,
            Origin::Run(run) => &run.cluster,
        }
    }

    pub(super) fn started_by(&self) -> Option<&str> {
        match &self.origin {
            Origin::Service(service) => Some(&service.deployment),
            Origin::Run(run) => run.started_by.as_deref(),
        }
    }

    /// Nobody has asked it to stop, and it has not ended.
    pub(super) fn is_wanted(&self) -> bool {
        self.stop.is_none()
    }

    /// Counted in `pendingCount`.
    pub(super) fn is_starting(&self) -> bool {
        self.is_wanted() && matches!(self.status, TaskStatus::Provisioning | TaskStatus::Pending)
    }

    /// Counted in `runningCount`: also a task that drains still runs.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.status, TaskStatus::Running | TaskStatus::Deactivating)
    }

    /// The reason it fails its health checks: its own, if it has any, else its target group's.
    pub(super) fn checks_itself(&self) -> bool {
        self.containers.iter().any(|one| one.plan.gives_up_after.is_some())
    }
}

impl Ecs {
    /// The scheduler starts one more task of a service's primary deployment.
    pub(super) fn start_task(&mut self, name: &ServiceName, at: Timestamp) -> Option<String> {
        let primary = self.services.get(name)?.deployments.first()?.clone();
        let (deployment, revision) = (primary.id, primary.revision);
        let origin = Origin::Service(OfService { name: name.clone(), deployment, revision });
        self.begin_task(origin, &primary.task_definition, at)
    }

    /// A new task of a definition that exists; its life begins.
    pub(super) fn begin_task(
        &mut self,
        origin: Origin,
        definition: &str,
        at: Timestamp,
    ) -> Option<String> {
        let plans = self.definitions.find(definition)?.containers();
        let cluster = match &origin {
            Origin::Service(service) => service.name.cluster.clone(),
            Origin::Run(run) => run.cluster.clone(),
        };
        let id = format!("{:032x}", self.dice.u128(..));
        let arn = self.arn(&format!("task/{cluster}/{id}"));
        let containers = plans
            .into_iter()
            .map(|plan| Container {
                arn: self
                    .place
                    .arn("ecs", &format!("container/{cluster}/{id}/{}", uuid(&mut self.dice))),
                runtime_id: format!("{id}-{:010}", self.dice.u32(..)),
                plan,
                bytes: None,
                exit_code: None,
                reason: None,
            })
            .collect();
        let task = Task {
            arn: arn.clone(),
            origin,
            definition: definition.to_owned(),
            containers,
            status: TaskStatus::Provisioning,
            stop: None,
            version: 0,
            healthy: false,
            was_healthy: false,
            address: format!("10.0.{}.{}", self.dice.u8(..), self.dice.u8(4..254)),
            created_at: at,
            pull_started_at: None,
            pull_stopped_at: None,
            started_at: None,
            ended_at: None,
            stopped_at: None,
        };
        self.tasks.insert(task);
        self.agenda.task(at + pace::draw(&mut self.dice, pace::PROVISION), &arn, Step::Pull);
        self.task_event(&arn, at);
        Some(arn)
    }

    /// Asks a task to stop, as the scheduler, a person or spot does: it drains, ends, and is taken apart.
    pub(super) fn stop_task(&mut self, arn: &str, code: StopCode, reason: &str, at: Timestamp) {
        let Some(task) = self.tasks.get_mut(arn).filter(|task| task.is_wanted()) else { return };
        let draining = task.status == TaskStatus::Running;
        task.stop = Some(Stop { code, reason: reason.to_owned(), at });
        task.healthy = false;
        if !draining {
            self.take_apart(arn, at);
            return;
        }
        task.status = TaskStatus::Deactivating;
        let service = task.service().and_then(|name| self.services.get(name));
        let balanced = service.is_some_and(|service| !service.load_balancers.is_empty());
        let drain = if balanced { pace::DEREGISTER } else { std::time::Duration::ZERO };
        let ends = at + drain + pace::draw(&mut self.dice, pace::TERMINATE);
        self.agenda.task(ends, arn, Step::Deprovision);
        self.task_event(arn, at);
    }

    /// The task has ended, or never began: its network goes next.
    pub(super) fn take_apart(&mut self, arn: &str, at: Timestamp) {
        let gone = at + pace::draw(&mut self.dice, pace::DEPROVISION);
        let Some(task) = self.tasks.get_mut(arn) else { return };
        task.status = TaskStatus::Deprovisioning;
        task.healthy = false;
        task.ended_at = Some(at);
        self.agenda.task(gone, arn, Step::Stop);
        self.task_event(arn, at);
    }
}
