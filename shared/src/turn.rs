//! What deploy does next at a target whose lease it holds: look, call, or answer.
//!
//! Deploy chooses nothing: the slot says what is asked. Here is only how to get there without
//! undoing what somebody else did, and without believing a look that lags.

use std::time::Duration;

use jiff::Timestamp;

use crate::decide::Seen;
use crate::guard::{Guard, stands};
use crate::model::{Action, Outcome, Slot};
use crate::sighting::{Deployment, LAG, LANDING, Sighting, Strategy};

/// ECS knows a `RunTask` by its token for as long as the task lives and an hour more; a task that
/// failed at once lives for seconds. Half of that leaves room for the call itself.
const TOKEN: Duration = Duration::from_mins(30);

/// Deploy's next step.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Look at the service, and ask again.
    Look,
    /// Compare the bytes that ECS resolved with those that ran before, and ask again.
    Compare,
    /// Bring this revision in: `UpdateService`.
    Update(String),
    /// End the native deployment of this ARN: `StopServiceDeployment` with ROLLBACK.
    Stop(String),
    /// Run the task of this revision: `RunTask`.
    Run(String),
    /// Nothing is to be called: this is the answer.
    Answer(Outcome),
}

/// What deploy knows of the target by now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// The config version of the slot names the target.
    pub named: bool,
    /// What a look showed.
    pub seen: Option<Seen>,
    /// Whether what ECS resolved for its own rollback are the bytes that ran before.
    pub same_bytes: Option<bool>,
}

/// The next step for what the slot asks.
pub fn next(slot: &Slot, known: &Known, now: Timestamp) -> Next {
    match slot.asked.action {
        Action::None => Next::Answer(Outcome::Already { at: now }),
        Action::Apply if slot.target.is_task() => run(slot, known, now),
        Action::Undo => run(slot, known, now),
        Action::Apply => apply(slot, known, now),
        Action::RollBack => roll_back(slot, known, now),
    }
}

/// "Run the task, once."
fn run(slot: &Slot, known: &Known, now: Timestamp) -> Next {
    match revision(slot, known, now) {
        Err(refused) => refused,
        // A call whose answer nobody saw is sent again with its own token, and is the same task. Once
        // the token may have expired, it would be another.
        Ok(_) if slot.done.lost.is_some_and(|lost| now > lost + TOKEN) => {
            refused("whether it ran is not known: its call was never answered", now)
        }
        Ok(revision) => Next::Run(revision.to_owned()),
    }
}

/// The revision that the slot's release brings, if the config names its target.
fn revision<'s>(slot: &'s Slot, known: &Known, now: Timestamp) -> Result<&'s str, Next> {
    if !known.named {
        let (version, target) = (slot.config, &slot.target);
        return Err(refused(format!("config version {version} does not name {target}"), now));
    }
    slot.ours().ok_or_else(|| refused("no revision was registered for it", now))
}

/// "Bring the release's revision in."
fn apply(slot: &Slot, known: &Known, now: Timestamp) -> Next {
    let revision = match revision(slot, known, now) {
        Ok(revision) => revision,
        Err(refused) => return refused,
    };
    match &known.seen {
        // An unanswered call may have landed: then a look is needed, however young the last one is.
        // What is only named is replaced without a trace, so it is looked at right before.
        None | Some(Seen::Task { .. }) if slot.target.kind.is_scheduled() => Next::Look,
        None | Some(Seen::Task { .. }) if slot.done.lost.is_some() || now > slot.seen_at + LAG => {
            Next::Look
        }
        None | Some(Seen::Task { .. }) => Next::Update(revision.to_owned()),
        Some(Seen::Missing) => gone(slot, now),
        Some(Seen::Service(sighting)) => match sighting.primary() {
            Some(d) if d.revision == revision => Next::Answer(Outcome::Already { at: now }),
            Some(d) if !slot.is_baseline(&d.revision) && stands(Guard::Drift) => drifted(d, now),
            _ => Next::Update(revision.to_owned()),
        },
    }
}

/// "Bring the baseline back."
fn roll_back(slot: &Slot, known: &Known, now: Timestamp) -> Next {
    if !slot.baseline.has_way_back() {
        // Its revision names a tag, and what the tag shows by now may be the bytes that failed.
        return refused("no way back was known when it started, and none is now", now);
    }
    let sighting = match &known.seen {
        None | Some(Seen::Task { .. }) => return Next::Look,
        Some(Seen::Missing) => return gone(slot, now),
        Some(Seen::Service(sighting)) => sighting,
    };
    let wanted = slot.way_back();
    // Lag: a call of ours that is not answered may not show yet, so "there already" proves nothing.
    let settled = |call: Option<Timestamp>, lag| call.is_none_or(|at| now > at + lag);
    let sure = (settled(slot.done.lost, LANDING) && settled(slot.done.called, LAG))
        || !stands(Guard::LateCall);
    match sighting.primary() {
        Some(d) if d.revision == wanted && sure => {
            return Next::Answer(Outcome::Already { at: now });
        }
        // ECS went back by itself, to the revision that names tags: right if the bytes are.
        Some(d) if d.revision == slot.baseline.running && d.revision != wanted => {
            let trusted = (!stands(Guard::BreakerAdoption)).then_some(true);
            match known.same_bytes.or(trusted) {
                None => return Next::Compare,
                Some(true) if sure => return Next::Answer(Outcome::Already { at: now }),
                Some(_) => {}
            }
        }
        Some(d) if is_foreign(slot, d) && !slot.asked.over_drift => return drifted(d, now),
        _ => {}
    }
    match bringing_ours_in(slot, sighting) {
        Some(native) => Next::Stop(native),
        None => Next::Update(wanted.to_owned()),
    }
}

/// The native deployment in flight that brings our revision in: stopping our own way back would
/// bring the bad bytes again.
fn bringing_ours_in(slot: &Slot, sighting: &Sighting) -> Option<String> {
    let native = sighting.service_deployment.as_ref()?;
    let in_flight = sighting.strategy == Strategy::Native && !native.status.is_final();
    let ours = native.revision.is_some() && native.revision.as_deref() == slot.ours();
    (in_flight && ours).then(|| native.arn.clone())
}

/// It runs what is neither ours nor the baseline.
fn is_foreign(slot: &Slot, deployment: &Deployment) -> bool {
    let known = slot.ours() == Some(deployment.revision.as_str());
    !known && !slot.is_baseline(&deployment.revision) && stands(Guard::Drift)
}

fn drifted(deployment: &Deployment, at: Timestamp) -> Next {
    let seen = format!("it runs {} ({})", deployment.revision, deployment.id);
    Next::Answer(Outcome::Drifted { seen, at })
}

fn gone(slot: &Slot, at: Timestamp) -> Next {
    refused(format!("{} {} is gone", slot.target.kind.noun(), slot.target.name), at)
}

fn refused(why: impl Into<String>, at: Timestamp) -> Next {
    Next::Answer(Outcome::Refused { why: why.into(), at })
}
