//! The calls that change a target, each written down before it is sent.

use std::time::Duration;

use jiff::Timestamp;
use tidegate_aws::ecs::{ContainerImage, Ecs, Seen};
use tidegate_aws::{App, Error, Refusal, RefusalKind};
use tidegate_core::definition::successor;
use tidegate_core::model::{Outcome, Pin, Slot};
use tidegate_core::sighting::{Deployment, Strategy};

/// A look this young needs no second one before a wave's call: `DescribeServices` itself lags so.
const FRESH: Duration = Duration::from_secs(15);

/// A call whose answer nobody saw lands within this time or not at all.
const LANDING: Duration = Duration::from_secs(60);

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

/// "Bring the release's revision in."
pub(crate) async fn apply(
    app: &App,
    ecs: &Ecs,
    slot: Box<Slot>,
    deadline: Timestamp,
) -> Result<Came, Error> {
    let config = app.table.config(&slot.release.pipeline, slot.config).await?;
    let (now, target) = (app.clock.now(), slot.target.clone());
    if config.target(&target).is_none() {
        let why = format!("config version {} does not name {target}", slot.config);
        return Ok(Came::To(slot, Outcome::Refused { why, at: now }));
    }
    let Some(revision) = slot.ours().map(str::to_owned) else {
        let why = "no revision was registered for it".to_owned();
        return Ok(Came::To(slot, Outcome::Refused { why, at: now }));
    };
    // An unanswered call may have landed: then a look is needed, however young the last one is.
    if slot.done.lost.is_some() || now > slot.seen_at + FRESH {
        match look(ecs, &slot).await {
            Ok(Some(seen)) => {
                let primary = seen.sighting.primary();
                match primary {
                    Some(d) if d.revision == revision => {
                        return Ok(Came::To(slot, Outcome::Already { at: now }));
                    }
                    Some(d) if !slot.is_baseline(&d.revision) => {
                        return Ok(Came::To(slot, drifted(d, now)));
                    }
                    _ => {}
                }
            }
            Ok(None) => {
                let why = format!("service {} is gone", target.service);
                return Ok(Came::To(slot, Outcome::Refused { why, at: now }));
            }
            Err(refusal) => return refused(app, slot, refusal),
        }
    }
    update(app, ecs, slot, &revision, deadline).await
}

/// "Bring the baseline back."
pub(crate) async fn roll_back(
    app: &App,
    ecs: &Ecs,
    slot: Box<Slot>,
    deadline: Timestamp,
) -> Result<Came, Error> {
    let now = app.clock.now();
    if !slot.baseline.has_way_back() {
        // Its revision names a tag, and what the tag shows by now may be the bytes that failed.
        let why = "no way back was known when it started, and none is now".to_owned();
        return Ok(Came::To(slot, Outcome::Refused { why, at: now }));
    }
    let seen = match look(ecs, &slot).await {
        Ok(Some(seen)) => seen,
        Ok(None) => {
            let why = format!("service {} is gone", slot.target.service);
            return Ok(Came::To(slot, Outcome::Refused { why, at: now }));
        }
        Err(refusal) => return refused(app, slot, refusal),
    };
    let wanted = slot.done.copy.clone().unwrap_or_else(|| slot.baseline.revision.clone());
    let primary = seen.sighting.primary();
    // Lag: a call of ours that is not answered may not show yet, so "there already" proves nothing.
    let settled = |call: Option<Timestamp>, lag| call.is_none_or(|at| now > at + lag);
    let sure = settled(slot.done.lost, LANDING) && settled(slot.done.called, FRESH);
    match primary {
        Some(d) if d.revision == wanted && sure => {
            return Ok(Came::To(slot, Outcome::Already { at: now }));
        }
        // ECS went back by itself, to the revision that names tags: right if the bytes are.
        Some(d) if d.revision == slot.baseline.running && d.revision != wanted => {
            match same_bytes(ecs, &slot, &seen).await {
                Ok(true) if sure => return Ok(Came::To(slot, Outcome::Already { at: now })),
                Ok(_) => {}
                Err(refusal) => return refused(app, slot, refusal),
            }
        }
        Some(d) if is_foreign(&slot, d) && !slot.asked.over_drift => {
            return Ok(Came::To(slot, drifted(d, now)));
        }
        _ => {}
    }
    let in_flight = seen
        .sighting
        .service_deployment
        .as_ref()
        .filter(|d| seen.sighting.strategy == Strategy::Native && !d.status.is_final())
        // Only what brings ours in: stopping our own way back would bring the bad bytes again.
        .filter(|d| d.revision.is_some() && d.revision.as_deref() == slot.ours());
    match in_flight {
        Some(native) => {
            let arn = native.arn.clone();
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
                    update(app, ecs, slot, &wanted, deadline).await
                }
                Err(refusal) => refused(app, slot, refusal),
            }
        }
        None => update(app, ecs, slot, &wanted, deadline).await,
    }
}

/// It runs what is neither ours nor the baseline.
fn is_foreign(slot: &Slot, deployment: &Deployment) -> bool {
    slot.ours() != Some(deployment.revision.as_str()) && !slot.is_baseline(&deployment.revision)
}

async fn look(ecs: &Ecs, slot: &Slot) -> Result<Option<Seen>, Refusal> {
    let name = slot.target.service.clone();
    let mut seen = ecs.describe(&slot.target.cluster, std::slice::from_ref(&name)).await?;
    Ok(seen.remove(&name).flatten())
}

/// Whether what ECS resolved for its rollback are the bytes that ran before.
///
/// Its rollback may still be on its way: then our service revision is listed beside the old one.
async fn same_bytes(ecs: &Ecs, slot: &Slot, seen: &Seen) -> Result<bool, Refusal> {
    let revisions = ecs.service_revisions(&seen.service_revisions).await?;
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

fn drifted(deployment: &Deployment, at: Timestamp) -> Outcome {
    Outcome::Drifted { seen: format!("it runs {} ({})", deployment.revision, deployment.id), at }
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
    let (cluster, service) = (slot.target.cluster.clone(), slot.target.service.clone());
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
