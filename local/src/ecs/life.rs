//! The life of a task, step by step: what its images do to it.

use std::time::Duration;

use jiff::Timestamp;

use super::agenda::Step;
use super::names::ServiceName;
use super::tasks::{OfService, Stop, StopCode, TaskStatus};
use super::{Ecs, pace};
use crate::ecr::{Behaviour, Ecr, Pullable, Reference};

/// ECS's words where a task's program ended.
const EXITED: &str = "Essential container in task exited";
/// What the end of a program that was told to end looks like: by itself, by `SIGTERM`, by `SIGKILL`. None of
/// them says anything about the image.
const ENDINGS: [i64; 3] = [0, 143, 137];

impl Ecs {
    /// Lets a task take its next step, if it still has that step before it. Returns its service, if it
    /// has one.
    pub(super) fn task_step(
        &mut self,
        arn: &str,
        step: Step,
        at: Timestamp,
        ecr: &Ecr,
    ) -> Option<ServiceName> {
        let task = self.tasks.get_mut(arn)?;
        let name = task.service().cloned();
        let wanted = task.is_wanted();
        match (step, task.status) {
            (Step::Pull, TaskStatus::Provisioning) if wanted => self.begin_pull(arn, at, ecr),
            (Step::Run, TaskStatus::Pending) if wanted => self.begin_run(arn, at, ecr),
            (Step::Healthy, TaskStatus::Running) if wanted => self.pass(arn, at),
            (Step::Unhealthy, TaskStatus::Running) if wanted => self.fail_checks(arn, at),
            (Step::Exit(container), TaskStatus::Running) if wanted => {
                self.container_exits(arn, container, None, at);
            }
            (Step::Deprovision, TaskStatus::Deactivating) => {
                let code = self.dice.choice(ENDINGS);
                for container in &mut task.containers {
                    container.exit_code = container.exit_code.or(code);
                }
                self.take_apart(arn, at);
            }
            (Step::Stop, TaskStatus::Deprovisioning) => {
                task.status = TaskStatus::Stopped;
                task.stopped_at = Some(at);
                self.agenda.task(at + pace::FORGET, arn, Step::Forget);
                self.task_event(arn, at);
            }
            (Step::Forget, TaskStatus::Stopped) => {
                self.tasks.remove(arn);
            }
            _ => {} // overtaken: the task was stopped meanwhile
        }
        name
    }

    /// What each container's image is right now, in the containers' order.
    pub(super) fn look_up(&self, arn: &str, ecr: &Ecr) -> Vec<Option<Pullable>> {
        let Some(task) = self.tasks.get(arn) else { return Vec::new() };
        let revision = task.of_service().and_then(|own| self.revisions.get(&own.revision));
        let plans = task.containers.iter().map(|container| &container.plan);
        plans
            .map(|plan| match revision {
                Some(revision) => self.pull(&revision.pull_name(&plan.name, &plan.image), ecr),
                None => self.pull(&plan.image, ecr),
            })
            .collect()
    }

    /// What a task here gets for the name of an image; `None` where the pull would fail.
    pub(super) fn pull(&self, image: &str, ecr: &Ecr) -> Option<Pullable> {
        ecr.pull(image).filter(|_| ecr.lets_pull(&self.place.account, image))
    }

    fn begin_pull(&mut self, arn: &str, at: Timestamp, ecr: &Ecr) {
        let slowest = self
            .look_up(arn, ecr)
            .into_iter()
            .flatten()
            .map(|bytes| match bytes.behaviour {
                Behaviour::Slow(by) => by,
                _ => Duration::ZERO,
            })
            .max()
            .unwrap_or_default();
        let runs = at + slowest + pace::draw(&mut self.dice, pace::PULL);
        let Some(task) = self.tasks.get_mut(arn) else { return };
        task.status = TaskStatus::Pending;
        task.pull_started_at = Some(at);
        self.agenda.task(runs, arn, Step::Run);
        self.task_event(arn, at);
    }

    fn begin_run(&mut self, arn: &str, at: Timestamp, ecr: &Ecr) {
        let images = self.look_up(arn, ecr);
        let Some(task) = self.tasks.get_mut(arn) else { return };
        for (container, bytes) in task.containers.iter_mut().zip(images) {
            container.bytes = bytes.filter(|bytes| bytes.behaviour != Behaviour::NoPull);
            if container.bytes.is_none() {
                let image = &container.plan.image;
                let why = why_not_pulled(ecr.lets_pull(&self.place.account, image), image);
                let reason =
                    format!("CannotPullContainerError: failed to resolve ref {image}: {why}");
                container.reason = Some(reason.clone());
                task.stop = Some(Stop { code: StopCode::TaskFailedToStart, reason, at });
                break;
            }
        }
        if task.stop.is_some() {
            self.count_task_failure(arn, at);
            self.take_apart(arn, at);
            return;
        }
        task.status = TaskStatus::Running;
        task.pull_stopped_at = Some(at);
        task.started_at = Some(at);
        self.plan_life(arn, at);
        self.task_event(arn, at);
    }

    /// From the moment a task runs: when it is healthy, and when it ends by itself.
    pub(super) fn plan_life(&mut self, arn: &str, at: Timestamp) {
        let Some(task) = self.tasks.get(arn) else { return };
        let Some(name) = task.service() else { return self.plan_run(arn, at) };
        let Some(service) = self.services.get(name) else { return };
        let balanced = !service.load_balancers.is_empty();
        let checked = balanced || task.checks_itself();
        let mut fails_after: Option<Duration> = None;
        for (number, container) in task.containers.iter().enumerate() {
            let ends = match container.behaviour() {
                Behaviour::Crash | Behaviour::Exit(_) => {
                    Some(pace::draw(&mut self.dice, pace::CRASH))
                }
                Behaviour::CrashAfter(after) => Some(after),
                Behaviour::ExitLoop => Some(pace::draw(&mut self.dice, pace::EXIT_LOOP)),
                Behaviour::Unhealthy => {
                    let by_balancer = balanced.then_some(service.grace + pace::TARGET_REPLACED);
                    let first = container.plan.gives_up_after.into_iter().chain(by_balancer).min();
                    fails_after = fails_after.into_iter().chain(first).min();
                    None
                }
                Behaviour::Healthy
                | Behaviour::Slow(_)
                | Behaviour::OneOff(_)
                | Behaviour::NoPull => None,
            };
            if let Some(after) = ends {
                self.agenda.task(at + after, arn, Step::Exit(number));
            }
        }
        match fails_after {
            Some(after) => self.agenda.task(at + after, arn, Step::Unhealthy),
            None if checked => {
                self.agenda.task(at + pace::HEALTHY_WHEN_CHECKED, arn, Step::Healthy);
            }
            None => self.agenda.task(at + pace::HEALTHY_UNCHECKED, arn, Step::Healthy),
        }
    }

    pub(super) fn pass(&mut self, arn: &str, at: Timestamp) {
        let Some(task) = self.tasks.get_mut(arn) else { return };
        task.healthy = true;
        task.was_healthy = true;
        let told = task.checks_itself(); // only a container's own check is part of the task's description
        if let Some(OfService { name, deployment, .. }) = task.of_service().cloned() {
            self.count_success(&name, &deployment);
        }
        if told {
            self.task_event(arn, at);
        }
    }

    fn fail_checks(&mut self, arn: &str, at: Timestamp) {
        let Some(task) = self.tasks.get(arn) else { return };
        let group = task
            .service()
            .and_then(|name| self.services.get(name))
            .and_then(|service| service.target_groups().first().map(|group| (*group).to_owned()));
        let reason = match group {
            Some(group) if !task.checks_itself() => {
                format!("Task failed ELB health checks in (target-group {group})")
            }
            _ => "Task failed container health checks".to_owned(),
        };
        self.count_task_failure(arn, at);
        self.stop_task(arn, StopCode::ServiceSchedulerInitiated, &reason, at);
    }

    /// A container ends by itself; with an essential one the whole task does. `code` overrides what its
    /// image would exit with.
    pub(super) fn container_exits(
        &mut self,
        arn: &str,
        container: usize,
        code: Option<i64>,
        at: Timestamp,
    ) {
        let Some(task) = self.tasks.get_mut(arn) else { return };
        let runs_once = task.of_service().is_none();
        let Some(ending) = task.containers.get_mut(container) else { return };
        let own = match ending.behaviour() {
            Behaviour::Exit(code) | Behaviour::OneOff(code) => code,
            Behaviour::ExitLoop => 0,
            Behaviour::Crash | Behaviour::CrashAfter(_) => 1,
            // What a service's task would do for ever, a one-off does to its good end.
            _ => i64::from(!runs_once),
        };
        ending.exit_code = Some(code.unwrap_or(own));
        if !ending.plan.essential {
            self.task_event(arn, at);
            return;
        }
        for other in &mut task.containers {
            other.exit_code = other.exit_code.or(Some(ENDINGS[1]));
        }
        let code = StopCode::EssentialContainerExited;
        task.stop = Some(Stop { code, reason: EXITED.to_owned(), at });
        if !task.was_healthy {
            self.count_task_failure(arn, at);
        }
        self.take_apart(arn, at);
    }

    /// A failure to start of its deployment; nobody counts those of a one-off task.
    fn count_task_failure(&mut self, arn: &str, at: Timestamp) {
        let own = self.tasks.get(arn).and_then(|task| task.of_service()).cloned();
        if let Some(OfService { name, deployment, .. }) = own {
            self.count_failure(&name, &deployment, at);
        }
    }
}

/// As the container runtime says it.
fn why_not_pulled(let_in: bool, image: &str) -> String {
    if let_in {
        return "not found".to_owned();
    }
    let reference = Reference::parse(image);
    let host = reference.host.unwrap_or_default();
    let version = reference.digest.or(reference.tag).unwrap_or_default();
    format!("pulling from host {host} failed with status code [manifests {version}]: 403 Forbidden")
}
