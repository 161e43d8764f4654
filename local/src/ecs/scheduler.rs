//! The service scheduler: looks at what runs, and starts and stops what is needed. It works from levels, so
//! it may look as often as it likes.

use jiff::Timestamp;

use super::agenda::Due;
use super::configuration::Strategy;
use super::deployments::Rollout;
use super::names::{ServiceName, short};
use super::tasks::StopCode;
use super::{Ecs, pace};

/// Tasks of a service that nobody has asked to stop, oldest first.
#[derive(Debug)]
pub(super) struct Standing {
    /// Of the primary deployment.
    pub(super) own: Vec<Standee>,
    /// Of the others.
    pub(super) others: Vec<Standee>,
    /// Whether a task of another deployment still runs or drains.
    pub(super) others_present: bool,
    pub(super) desired: usize,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Standee {
    pub(super) arn: String,
    pub(super) healthy: bool,
}

impl Standing {
    pub(super) fn own_healthy(&self) -> usize {
        self.own.iter().filter(|task| task.healthy).count()
    }

    /// As many tasks as wanted, all of them healthy.
    pub(super) fn own_complete(&self) -> bool {
        self.own.len() == self.desired && self.own_healthy() == self.desired
    }
}

impl Ecs {
    pub(super) fn standing(&self, name: &ServiceName) -> Option<Standing> {
        let service = self.services.get(name)?;
        let primary = &service.deployments.first()?.id;
        let mut all: Vec<_> = self.tasks.of(name).collect();
        all.sort_by(|a, b| (a.created_at, &a.arn).cmp(&(b.created_at, &b.arn)));
        let others_present = all.iter().any(|task| {
            task.started_by() != Some(primary) && (task.is_starting() || task.is_running())
        });
        let (own, others): (Vec<_>, Vec<_>) = all
            .into_iter()
            .filter(|task| task.is_wanted())
            .partition(|task| task.started_by() == Some(primary));
        let standees = |tasks: Vec<&super::Task>| {
            tasks
                .into_iter()
                .map(|task| Standee { arn: task.arn.clone(), healthy: task.healthy })
                .collect()
        };
        Some(Standing {
            own: standees(own),
            others: standees(others),
            others_present,
            desired: service.desired as usize,
        })
    }

    /// Does what can be done now for a service, and remembers how it looks afterwards.
    pub(super) fn reconcile(&mut self, name: &ServiceName, at: Timestamp) {
        let Some(service) = self.services.get(name) else { return };
        match service.configuration.strategy() {
            Strategy::Rolling => self.roll(name, at),
            Strategy::Native { .. } => self.drive_stage(name, at),
        }
        self.notice_steadiness(name, at);
        self.remember(name, at);
    }

    /// The rolling strategy: new tasks come as `maximumPercent` allows, old ones go as
    /// `minimumHealthyPercent` allows.
    fn roll(&mut self, name: &ServiceName, at: Timestamp) {
        self.judge_breaker(name, at);
        if self.rollout(name) == Some(Rollout::Failed) {
            return; // stalled: the failed deployment is primary and there is nothing to go back to
        }
        self.stop_surplus(name, at);
        self.stop_replaced(name, at);
        self.start_missing(name, None, at);
        self.forget_drained(name);
        let Some(standing) = self.standing(name) else { return };
        let settled = standing.own_complete() && !standing.others_present;
        if settled && self.rollout(name) == Some(Rollout::InProgress) {
            self.complete(name, at);
        }
    }

    fn rollout(&self, name: &ServiceName) -> Option<Rollout> {
        Some(self.services.get(name)?.deployments.first()?.rollout)
    }

    /// More tasks of the primary than wanted: the desired count went down. Those that are not healthy go
    /// first, then the youngest.
    pub(super) fn stop_surplus(&mut self, name: &ServiceName, at: Timestamp) {
        let Some(mut standing) = self.standing(name) else { return };
        standing.own.sort_by_key(|task| !task.healthy); // stable: the oldest of each kind stay in front
        for task in standing.own.into_iter().skip(standing.desired) {
            self.scale_in(name, &task.arn, at);
        }
    }

    /// Old tasks that are no good go at once, healthy ones as far as enough healthy tasks remain.
    fn stop_replaced(&mut self, name: &ServiceName, at: Timestamp) {
        let Some(standing) = self.standing(name) else { return };
        let Some(service) = self.services.get(name) else { return };
        let least = service.configuration.least(service.desired);
        let own_healthy = standing.own_healthy();
        let (healthy, poor): (Vec<_>, Vec<_>) =
            standing.others.into_iter().partition(|task| task.healthy);
        let spare = (healthy.len() + own_healthy).saturating_sub(least);
        for task in poor.into_iter().chain(healthy.into_iter().take(spare)) {
            self.scale_in(name, &task.arn, at);
        }
    }

    /// The deployments being replaced end with their last task; a failed one is shown until the rollback is
    /// complete.
    fn forget_drained(&mut self, name: &ServiceName) {
        let present: Vec<String> = self
            .tasks
            .of(name)
            .filter(|task| task.is_starting() || task.is_running())
            .filter_map(|task| Some(task.started_by()?.to_owned()))
            .collect();
        let Some(service) = self.services.get_mut(name) else { return };
        let mut rank = 0;
        service.deployments.retain(|deployment| {
            rank += 1;
            rank == 1 || deployment.rollout == Rollout::Failed || present.contains(&deployment.id)
        });
    }

    pub(super) fn scale_in(&mut self, name: &ServiceName, task: &str, at: Timestamp) {
        let service = self.services.get(name);
        let primary = service.and_then(|service| service.deployments.first());
        let id = primary.map(|primary| primary.id.as_str()).unwrap_or_default();
        let reason = format!("Scaling activity initiated by (deployment {id})");
        self.stop_task(task, StopCode::ServiceSchedulerInitiated, &reason, at);
    }

    /// Starts what is missing of the primary, as far as there is room (`room`, or by `maximumPercent`).
    pub(super) fn start_missing(&mut self, name: &ServiceName, room: Option<usize>, at: Timestamp) {
        let Some(standing) = self.standing(name) else { return };
        let Some(service) = self.services.get(name) else { return };
        let Some(primary) = service.deployments.first() else { return };
        let most = service.configuration.most(service.desired);
        let all = standing.own.len() + standing.others.len();
        let room = room.unwrap_or(most.saturating_sub(all));
        let missing = standing.desired.saturating_sub(standing.own.len()).min(room);
        if missing == 0 {
            return;
        }
        if at < primary.not_before {
            self.agenda.add(primary.not_before, Due::Service(name.clone()));
            return;
        }
        let mut started = Vec::new();
        for _ in 0..missing {
            if self.place_fails(name, at) {
                break;
            }
            started.extend(self.start_task(name, at).map(|arn| short(&arn).to_owned()));
        }
        if !started.is_empty() {
            let tasks = started.iter().map(|id| format!("(task {id})")).collect::<Vec<_>>();
            let message = format!("has started {} tasks: {}.", tasks.len(), tasks.join(" "));
            self.say(name, &message, at);
        }
    }

    /// Whether the next task finds no place: said, counted as a failure to start, tried again later.
    fn place_fails(&mut self, name: &ServiceName, at: Timestamp) -> bool {
        let Some(service) = self.services.get_mut(name) else { return false };
        let Some(left) = service.placement_failures.checked_sub(1) else { return false };
        service.placement_failures = left;
        let Some(primary) = service.deployments.first() else { return false };
        let id = primary.id.clone();
        self.count_failure(name, &id, at);
        let again = at + pace::PLACEMENT_RETRY;
        if let Some(primary) =
            self.services.get_mut(name).and_then(|service| service.deployments.first_mut())
        {
            primary.not_before = again;
        }
        self.agenda.add(again, Due::Service(name.clone()));
        self.placement_event(name, at);
        self.say(
            name,
            "was unable to place a task. Reason: Capacity is unavailable at this time.",
            at,
        );
        true
    }

    /// A service is steady when it has exactly what it wants; ECS says so each time it becomes so.
    fn notice_steadiness(&mut self, name: &ServiceName, at: Timestamp) {
        let Some(standing) = self.standing(name) else { return };
        let complete = standing.own_complete() && !standing.others_present;
        let steady = complete && self.rollout(name) == Some(Rollout::Completed);
        let Some(service) = self.services.get_mut(name) else { return };
        if std::mem::replace(&mut service.steady, steady) || !steady {
            return;
        }
        self.service_action(name, "INFO", "SERVICE_STEADY_STATE", None, at);
        self.say(name, "has reached a steady state.", at);
    }
}
