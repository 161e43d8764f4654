//! Our revision is primary: healthy, failed, or not there yet.

use jiff::Timestamp;

use super::{Verdict, failed, failure};
use crate::decide::blame;
use crate::model::{Failure, Scene, Slot, SlotPhase, TargetKind};
use crate::sighting::{
    Deployment, LAG, RolloutState, ServiceDeployment, ServiceDeploymentStatus, Sighting, Strategy,
};

/// The verdict on our deployment, or what it still waits for.
pub(super) fn judge(
    scene: &Scene,
    slot: &Slot,
    sighting: &Sighting,
    deployment: &Deployment,
    now: Timestamp,
) -> Result<Verdict, String> {
    if let Some(verdict) = fallen(scene, slot, sighting, now) {
        return Ok(verdict);
    }
    if let Some(what) = reason_to_wait(slot, sighting, deployment) {
        return Err(what);
    }
    let unproven = sighting.desired == 0;
    let reason = if slot.target.kind.is_scheduled() {
        "names ours; its next run has to prove it".to_owned()
    } else if slot.target.kind == TargetKind::Lightsail {
        "runs ours: its deployment is active".to_owned()
    } else if unproven {
        "ECS completed it, with no task that could prove it (desired count 0)".to_owned()
    } else {
        format!("runs ours: {} of {} tasks, completed", deployment.running, sighting.desired)
    };
    let mut settled = slot.becomes(SlotPhase::Healthy { at: now, unproven });
    settled.live.clear();
    settled.live.extend(slot.wanted.iter().map(|p| (p.container.clone(), p.digest.clone())));
    Ok(Verdict::Next(Box::new(settled), reason))
}

/// Why a deployment of ours is not there yet.
pub(super) fn reason_to_wait(
    slot: &Slot,
    sighting: &Sighting,
    deployment: &Deployment,
) -> Option<String> {
    let native = service_deployment(slot, sighting);
    let complete = match sighting.strategy {
        // Services behind a Classic Load Balancer have no state: then the others must be gone.
        Strategy::Rolling => match deployment.rollout {
            Some(state) => state == RolloutState::Completed,
            None => sighting.deployments.len() == 1 && deployment.pending == 0,
        },
        Strategy::Native => native.is_some_and(|d| d.status == ServiceDeploymentStatus::Successful),
    };
    if !complete {
        let stage = native.and_then(|d| d.stage.as_deref());
        let stage = stage.map_or(String::new(), |stage| format!(", stage {stage}"));
        return Some(format!(
            "{} to complete it ({} of {} tasks run{stage})",
            slot.target.kind.host(),
            deployment.running,
            deployment.desired
        ));
    }
    // Its own tasks: those of the old revision may linger.
    if deployment.running < sighting.desired {
        return Some(format!("{} of {} tasks to run", deployment.running, sighting.desired));
    }
    (!sighting.unhealthy.is_empty())
        .then(|| format!("target health: {}", sighting.unhealthy.join("; ")))
}

/// Whether a deployment of ours has failed: by its tasks, or by ECS's own verdict.
pub(super) fn fallen(
    scene: &Scene,
    slot: &Slot,
    sighting: &Sighting,
    now: Timestamp,
) -> Option<Verdict> {
    let mut noted = slot.clone();
    for task in &sighting.failures {
        blame::note(&mut noted, task);
    }
    let needed = blame::needed(scene, slot);
    if let Some(failure) = blame::verdict(&noted, needed, now) {
        return Some(failed(&noted, failure));
    }
    if let Some(words) = given_up(slot, sighting) {
        let cause = format!("{} gave the deployment up", slot.target.kind.host());
        let failure = failure(cause, &remedy(slot), blame::of_tasks(&noted, words), now);
        return Some(failed(&noted, Failure { evidence: vec![words.to_owned()], ..failure }));
    }
    (noted.tasks.len() > slot.tasks.len()).then(|| {
        let noted = noted.becomes(slot.phase.clone());
        Verdict::Next(Box::new(noted), blame::stopped(needed))
    })
}

/// Where to look for why a deployment was given up.
pub(super) fn remedy(slot: &Slot) -> String {
    if slot.target.kind != TargetKind::Lightsail {
        return "`tidegate show` has the tasks' stop reasons".to_owned();
    }
    let containers: Vec<_> = slot.wanted.iter().map(|pin| pin.container.as_str()).collect();
    format!(
        "`aws lightsail get-container-log --service-name {} --container-name {}` has its last words",
        slot.target.name,
        containers.join("|")
    )
}

/// ECS's words where it decided against our deployment, whatever is primary by now.
pub(super) fn given_up<'a>(slot: &Slot, sighting: &'a Sighting) -> Option<&'a str> {
    use ServiceDeploymentStatus as S;
    let native = service_deployment(slot, sighting).filter(|d| match d.status {
        S::StopRequested
        | S::Stopped
        | S::RollbackRequested
        | S::RollbackInProgress
        | S::RollbackSuccessful
        | S::RollbackFailed => true,
        S::Pending | S::InProgress | S::Successful => false,
    });
    if let Some(native) = native {
        return Some(&native.reason);
    }
    let primary = sighting.primary()?;
    let replaced = !is_ours(slot, primary);
    let ours = if replaced { in_background(slot, sighting) } else { Some(primary) };
    if let Some(ours) = ours.filter(|d| d.rollout == Some(RolloutState::Failed)) {
        return Some(&ours.reason);
    }
    // It may be gone from the list: then the deployment that replaced it says why.
    (replaced && is_rollback(&primary.reason)).then_some(&primary.reason)
}

/// As ECS words its own rollbacks; a deployment that a person makes has other words.
fn is_rollback(reason: &str) -> bool {
    reason.contains("rolling back")
        || reason.contains("circuit breaker")
        || reason.contains("alarm")
}

/// Our deployment where it is listed and not primary. A container service that these images failed on
/// before still lists that failure, under the same name.
pub(super) fn in_background<'a>(slot: &Slot, sighting: &'a Sighting) -> Option<&'a Deployment> {
    let of_before = |d: &Deployment| {
        let called = slot.done.called.filter(|_| slot.target.kind == TargetKind::Lightsail);
        called.is_some_and(|called| d.created_at + LAG < called)
    };
    sighting.deployments.iter().find(|d| !d.primary && is_ours(slot, d) && !of_before(d))
}

fn is_ours(slot: &Slot, deployment: &Deployment) -> bool {
    slot.ours() == Some(deployment.revision.as_str())
}

/// For native strategies: the service deployment that brings our revision in. The newest one may
/// still be the one before it.
fn service_deployment<'a>(slot: &Slot, sighting: &'a Sighting) -> Option<&'a ServiceDeployment> {
    let native = sighting.service_deployment.as_ref();
    native.filter(|d| {
        sighting.strategy == Strategy::Native
            && d.revision.as_deref().is_none_or(|revision| slot.ours() == Some(revision))
    })
}
