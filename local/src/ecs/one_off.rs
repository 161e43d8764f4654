//! `RunTask`: a task that nobody replaces, and that ends.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::agenda::Step;
use super::tasks::{Container, Origin, Run, Task};
use super::{Ecs, pace};
use crate::api::{ApiError, Input, epoch};
use crate::ecr::Behaviour;

/// What was asked under each token of a cluster, and the task it made.
pub(super) type Runs = BTreeMap<(String, String), (Value, String)>;

impl Task {
    /// `service:…`, or what the caller said.
    pub(super) fn group(&self) -> String {
        match &self.origin {
            Origin::Service(service) => format!("service:{}", service.name.service),
            Origin::Run(run) => run.group.clone(),
        }
    }

    /// What is overridden of a container; its name at least.
    pub(super) fn overrides(&self, container: &str) -> Value {
        let own = match &self.origin {
            Origin::Service(_) => None,
            Origin::Run(run) => run.overrides.iter().find(|one| one["name"] == container),
        };
        own.cloned().unwrap_or_else(|| json!({ "name": container }))
    }
}

impl Ecs {
    pub(super) fn run_task(&mut self, input: Input<'_>, now: Timestamp) -> Result<Value, ApiError> {
        input.only(
            "RunTask",
            &[
                "capacityProviderStrategy",
                "clientToken",
                "cluster",
                "count",
                "group",
                "launchType",
                "networkConfiguration",
                "overrides",
                "platformVersion",
                "startedBy",
                "taskDefinition",
            ],
        )?;
        let refuse = |why: &str| Err(ApiError::refused("InvalidParameterException", why));
        let cluster = self.cluster_named(input)?;
        if input.number("count").unwrap_or(1) != 1 {
            return refuse("the local AWS runs one task a call");
        }
        if input.0.get("launchType").is_some() && input.0.get("capacityProviderStrategy").is_some()
        {
            return refuse(
                "Specifying both a launch type and capacity provider strategy is not supported.",
            );
        }
        let definition = self.definitions.usable(input.need("taskDefinition")?)?;
        let vpc = definition.text("networkMode") == Some("awsvpc");
        if vpc && input.0.get("networkConfiguration").is_none() {
            return refuse(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
            );
        }
        let overrides = input.0.get("overrides").unwrap_or(&Value::Null);
        let overrides = Input(overrides).list("containerOverrides").to_vec();
        let containers = definition.containers();
        let unknown = overrides.iter().filter_map(|one| one["name"].as_str());
        if let Some(name) =
            unknown.into_iter().find(|name| containers.iter().all(|plan| plan.name != *name))
        {
            return refuse(&format!(
                "Override for container named {name} is not a container in the TaskDefinition."
            ));
        }
        let (arn, family) = (definition.arn.clone(), definition.text("family").unwrap_or_default());
        let run = Run {
            cluster: cluster.clone(),
            group: input.text("group").map_or(format!("family:{family}"), str::to_owned),
            started_by: input.text("startedBy").map(str::to_owned),
            overrides,
        };
        let token = input.text("clientToken").map(|token| (cluster, token.to_owned()));
        if let Some(known) = token.as_ref().and_then(|token| self.known_run(token, input)) {
            return known;
        }
        let Some(task) = self.begin_task(Origin::Run(run), &arn, now) else {
            return refuse("TaskDefinition not found.");
        };
        if let Some(token) = token {
            self.runs.insert(token, (input.0.clone(), task.clone()));
        }
        Ok(self.ran(&task))
    }

    /// What the token made already. ECS forgets a token with its task, an hour after its end.
    fn known_run(
        &self,
        token: &(String, String),
        input: Input<'_>,
    ) -> Option<Result<Value, ApiError>> {
        let (asked, task) =
            self.runs.get(token).filter(|(_, task)| self.tasks.get(task).is_some())?;
        if asked == input.0 {
            return Some(Ok(self.ran(task)));
        }
        let why = format!("the client token belongs to another request, which made {task}");
        Some(Err(ApiError::refused("ConflictException", why)))
    }

    fn ran(&self, task: &str) -> Value {
        let tasks: Vec<_> =
            self.tasks.get(task).map(|task| self.task_view(task, epoch)).into_iter().collect();
        json!({ "tasks": tasks, "failures": [] })
    }

    /// A one-off ends with the container that was given a command, or with its first essential one; the
    /// others run for as long as it does.
    pub(super) fn plan_run(&mut self, arn: &str, at: Timestamp) {
        let Some(task) = self.tasks.get(arn) else { return };
        let told = |one: &Container| task.overrides(&one.plan.name).get("command").is_some();
        let number = task.containers.iter().position(told);
        let number = number
            .or_else(|| task.containers.iter().position(|one| one.plan.essential))
            .unwrap_or(0);
        let after = match task.containers.get(number).map(Container::behaviour) {
            Some(Behaviour::CrashAfter(after)) => after,
            Some(Behaviour::Crash | Behaviour::Exit(_)) => pace::draw(&mut self.dice, pace::CRASH),
            _ => pace::draw(&mut self.dice, pace::ONE_OFF),
        };
        self.agenda.task(at + after, arn, Step::Exit(number));
    }
}
