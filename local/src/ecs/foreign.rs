//! What others do to ECS: spot, capacity, autoscaling, chance. People use `Ecs::call`, like anybody.

use jiff::Timestamp;

use super::agenda::Step;
use super::names::ServiceName;
use super::{Ecs, pace};
use crate::ecr::Ecr;

impl Ecs {
    /// ARNs of the service's tasks that run and are wanted, oldest first.
    pub fn running_tasks(&self, service: &ServiceName) -> Vec<String> {
        let standing = self.standing(service);
        let all = standing.into_iter().flat_map(|standing| standing.others.into_iter().chain(standing.own));
        let running = |arn: &String| self.tasks.get(arn).is_some_and(super::Task::is_running);
        all.map(|task| task.arn).filter(running).collect()
    }

    /// Spot takes a running task's host away, after its two minutes' warning.
    pub fn interrupt_spot(&mut self, task: &str, now: Timestamp) {
        self.agenda.task(now + pace::SPOT_WARNING, task, Step::Interrupt);
    }

    /// The next `tasks` tasks of a service find no place.
    pub fn fail_placement(&mut self, service: &ServiceName, tasks: u32) {
        if let Some(service) = self.services.get_mut(service) {
            service.placement_failures += tasks;
        }
    }

    /// Autoscaling moves the desired count; no deployment comes of it.
    pub fn autoscale(&mut self, service: &ServiceName, desired: u32, now: Timestamp, ecr: &Ecr) {
        self.run(now, ecr);
        if let Some(found) = self.services.get_mut(service) {
            found.desired = desired;
            self.service_action(service, "INFO", "SERVICE_DESIRED_COUNT_UPDATED", None, now);
            self.reconcile(service, now, ecr);
        }
    }

    /// One task's first essential container exits with `code`, whatever its image says: a stray crash.
    ///
    /// Returns whether the task ran.
    pub fn exit_task(&mut self, task: &str, code: i64, now: Timestamp, ecr: &Ecr) -> bool {
        self.run(now, ecr);
        let Some(found) = self.tasks.get(task).filter(|task| task.is_wanted() && task.is_running())
        else {
            return false;
        };
        let name = found.service.clone();
        let essential = found.containers.iter().position(|one| one.plan.essential);
        self.container_exits(task, essential.unwrap_or(0), Some(code), now);
        self.reconcile(&name, now, ecr);
        true
    }
}
