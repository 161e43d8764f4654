//! ECS's events, as `watch` hears them.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Woken, identity, is_schedule};
use crate::marks::TASK_GROUP;
use crate::model::{TargetId, TargetKind, TaskFailure, fell};

/// Something happened at a target: worth a look, and perhaps evidence already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// The target. `None` for the run of a schedule or a rule, of whose name ECS says 19 characters at
    /// most: the revision that ran finds it.
    pub target: Option<TargetId>,
    /// Who had a run started, as far as ECS says; empty for anything else.
    pub started_by: String,
    /// For a stopped task: the revision it ran, and how it ended.
    pub task: Option<(String, TaskFailure)>,
    /// ECS says that a deployment is complete; not whose.
    pub completed: bool,
    /// What happened, for the log.
    pub what: String,
}

/// What ECS writes before the name of who had it run a task: EventBridge Scheduler, and EventBridge's
/// rules. The whole is cut to 36 characters.
const SCHEDULERS: [(&str, TargetKind); 2] =
    [("chronos-schedule/", TargetKind::Schedule), ("events-rule/", TargetKind::Rule)];

/// ECS keeps so much of who started a task.
const LONGEST_STARTED_BY: usize = 36;

/// Whether the run of a revision can be this target's, by what ECS says of who started it.
pub fn may_have_started(target: &TargetId, started_by: &str) -> bool {
    let named = |(word, kind): (&str, TargetKind)| {
        let cut = started_by.strip_prefix(word)?;
        // Only what fills the 36 characters may have been cut.
        let fits = if started_by.len() < LONGEST_STARTED_BY {
            target.name == cut
        } else {
            target.name.starts_with(cut)
        };
        Some(target.kind == kind && fits)
    };
    SCHEDULERS.into_iter().find_map(named).unwrap_or(false)
}

#[derive(Deserialize)]
struct Envelope {
    account: String,
    region: String,
    #[serde(default)]
    resources: Vec<String>,
    detail: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    #[serde(default)]
    cluster_arn: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    started_by: String,
    #[serde(default)]
    desired_status: String,
    #[serde(default)]
    task_arn: String,
    #[serde(default)]
    task_definition_arn: String,
    #[serde(default)]
    stop_code: Option<String>,
    #[serde(default)]
    stopped_reason: Option<String>,
    #[serde(default)]
    started_at: Option<Timestamp>,
    #[serde(default)]
    stopping_at: Option<Timestamp>,
    #[serde(default)]
    updated_at: Option<Timestamp>,
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    #[serde(default)]
    name: String,
    #[serde(default)]
    exit_code: Option<i64>,
    #[serde(default)]
    reason: Option<String>,
}

/// What `watch` is woken for.
pub fn watch(event: &Value) -> Woken<Happened> {
    if is_schedule(event, "tick") {
        return Woken::Schedule;
    }
    let Ok(envelope) = Envelope::deserialize(event) else {
        return Woken::NotUnderstood(identity(event));
    };
    match event.get("detail-type").and_then(Value::as_str) {
        Some("ECS Task State Change") => task(event, &envelope),
        Some(kind @ ("ECS Deployment State Change" | "ECS Service Action")) => {
            let text = |key: &str| envelope.detail.get(key).and_then(Value::as_str).unwrap_or("?");
            let name = text("eventName");
            // The start of ECS's own rollback has the same name; only its reason differs.
            if name == "SERVICE_DEPLOYMENT_IN_PROGRESS" && !text("reason").contains("rolling back")
            {
                return Woken::Nothing("a deployment started".to_owned());
            }
            // It repeats while nothing happens, and names no deployment: no release hangs on it, and
            // template.yaml does not route it.
            if name == "SERVICE_STEADY_STATE" {
                return Woken::Nothing("a service is steady".to_owned());
            }
            let arn = envelope.resources.first().and_then(|arn| arn.split_once(":service/"));
            let Some((_, name_of_service)) = arn else {
                return Woken::NotUnderstood(identity(event));
            };
            let Some((cluster, service)) = name_of_service.split_once('/') else {
                return Woken::Nothing(format!(
                    "the ARN of {name_of_service} is of the old form and names no cluster; the \
                     tick looks there"
                ));
            };
            Woken::By(Happened {
                target: Some(target(&envelope, cluster, service)),
                started_by: String::new(),
                task: None,
                completed: name == "SERVICE_DEPLOYMENT_COMPLETED",
                what: format!("{kind}: {name}"),
            })
        }
        _ => Woken::NotUnderstood(identity(event)),
    }
}

/// A one-off task of ours that ends: its group names it. How it ended is asked of ECS.
fn one_off(envelope: &Envelope, task: &Task, cluster: Option<&str>) -> Woken<Happened> {
    let (Some(name), Some(cluster)) = (task.group.strip_prefix(TASK_GROUP), cluster) else {
        return Woken::Nothing(format!("task of {} belongs to no service", task.group));
    };
    if task.desired_status != "STOPPED" || task.stop_code.is_none() {
        return Woken::Nothing(format!("task {name} goes on"));
    }
    let target = TargetId { kind: TargetKind::Task, ..target(envelope, cluster, name) };
    let what = format!("one-off task {name} ended");
    let (target, started_by) = (Some(target), String::new());
    Woken::By(Happened { target, started_by, task: None, completed: false, what })
}

fn target(envelope: &Envelope, cluster: &str, service: &str) -> TargetId {
    TargetId {
        account: envelope.account.clone(),
        region: envelope.region.clone(),
        within: cluster.to_owned(),
        kind: TargetKind::Service,
        name: service.to_owned(),
    }
}

fn task(event: &Value, envelope: &Envelope) -> Woken<Happened> {
    let Ok(task) = Task::deserialize(&envelope.detail) else {
        return Woken::NotUnderstood(identity(event));
    };
    let service = task.group.strip_prefix("service:");
    let cluster = task.cluster_arn.rsplit_once('/').map(|(_, cluster)| cluster);
    let is_run = SCHEDULERS.iter().any(|(scheduler, _)| task.started_by.starts_with(scheduler));
    let (whose, target) = match (service, cluster) {
        (Some(service), Some(cluster)) => (service, Some(target(envelope, cluster, service))),
        _ if is_run => (task.started_by.as_str(), None),
        _ => return one_off(envelope, &task, cluster),
    };
    if task.desired_status != "STOPPED" {
        return Woken::Nothing(format!("a task of {whose} goes on"));
    }
    // The first event that carries the stop code is judged; the final STOPPED is 10-30 s later.
    let Some(stop_code) = task.stop_code else {
        return Woken::Nothing(format!("a task of {whose} stops, and ECS does not say why yet"));
    };
    let at = task.stopping_at.or(task.updated_at).unwrap_or(Timestamp::UNIX_EPOCH);
    let fell = fell(&task.containers, |c| c.exit_code, |c| c.reason.is_some());
    let ran = task.started_at.map(|started| at.duration_since(started).as_secs());
    let failure = TaskFailure {
        task: task.task_arn.rsplit('/').next().unwrap_or_default().to_owned(),
        stop_code,
        reason: task.stopped_reason.unwrap_or_default(),
        container: fell.map(|c| c.name.clone()).unwrap_or_default(),
        exit_code: fell.and_then(|c| c.exit_code),
        detail: fell.and_then(|c| c.reason.clone()).unwrap_or_default(),
        ran_seconds: ran.and_then(|seconds| u64::try_from(seconds).ok()),
        at,
    }
    .cut();
    let what = format!("ECS Task State Change: {failure}");
    let started_by = task.started_by;
    let task = Some((task.task_definition_arn, failure));
    Woken::By(Happened { target, started_by, task, completed: false, what })
}
