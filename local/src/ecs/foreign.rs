//! What others do to ECS: spot, capacity, autoscaling, chance. People use `Ecs::call`, like anybody.

use jiff::Timestamp;

use super::Ecs;
use super::names::ServiceName;
use super::tasks::StopCode;
use crate::ecr::Ecr;

impl Ecs {
    /// ARNs of the service's tasks that run and are wanted, oldest first.
    pub fn running_tasks(&self, service: &ServiceName) -> Vec<String> {
        let standing = self.standing(service);
        let all = standing
            .into_iter()
            .flat_map(|standing| standing.others.into_iter().chain(standing.own));
        let running = |arn: &String| self.tasks.get(arn).is_some_and(super::Task::is_running);
        all.map(|task| task.arn).filter(running).collect()
    }

    /// Spot takes a running task's host away. The warning, two minutes ahead, is the task's `SIGTERM` and its
    /// event at once.
    pub fn interrupt_spot(&mut self, task: &str, now: Timestamp, ecr: &Ecr) {
        self.stop_for(
            task,
            StopCode::SpotInterruption,
            "Your Spot Task was interrupted.",
            now,
            ecr,
        );
    }

    /// A person stops a task in the console.
    pub fn stop_by_user(&mut self, task: &str, now: Timestamp, ecr: &Ecr) {
        self.stop_for(task, StopCode::UserInitiated, "Task stopped by user", now, ecr);
    }

    fn stop_for(&mut self, task: &str, code: StopCode, why: &str, now: Timestamp, ecr: &Ecr) {
        self.run(now, ecr);
        self.stop_task(task, code, why, now);
        if let Some(name) = self.tasks.get(task).and_then(|task| task.service().cloned()) {
            self.reconcile(&name, now);
        }
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
            self.reconcile(service, now);
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
        let name = found.service().cloned();
        let essential = found.containers.iter().position(|one| one.plan.essential);
        self.container_exits(task, essential.unwrap_or(0), Some(code), now);
        if let Some(name) = name {
            self.reconcile(&name, now);
        }
        true
    }
}
