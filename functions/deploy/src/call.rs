//! The calls that change a target, each written down before it is sent.

use std::time::Duration;

use jiff::Timestamp;
use tidegate_aws::ecs::{ContainerImage, Ecs, OneOff, Seen as Service};
use tidegate_aws::{App, Error, Refusal, RefusalKind};
use tidegate_core::config::{PipelineConfig, TaskConfig};
use tidegate_core::decide::Seen;
use tidegate_core::definition::successor;
use tidegate_core::model::{Action, Outcome, Pin, Slot};
use tidegate_core::turn::{self, Known, Next};

/// A call with its 10 s operation timeout and the write after it need this much of the invocation.
pub(crate) const RESERVE: Duration = Duration::from_secs(15);

/// Where AWS asks for patience, everybody comes back at another moment, up to this much later.
const PATIENCE: Duration = Duration::from_secs(45);

/// What a request came to.
pub(crate) enum Came {
    /// The slot under our lease, and the answer.
    To(Box<Slot>, Outcome),
    /// The lease was lost, or something newer is asked: nothing was sent.
    Overtaken,
}

/// Does what is asked: looks as far as the next step needs it, then calls or answers.
pub(crate) async fn act(app: &App, slot: Box<Slot>, deadline: Timestamp) -> Result<Came, Error> {
    let config = ruling(app, &slot).await?;
    let role = config.as_ref().and_then(|config| config.role.as_ref());
    let ecs = &app.ecs(&slot.target.region, role);
    let named = config.as_ref().is_none_or(|config| config.names(&slot.target));
    let mut known = Known { named, ..Known::default() };
    let mut resolved = Vec::new();
    let now = app.clock.now();
    loop {
        match turn::next(&slot, &known, now) {
            Next::Look => match look(ecs, &slot).await {
                Ok(None) => known.seen = Some(Seen::Missing),
                Ok(Some(service)) => {
                    known.seen = Some(Seen::Service(Box::new(service.sighting)));
                    resolved = service.service_revisions;
                }
                Err(refusal) => return refused(app, slot, refusal),
            },
            Next::Compare => match same_bytes(ecs, &slot, &resolved).await {
                Ok(same) => known.same_bytes = Some(same),
                Err(refusal) => return refused(app, slot, refusal),
            },
            Next::Update(revision) => return update(app, ecs, slot, &revision, deadline).await,
            Next::Stop(arn) => return stop(app, ecs, slot, arn, deadline).await,
            Next::Run(revision) => {
                let task = config.as_ref().and_then(|config| config.task(&slot.target)).cloned();
                let Some(task) = task else { return Ok(Came::Overtaken) };
                return run_task(app, ecs, slot, &task, &revision, deadline).await;
            }
            Next::Answer(outcome) => return Ok(Came::To(slot, outcome)),
        }
    }
}

/// The config that rules what is brought in: nothing that it does not name is changed. What goes back
/// needs it only for the role.
async fn ruling(app: &App, slot: &Slot) -> Result<Option<PipelineConfig>, Error> {
    match slot.asked.action {
        Action::None | Action::RollBack if !slot.by_role => Ok(None),
        _ => Ok(Some(app.table.config(&slot.release.pipeline, slot.config).await?)),
    }
}

/// `RunTask`, where and how the service beside it runs.
async fn run_task(
    app: &App,
    ecs: &Ecs,
    slot: Box<Slot>,
    task: &TaskConfig,
    revision: &str,
    deadline: Timestamp,
) -> Result<Came, Error> {
    let command = match (slot.asked.action, &task.down) {
        (Action::Undo, Some(down)) => down,
        (Action::Undo, None) => {
            let why = format!("the config does not say what undoes `{}`", task.name);
            return Ok(Came::To(slot, Outcome::Refused { why, at: app.clock.now() }));
        }
        _ => &task.command,
    };
    let cluster = slot.target.cluster.clone();
    let launch = match ecs.launch_of(&cluster, &task.network_from).await {
        Ok(launch) => launch,
        Err(refusal) => return refused(app, slot, refusal),
    };
    let (name, token) = (task.name.as_str(), turn::token(&slot));
    let intent = format!("ecs:RunTask {name} {revision}");
    let Some(slot) = intend(app, slot, intent, deadline).await? else {
        return Ok(Came::Overtaken);
    };
    let container = task.container.as_str();
    let one = OneOff { cluster: &cluster, name, revision, container, command, token: &token };
    match ecs.run_task(&one, launch).await {
        Ok(arn) => {
            tracing::info!(release = %slot.release, name, revision, arn, "runs");
            Ok(Came::To(slot, Outcome::Accepted { deployment: Some(arn), at: app.clock.now() }))
        }
        Err(refusal) => refused(app, slot, refusal),
    }
}

/// `StopServiceDeployment`: ECS itself brings the traffic back.
async fn stop(
    app: &App,
    ecs: &Ecs,
    slot: Box<Slot>,
    arn: String,
    deadline: Timestamp,
) -> Result<Came, Error> {
    let intent = format!("ecs:StopServiceDeployment {arn} ROLLBACK");
    let Some(slot) = intend(app, slot, intent, deadline).await? else {
        return Ok(Came::Overtaken);
    };
    match ecs.stop_service_deployment(&arn).await {
        Ok(()) => {
            let at = app.clock.now();
            Ok(Came::To(slot, Outcome::Accepted { deployment: Some(arn), at }))
        }
        // It became final between the look and the stop: then the way back is an update.
        Err(refusal) if refusal.kind == RefusalKind::Conflict => {
            let wanted = slot.way_back().to_owned();
            update(app, ecs, slot, &wanted, deadline).await
        }
        Err(refusal) => refused(app, slot, refusal),
    }
}

async fn look(ecs: &Ecs, slot: &Slot) -> Result<Option<Service>, Refusal> {
    let name = slot.target.name.clone();
    let mut found = ecs.describe(&slot.target.cluster, std::slice::from_ref(&name)).await?;
    Ok(found.remove(&name).flatten())
}

/// Whether what ECS resolved for its rollback are the bytes that ran before.
///
/// Its rollback may still be on its way: then our service revision is listed beside the old one.
async fn same_bytes(ecs: &Ecs, slot: &Slot, resolved: &[String]) -> Result<bool, Refusal> {
    let revisions = ecs.service_revisions(resolved).await?;
    let old: Vec<_> = revisions
        .into_values()
        .filter(|revision| revision.task_definition == slot.baseline.running)
        .collect();
    let ran_before = |containers: &[ContainerImage]| {
        slot.baseline.images.iter().all(|image| {
            containers.iter().any(|c| c.container == image.container && c.digest == image.digest)
        })
    };
    Ok(!old.is_empty() && old.iter().all(|revision| ran_before(&revision.containers)))
}

/// Renews the lease and writes the call down; `None`: it must not be sent.
async fn intend(
    app: &App,
    slot: Box<Slot>,
    call: String,
    deadline: Timestamp,
) -> Result<Option<Box<Slot>>, Error> {
    let now = app.clock.now();
    if now + RESERVE >= deadline {
        return Ok(None);
    }
    Ok(app.table.intend(&slot, call, now).await?.map(Box::new))
}

/// `UpdateService` to `revision`: the one call that moves a service.
async fn update(
    app: &App,
    ecs: &Ecs,
    slot: Box<Slot>,
    revision: &str,
    deadline: Timestamp,
) -> Result<Came, Error> {
    let (cluster, service) = (slot.target.cluster.clone(), slot.target.name.clone());
    let intent = format!("ecs:UpdateService {service} {revision}");
    let Some(slot) = intend(app, slot, intent, deadline).await? else {
        return Ok(Came::Overtaken);
    };
    match ecs.update_service(&cluster, &service, revision).await {
        Ok(deployment) => {
            tracing::info!(release = %slot.release, service, revision, "accepted");
            Ok(Came::To(slot, Outcome::Accepted { deployment, at: app.clock.now() }))
        }
        Err(refusal) if is_inactive(&refusal) && revision == slot.baseline.revision => {
            with_copy(app, ecs, slot, deadline).await
        }
        Err(refusal) => refused(app, slot, refusal),
    }
}

/// ECS refuses a deregistered revision in these words (no error code of its own).
fn is_inactive(refusal: &Refusal) -> bool {
    refusal.is_final() && refusal.message.to_lowercase().contains("inactive")
}

/// Somebody deregistered the way back: register a copy of it, and go there.
async fn with_copy(
    app: &App,
    ecs: &Ecs,
    slot: Box<Slot>,
    deadline: Timestamp,
) -> Result<Came, Error> {
    let base = match ecs.task_definition(&slot.baseline.revision).await {
        Ok(base) => base,
        Err(refusal) => return refused(app, slot, refusal),
    };
    let pins: Vec<Pin> = slot.baseline.images.iter().filter_map(Pin::of_running).collect();
    let tags = [
        ("tidegate:release".to_owned(), slot.release.to_string()),
        ("tidegate:role".to_owned(), "baseline".to_owned()),
    ];
    let definition = successor(&base.json, &base.tags, &pins, &tags)
        .map_err(|source| Error::Definition { base: base.arn.clone(), source })?;
    let copy = match ecs.register(&definition).await {
        Ok(copy) => copy,
        Err(refusal) => return refused(app, slot, refusal),
    };
    let mut done = slot.done.clone();
    done.copy = Some(copy.clone());
    match app.table.record(&slot, done, false).await? {
        tidegate_aws::table::Recorded::Continues(slot) => {
            Box::pin(update(app, ecs, slot, &copy, deadline)).await
        }
        _ => Ok(Came::Overtaken),
    }
}

/// What a refusal means: patience, a result for people, or a call whose fate is unknown.
fn refused(app: &App, slot: Box<Slot>, refusal: Refusal) -> Result<Came, Error> {
    let at = app.clock.now();
    if refusal.is_throttle() {
        let until = at + app.dice.jitter(PATIENCE);
        return Ok(Came::To(slot, Outcome::Throttled { until }));
    }
    if refusal.may_have_landed() {
        // The intent stays unanswered: the next turn looks before it calls.
        return Err(refusal.into());
    }
    Ok(Came::To(slot, Outcome::Refused { why: refusal.to_string(), at }))
}
