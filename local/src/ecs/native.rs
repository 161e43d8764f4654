//! The native strategies (blue/green, linear, canary): a second fleet, stage by stage. There is no
//! `rolloutState` and no circuit breaker; the service deployment says how it stands.

use std::time::Duration;

use jiff::Timestamp;

use super::Ecs;
use super::agenda::Due;
use super::configuration::Strategy;
use super::deployments::Rollout;
use super::names::ServiceName;
use super::service_deployments::Status;

/// The stages, in order. Those for which hooks exist pass quickly here: hooks are not modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    ReconcileService,
    PreScaleUp,
    ScaleUp,
    PostScaleUp,
    TestTrafficShift,
    PostTestTrafficShift,
    PreProductionTrafficShift,
    ProductionTrafficShift,
    PostProductionTrafficShift,
    BakeTime,
    CleanUp,
}

/// What a stage takes when nothing has to be waited for.
const BRIEF: Duration = Duration::from_secs(2);
/// Rewriting a listener's rules.
const SHIFT: Duration = Duration::from_secs(5);

impl Stage {
    const ALL: [Self; 11] = [
        Self::ReconcileService,
        Self::PreScaleUp,
        Self::ScaleUp,
        Self::PostScaleUp,
        Self::TestTrafficShift,
        Self::PostTestTrafficShift,
        Self::PreProductionTrafficShift,
        Self::ProductionTrafficShift,
        Self::PostProductionTrafficShift,
        Self::BakeTime,
        Self::CleanUp,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ReconcileService => "RECONCILE_SERVICE",
            Self::PreScaleUp => "PRE_SCALE_UP",
            Self::ScaleUp => "SCALE_UP",
            Self::PostScaleUp => "POST_SCALE_UP",
            Self::TestTrafficShift => "TEST_TRAFFIC_SHIFT",
            Self::PostTestTrafficShift => "POST_TEST_TRAFFIC_SHIFT",
            Self::PreProductionTrafficShift => "PRE_PRODUCTION_TRAFFIC_SHIFT",
            Self::ProductionTrafficShift => "PRODUCTION_TRAFFIC_SHIFT",
            Self::PostProductionTrafficShift => "POST_PRODUCTION_TRAFFIC_SHIFT",
            Self::BakeTime => "BAKE_TIME",
            Self::CleanUp => "CLEAN_UP",
        }
    }

    fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| *stage > self)
    }

    /// How long the stage takes; `None` where it waits for tasks.
    fn lasts(self, shift: Duration, bake: Duration) -> Option<Duration> {
        match self {
            Self::ScaleUp | Self::CleanUp => None,
            Self::TestTrafficShift => Some(SHIFT),
            Self::ProductionTrafficShift => Some(SHIFT + shift),
            Self::BakeTime => Some(bake),
            _ => Some(BRIEF),
        }
    }
}

impl Ecs {
    pub(super) fn enter_first_stage(&mut self, deployment: &str, at: Timestamp) {
        self.enter(deployment, Stage::ReconcileService, at);
    }

    fn enter(&mut self, arn: &str, stage: Stage, at: Timestamp) {
        let Some(deployment) = self.service_deployments.get_mut(arn) else { return };
        deployment.stage = Some(stage);
        let Some(service) = self.services.get(&deployment.service) else { return };
        let configuration = &service.configuration;
        let Strategy::Native { shift } = configuration.strategy() else { return };
        if let Some(lasts) = stage.lasts(shift, configuration.bake()) {
            self.agenda.add(at + lasts, Due::Stage { deployment: arn.to_owned() });
        }
    }

    /// A timed stage is over. Returns the service that moved on; a deployment that was stopped or rolled
    /// back meanwhile does not.
    pub(super) fn leave_stage(&mut self, arn: &str, at: Timestamp) -> Option<ServiceName> {
        let deployment = self.service_deployments.get(arn)?;
        let name = deployment.service.clone();
        if deployment.status == Status::InProgress {
            self.enter(arn, deployment.stage?.next()?, at);
        }
        Some(name)
    }

    /// What the tasks allow now.
    pub(super) fn drive_stage(&mut self, name: &ServiceName, at: Timestamp) {
        self.stop_surplus(name, at);
        let (stage, status) = match self.open_one(name) {
            Some(deployment) => (deployment.stage, Some(deployment.status)),
            None => (None, None),
        };
        // Both fleets stand side by side, whatever `maximumPercent` says.
        if status != Some(Status::InProgress) || stage >= Some(Stage::ScaleUp) {
            self.start_missing(name, Some(usize::MAX), at);
        }
        let complete = self.standing(name).is_some_and(|standing| standing.own_complete());
        match (status, stage) {
            (Some(Status::InProgress), Some(Stage::ScaleUp)) if complete => {
                let arn = self.services.get(name).and_then(|own| own.newest_change.clone());
                if let Some(arn) = arn {
                    self.enter(&arn, Stage::PostScaleUp, at);
                }
            }
            (Some(Status::InProgress), Some(Stage::CleanUp))
            | (Some(Status::RollbackInProgress), _) => {
                self.remove_the_others(name, at);
            }
            _ => {}
        }
    }

    fn remove_the_others(&mut self, name: &ServiceName, at: Timestamp) {
        let Some(standing) = self.standing(name) else { return };
        for task in &standing.others {
            self.scale_in(name, &task.arn, at);
        }
        let Some(standing) = self.standing(name) else { return };
        let primary = self.services.get(name).and_then(|service| service.deployments.first());
        let moving = primary.is_some_and(|primary| primary.rollout == Rollout::InProgress);
        if standing.own_complete() && !standing.others_present && moving {
            self.complete(name, at);
        }
    }
}
