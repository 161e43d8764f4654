//! One look at services.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{
    Deployment as SdkDeployment, DeploymentConfiguration, DeploymentControllerType,
    DeploymentLifecycleHookTargetType as HookKind, DeploymentRolloutState, DeploymentStrategy,
    SchedulingStrategy, Service,
};
use jiff::Timestamp;
use tidegate_core::sighting::{Controller, Deployment, Guards, RolloutState, Sighting, Strategy};

use super::{Ecs, RawTaskDefinition, in_cluster};
use crate::moment::timestamp;
use crate::{Refusal, RefusalKind};

/// `DescribeServices` takes no more names than this.
const SERVICES_A_CALL: usize = 10;

/// A service as ECS shows it, or another target in the same words.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// What was seen.
    pub sighting: Sighting,
    /// The ARN of the revision the service is asked to run.
    pub task_definition: String,
    /// ARNs of all its service revisions: in mid-deployment several, and nothing says whose each is.
    pub service_revisions: Vec<String>,
    /// What it runs, where the look itself shows that and no task definition does.
    pub definition: Option<RawTaskDefinition>,
    /// The ARN that permissions need to know of it and no config says: the role of a schedule or a rule,
    /// the container service itself.
    pub holder: Option<String>,
    /// The ARN of the cluster that a schedule or a rule runs its task in, which no config says either.
    pub cluster: Option<String>,
}

/// What a look at several services found of each, by name; one that is not there, or no longer, is
/// `None`. One that cannot be read hides no other.
pub type Look = BTreeMap<String, Result<Option<Seen>, Refusal>>;

impl Ecs {
    /// All of these services of one cluster, or the first refusal.
    pub async fn describe(
        &self,
        cluster: &str,
        services: &[String],
    ) -> Result<BTreeMap<String, Option<Seen>>, Refusal> {
        let mut all = BTreeMap::new();
        for (name, seen) in self.look(cluster, services).await {
            all.insert(name, seen?);
        }
        Ok(all)
    }

    /// Looks at services of one cluster.
    ///
    /// One call for ten services; those with a native strategy cost their service deployment on top.
    pub async fn look(&self, cluster: &str, services: &[String]) -> Look {
        let mut all = Look::new();
        for chunk in services.chunks(SERVICES_A_CALL) {
            match self.describe_chunk(cluster, chunk).await {
                // IAM refuses the whole call for one name of it.
                Err(refusal) if refusal.kind == RefusalKind::AccessDenied && chunk.len() > 1 => {
                    for name in chunk.chunks(1) {
                        add(&mut all, name, self.describe_chunk(cluster, name).await);
                    }
                }
                found => add(&mut all, chunk, found),
            }
        }
        self.add_service_deployments(cluster, &mut all).await;
        all
    }

    async fn describe_chunk(&self, cluster: &str, services: &[String]) -> Result<Look, Refusal> {
        const ACTION: &str = "ecs:DescribeServices";
        let resource = in_cluster(cluster, &services.join(", "));
        let answer = self
            .client
            .describe_services()
            .cluster(cluster)
            .set_services(Some(services.to_vec()))
            .send()
            .await
            .map_err(Refusal::of(ACTION, &resource))?;
        let mut look = Look::new();
        look.extend(services.iter().map(|name| (name.clone(), Ok(None))));
        for failure in answer.failures() {
            let reason = failure.reason().unwrap_or("no reason");
            if reason == "MISSING" {
                continue;
            }
            let name = failure.arn().unwrap_or(&resource);
            let words = failure.detail().unwrap_or_default();
            let refusal = Refusal::in_answer(ACTION, name, reason, words);
            let service = name.rsplit('/').next().unwrap_or(name);
            match look.get_mut(service) {
                Some(seen) => *seen = Err(refusal),
                // It does not say whom it means: it may be anyone who is not shown.
                None => look.values_mut().for_each(|seen| *seen = Err(refusal.clone())),
            }
        }
        for service in answer.services() {
            let name = service.service_name().unwrap_or_default().to_owned();
            // INACTIVE was deleted and DRAINING is being so: neither can be released to.
            let active = service.status() == Some("ACTIVE");
            look.insert(name, Ok(active.then(|| seen(service, self.clock.now()))));
        }
        Ok(look)
    }
}

/// Adds what was found, or for each of these services why nothing was.
fn add(all: &mut Look, services: &[String], found: Result<Look, Refusal>) {
    match found {
        Ok(look) => all.extend(look),
        Err(refusal) => {
            all.extend(services.iter().map(|name| (name.clone(), Err(refusal.clone()))));
        }
    }
}

fn seen(service: &Service, at: Timestamp) -> Seen {
    let mut deployments: Vec<_> = service.deployments().iter().map(deployment).collect();
    deployments.sort_unstable_by_key(|deployment| std::cmp::Reverse(deployment.created_at));
    let configuration = service.deployment_configuration();
    let sighting = Sighting {
        at,
        desired: count(service.desired_count()),
        running: count(service.running_count()),
        controller: controller(service),
        strategy: strategy(configuration),
        native_minutes: configuration.map_or(0, native_minutes),
        daemon: service.scheduling_strategy() == Some(&SchedulingStrategy::Daemon),
        deployments,
        service_deployment: None,
        guards: configuration.map_or_else(Guards::default, guards),
        target_groups: target_groups(service),
        unhealthy: Vec::new(),
        failures: Vec::new(),
        service_revision: match service.current_service_revisions() {
            [only] => only.arn().map(str::to_owned),
            // In mid-deployment nothing says which of them is the primary's.
            _ => None,
        },
        resolved: BTreeMap::new(),
    };
    let revisions = service.current_service_revisions().iter();
    Seen {
        sighting,
        task_definition: service.task_definition().unwrap_or_default().to_owned(),
        service_revisions: revisions.filter_map(|it| it.arn().map(str::to_owned)).collect(),
        definition: None,
        holder: None,
        cluster: None,
    }
}

fn deployment(deployment: &SdkDeployment) -> Deployment {
    Deployment {
        id: deployment.id().unwrap_or_default().to_owned(),
        primary: deployment.status() == Some("PRIMARY"),
        revision: deployment.task_definition().unwrap_or_default().to_owned(),
        rollout: deployment.rollout_state().and_then(rollout),
        reason: deployment.rollout_state_reason().unwrap_or_default().to_owned(),
        failed_tasks: count(deployment.failed_tasks()),
        desired: count(deployment.desired_count()),
        running: count(deployment.running_count()),
        pending: count(deployment.pending_count()),
        created_at: timestamp(deployment.created_at()),
    }
}

fn rollout(state: &DeploymentRolloutState) -> Option<RolloutState> {
    match state {
        DeploymentRolloutState::InProgress => Some(RolloutState::InProgress),
        DeploymentRolloutState::Completed => Some(RolloutState::Completed),
        DeploymentRolloutState::Failed => Some(RolloutState::Failed),
        // A state newer than we are says nothing to us; the deadline judges.
        _ => None,
    }
}

fn controller(service: &Service) -> Controller {
    match service.deployment_controller().map(|controller| controller.r#type()) {
        None | Some(DeploymentControllerType::Ecs) => Controller::Ecs,
        Some(DeploymentControllerType::CodeDeploy) => Controller::CodeDeploy,
        // What we do not know is not ours to drive either.
        Some(_) => Controller::External,
    }
}

fn strategy(configuration: Option<&DeploymentConfiguration>) -> Strategy {
    match configuration.and_then(|configuration| configuration.strategy()) {
        None | Some(DeploymentStrategy::Rolling) => Strategy::Rolling,
        // A strategy newer than we are also has a service deployment to judge by.
        Some(_) => Strategy::Native,
    }
}

fn guards(configuration: &DeploymentConfiguration) -> Guards {
    let breaker = configuration.deployment_circuit_breaker().filter(|it| it.enable());
    let alarms = configuration.alarms().filter(|it| it.enable());
    Guards {
        circuit_breaker: breaker.map(|breaker| breaker.rollback()),
        alarms: alarms.map(|alarms| alarms.rollback()),
    }
}

/// Both target groups of a native strategy count: either may carry the traffic.
fn target_groups(service: &Service) -> Vec<String> {
    let mut groups: Vec<_> = service
        .load_balancers()
        .iter()
        .flat_map(|balancer| {
            let alternate = balancer
                .advanced_configuration()
                .and_then(|advanced| advanced.alternate_target_group_arn());
            [balancer.target_group_arn(), alternate]
        })
        .flatten()
        .map(str::to_owned)
        .collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// A rolling deployment with alarms bakes too, and a hook that pauses waits for a person, at each of its
/// stages, for a day where it does not say how long.
fn native_minutes(configuration: &DeploymentConfiguration) -> u32 {
    let bake = configuration.bake_time_in_minutes().unwrap_or_default();
    let steps = match configuration.strategy() {
        Some(DeploymentStrategy::Linear) => {
            configuration.linear_configuration().map_or(0, |linear| {
                // ECS's defaults: 10 % a step, 6 minutes each.
                let percent = linear.step_percent().unwrap_or(10.0).max(1.0);
                let steps =
                    (1..=100).find(|steps| f64::from(*steps) * percent >= 100.0).unwrap_or(100);
                steps * linear.step_bake_time_in_minutes().unwrap_or(6)
            })
        }
        Some(DeploymentStrategy::Canary) => configuration
            .canary_configuration()
            .map_or(0, |canary| canary.canary_bake_time_in_minutes().unwrap_or(10)),
        _ => 0,
    };
    let pauses = configuration.lifecycle_hooks().iter();
    let pauses = pauses.filter(|hook| hook.target_type() == Some(&HookKind::Pause)).map(|hook| {
        let limit = hook.timeout_configuration().and_then(|it| it.timeout_in_minutes());
        let stages = i32::try_from(hook.lifecycle_stages().len()).unwrap_or(i32::MAX);
        limit.unwrap_or(A_DAY).saturating_mul(stages)
    });
    let waits = pauses.fold(bake.saturating_add(steps), i32::saturating_add);
    count(waits)
}

/// ECS's default for a hook, in minutes.
const A_DAY: i32 = 1_440;

/// ECS never counts below nothing.
fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}
