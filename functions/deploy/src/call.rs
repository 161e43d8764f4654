//! The calls that change a target, each written down before it is sent.

use std::time::Duration;

use jiff::Timestamp;
use tidegate_aws::ecs::{ContainerImage, OneOff, Seen as Shown};
use tidegate_aws::{App, Error, Refusal, RefusalKind, Targets};
use tidegate_core::config::{PipelineConfig, TaskConfig};
use tidegate_core::decide::Seen;
use tidegate_core::definition::successor;
use tidegate_core::marks::{self, Role};
use tidegate_core::model::{Action, Outcome, Pin, Slot, TargetKind};
use tidegate_core::turn::{self, Known, Next};

/// A call with its 10 s operation timeout and the write after it need this much of the invocation.
/// What takes several (Lightsail's up to three) may be cut off: its intent is written down, and the next
/// invocation looks first.
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
    let targets = &app.targets(&slot.target.region, role);
    let named = config.as_ref().is_none_or(|config| config.names(&slot.target));
    let mut known = Known { named, ..Known::default() };
    let mut shown = None;
    let now = app.clock.now();
    loop {
        match turn::next(&slot, &known, now) {
            Next::Look => match look(targets, &slot).await {
                Ok(None) => known.seen = Some(Seen::Missing),
                Ok(Some(found)) => {
                    known.seen = Some(Seen::Service(Box::new(found.sighting.clone())));
                    shown = Some(found);
                }
                Err(refusal) => return refused(app, slot, refusal),
            },
            Next::Compare => match same_bytes(targets, &slot, shown.as_ref()).await {
                Ok(same) => known.same_bytes = Some(same),
                Err(refusal) => return refused(app, slot, refusal),
            },
            Next::Update(revision) => return bring(app, targets, slot, &revision, deadline).await,
            Next::Stop(arn) => return stop(app, targets, slot, arn, deadline).await,
            Next::Run(revision) => {
                let task = config.as_ref().and_then(|config| config.task(&slot.target)).cloned();
                let Some(task) = task else { return Ok(Came::Overtaken) };
                return run_task(app, targets, slot, &task, &revision, deadline).await;
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
    targets: &Targets,
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
    let (ecs, cluster) = (&targets.ecs, slot.target.within.clone());
    let launch = match ecs.launch_of(&cluster, &task.network_from).await {
        Ok(launch) => launch,
        Err(refusal) => return refused(app, slot, refusal),
    };
    let (name, token) = (task.name.as_str(), marks::token(&slot));
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
    targets: &Targets,
    slot: Box<Slot>,
    arn: String,
    deadline: Timestamp,
) -> Result<Came, Error> {
    let intent = format!("ecs:StopServiceDeployment {arn} ROLLBACK");
    let Some(slot) = intend(app, slot, intent, deadline).await? else {
        return Ok(Came::Overtaken);
    };
    match targets.ecs.stop_service_deployment(&arn).await {
        Ok(()) => {
            let at = app.clock.now();
            Ok(Came::To(slot, Outcome::Accepted { deployment: Some(arn), at }))
        }
        // It became final between the look and the stop: then the way back is an update.
        Err(refusal) if refusal.kind == RefusalKind::Conflict => {
            let wanted = slot.way_back().to_owned();
            bring(app, targets, slot, &wanted, deadline).await
        }
        Err(refusal) => refused(app, slot, refusal),
    }
}

async fn look(targets: &Targets, slot: &Slot) -> Result<Option<Shown>, Refusal> {
    targets.look([&slot.target]).await.remove(&slot.target).unwrap_or(Ok(None))
}

/// Whether what runs again under the old revision, which names a tag, are the bytes that ran before.
async fn same_bytes(
    targets: &Targets,
    slot: &Slot,
    shown: Option<&Shown>,
) -> Result<bool, Refusal> {
    let Some(shown) = shown else { return Ok(false) };
    match slot.target.kind {
        // Each of its runs asks the tag anew, and the tag may show the bytes that failed.
        TargetKind::Schedule | TargetKind::Rule | TargetKind::Task => Ok(false),
        // A deployment pulls when it is made: one that was there before the baseline was taken goes on.
        TargetKind::Lightsail => {
            let primary = shown.sighting.primary();
            Ok(primary.is_some_and(|primary| primary.created_at <= slot.baseline.at))
        }
        TargetKind::Service => resolved_the_same(targets, slot, &shown.service_revisions).await,
    }
}

/// What ECS resolved for its rollback. That may still be on its way: then our service revision is listed
/// beside the old one.
async fn resolved_the_same(
    targets: &Targets,
    slot: &Slot,
    resolved: &[String],
) -> Result<bool, Refusal> {
    let revisions = targets.ecs.service_revisions(resolved).await?;
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

/// The one call that moves a target to `revision`.
async fn bring(
    app: &App,
    targets: &Targets,
    slot: Box<Slot>,
    revision: &str,
    deadline: Timestamp,
) -> Result<Came, Error> {
    let target = slot.target.clone();
    let intent = format!("{} {} {revision}", Targets::action(target.kind), target.name);
    let Some(slot) = intend(app, slot, intent, deadline).await? else {
        return Ok(Came::Overtaken);
    };
    match targets.bring(&target, revision, &pins(&slot, revision)).await {
        Ok(deployment) => {
            tracing::info!(release = %slot.release, %target, revision, "accepted");
            Ok(Came::To(slot, Outcome::Accepted { deployment, at: app.clock.now() }))
        }
        Err(refusal) if is_inactive(&refusal) && revision == slot.baseline.revision => {
            with_copy(app, targets, slot, deadline).await
        }
        Err(refusal) => refused(app, slot, refusal),
    }
}

/// The images that make `revision`.
fn pins(slot: &Slot, revision: &str) -> Vec<Pin> {
    match slot.ours() {
        Some(ours) if ours == revision => slot.wanted.clone(),
        _ => slot.baseline.images.iter().filter_map(Pin::of_running).collect(),
    }
}

/// ECS refuses a deregistered revision in these words (no error code of its own).
fn is_inactive(refusal: &Refusal) -> bool {
    refusal.is_final() && refusal.message.to_lowercase().contains("inactive")
}

/// Somebody deregistered the way back: register a copy of it, and go there.
async fn with_copy(
    app: &App,
    targets: &Targets,
    slot: Box<Slot>,
    deadline: Timestamp,
) -> Result<Came, Error> {
    let base = match targets.ecs.task_definition(&slot.baseline.revision).await {
        Ok(base) => base,
        Err(refusal) => return refused(app, slot, refusal),
    };
    let pins = pins(&slot, &slot.baseline.revision);
    let tags = marks::of_revision(&slot.release, Role::Baseline);
    let definition = successor(&base.json, &base.tags, &pins, &tags)
        .map_err(|source| Error::Definition { base: base.arn.clone(), source })?;
    let copy = match targets.ecs.register(&definition).await {
        Ok(copy) => copy,
        Err(refusal) => return refused(app, slot, refusal),
    };
    let mut done = slot.done.clone();
    done.copy = Some(copy.clone());
    match app.table.record(&slot, done, false).await? {
        tidegate_aws::table::Recorded::Continues(slot) => {
            Box::pin(bring(app, targets, slot, &copy, deadline)).await
        }
        _ => Ok(Came::Overtaken),
    }
}

/// What a refusal means: patience, a result for people, or a call whose fate is unknown.
fn refused(app: &App, slot: Box<Slot>, refusal: Refusal) -> Result<Came, Error> {
    let at = app.clock.now();
    if refusal.may_have_landed() || refusal.after_silence {
        // The intent stays unanswered: the next turn looks before it calls.
        return Err(refusal.into());
    }
    if refusal.is_throttle() {
        let until = at + app.dice.jitter(PATIENCE);
        return Ok(Came::To(slot, Outcome::Throttled { until }));
    }
    Ok(Came::To(slot, Outcome::Refused { why: refusal.to_string(), at }))
}
