//! What can be seen of the world: the answers of AWS, in our words, without an SDK type.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Digest, TaskFailure};

/// `DescribeServices` shows a call some seconds later: 5 were seen; the rest is margin.
pub(crate) const LAG: Duration = Duration::from_secs(15);

/// A call whose answer nobody saw lands up to 30 s late, and a look lags some seconds: within this time
/// or not at all.
pub(crate) const LANDING: Duration = Duration::from_secs(60);

/// One look at an ECS service, or at what is judged like one: a schedule that names a revision, a
/// container service of Lightsail.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Sighting {
    /// When it was seen.
    pub at: Timestamp,
    /// How many tasks ECS is asked to run; autoscaling moves it, so it is never compared with the start.
    pub desired: u32,
    /// How many run, over all deployments.
    pub running: u32,
    /// Who carries out deployments.
    pub controller: Controller,
    /// How ECS brings a new revision in.
    pub strategy: Strategy,
    /// Whether the service runs one task on each host: refused by name.
    pub daemon: bool,
    /// Newest first; exactly one is primary while the service exists.
    pub deployments: Vec<Deployment>,
    /// For native strategies: the newest service deployment.
    pub service_deployment: Option<ServiceDeployment>,
    /// What ECS does by itself when a deployment fails.
    pub guards: Guards,
    /// ARNs of the target groups the service registers with.
    pub target_groups: Vec<String>,
    /// Minutes that ECS itself adds by its bake times and steps.
    pub native_minutes: u32,
    /// Targets that fail their health check: `reason (target group)`. Empty when not asked.
    pub unhealthy: Vec<String>,
    /// Failing tasks found by listing, asked only where `failed_tasks` counts and no event told.
    pub failures: Vec<TaskFailure>,
    /// ARN of the service revision of the primary deployment, when ECS names it.
    pub service_revision: Option<String>,
    /// The bytes that ECS resolved for the primary deployment, by container: asked only where
    /// somebody else brought a revision of their own.
    pub resolved: BTreeMap<String, Digest>,
}

impl Sighting {
    /// A look that found these deployments and nothing else to say.
    pub fn of(at: Timestamp, deployments: Vec<Deployment>) -> Self {
        Self { at, deployments, ..Self::default() }
    }

    /// The deployment that ECS works towards.
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|d| d.primary)
    }

    /// Why Tidegate must not drive this service at all.
    pub fn reason_unfit(&self) -> Option<&'static str> {
        match self.controller {
            Controller::Ecs if self.daemon => {
                Some("it runs one task on each host (DAEMON), which is not supported yet")
            }
            Controller::Ecs => None,
            Controller::CodeDeploy => {
                Some("CodeDeploy deploys it; set its deployment controller to ECS")
            }
            Controller::External => {
                Some("an external controller deploys it; set its deployment controller to ECS")
            }
        }
    }

    /// The deployment that ECS works towards is complete, or says nothing and runs enough.
    pub fn settled(&self) -> bool {
        let complete = self.primary().is_some_and(|primary| match primary.rollout {
            Some(state) => state == RolloutState::Completed,
            None => primary.running >= primary.desired,
        });
        let native_done =
            self.service_deployment.as_ref().is_none_or(|deployment| deployment.status.is_final());
        complete && native_done
    }
}

/// ECS's own watch over a service's deployments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Guards {
    /// The circuit breaker is on, and whether it rolls back.
    pub circuit_breaker: Option<bool>,
    /// Deployment alarms are on, and whether they roll back.
    pub alarms: Option<bool>,
}

impl Guards {
    /// Whether ECS replaces a deployment that fails by the newest that was complete.
    pub fn go_back(self) -> bool {
        [self.circuit_breaker, self.alarms].contains(&Some(true))
    }
}

/// One look at a one-off task.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TaskSighting {
    /// ECS's word for where it is: `PROVISIONING`, `RUNNING` …
    pub status: String,
    /// How it ended, told of the container whose exit code counts; `None` while it goes on.
    pub ended: Option<TaskFailure>,
}

/// Who carries out a service's deployments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Controller {
    /// ECS itself: the only one Tidegate drives.
    #[default]
    Ecs,
    /// AWS CodeDeploy: refused by name.
    CodeDeploy,
    /// A third party with task sets: refused by name.
    External,
}

/// How ECS brings a new revision in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Task by task; has a `rolloutState`.
    #[default]
    Rolling,
    /// Blue/green, linear or canary: judged by the service deployment, there is no `rolloutState`.
    Native,
}

/// One entry of a service's `deployments`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Deployment {
    /// `ecs-svc/…`
    pub id: String,
    /// Whether ECS works towards this one.
    pub primary: bool,
    /// The task definition's ARN.
    pub revision: String,
    /// Absent for native strategies and Classic load balancers.
    pub rollout: Option<RolloutState>,
    /// ECS's own words for the state.
    pub reason: String,
    /// Consecutive failures; back to 0 once a task runs.
    pub failed_tasks: u32,
    /// Tasks this deployment should run.
    pub desired: u32,
    /// Tasks it runs.
    pub running: u32,
    /// Tasks it starts.
    pub pending: u32,
    /// When ECS made it.
    pub created_at: Timestamp,
}

/// ECS's verdict on a rolling deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    /// Not decided; without circuit breaker or alarms it stays so for ever.
    InProgress,
    /// Enough tasks were steady.
    Completed,
    /// The circuit breaker or an alarm decided against it.
    Failed,
}

/// The object of native strategies, bound to one deployment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServiceDeployment {
    /// Its ARN.
    pub arn: String,
    /// Where it stands.
    pub status: ServiceDeploymentStatus,
    /// ECS's reason for the status.
    pub reason: String,
    /// The task definition of the revision it brings in, when known.
    pub revision: Option<String>,
    /// The stage ECS is in, as ECS writes it.
    pub stage: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// The states of a service deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "ECS's own names")]
pub enum ServiceDeploymentStatus {
    Pending,
    InProgress,
    StopRequested,
    Stopped,
    Successful,
    RollbackRequested,
    RollbackInProgress,
    RollbackSuccessful,
    RollbackFailed,
}

impl ServiceDeploymentStatus {
    /// No further state follows.
    pub fn is_final(self) -> bool {
        use ServiceDeploymentStatus as S;
        match self {
            S::Stopped | S::Successful | S::RollbackSuccessful | S::RollbackFailed => true,
            S::Pending
            | S::InProgress
            | S::StopRequested
            | S::RollbackRequested
            | S::RollbackInProgress => false,
        }
    }
}

/// What a service really runs in one container that a release would change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RunningImage {
    /// The container's name in the task definition.
    pub container: String,
    /// The image's repository with its registry host, without tag or digest.
    pub repository: String,
    /// The image as the running revision names it.
    pub named: String,
    /// The bytes that run; `None` is "no way back".
    pub digest: Option<Digest>,
    /// How the digest was learnt, or why it was not.
    pub source: String,
}

/// An image as the registry shows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegistryImage {
    /// The digest asked for or resolved.
    pub digest: Digest,
    /// Its tags now.
    pub tags: Vec<String>,
    /// `imagePushedAt`: for some registries a retag moves it, so order uses it as first seen.
    pub pushed_at: Timestamp,
    /// This digest and, for an index, its children: any of them proves these bytes run.
    pub accepts: BTreeSet<Digest>,
}
