//! A target on its way back to its baseline.

use jiff::Timestamp;

use super::{
    LAG, LANDING, Primary, Verdict, drifted, failure, foreign, gone, is_over, next, primary,
    throttled, unanswered, wait,
};
use crate::decide::Seen;
use crate::guard::{Guard, stands};
use crate::model::{Blame, Outcome, Slot, SlotPhase};
use crate::sighting::{Deployment, RolloutState, ServiceDeploymentStatus, Sighting, Strategy};

/// A call that lands late is repaired this often; then something else is wrong.
const MOST_REPAIRS: u32 = 3;

pub(super) fn returning(
    slot: &Slot,
    seen: Option<&Seen>,
    deadline: Timestamp,
    now: Timestamp,
) -> Verdict {
    let host = slot.target.kind.host();
    let verdict = match slot.answer() {
        None => unanswered(slot, now),
        Some(Outcome::Refused { why, .. }) => {
            let remedy = "Mend what AWS names, then go back again";
            return_failed(slot, why, remedy, now)
        }
        Some(Outcome::Throttled { until }) => throttled(slot, *until, now),
        Some(Outcome::Drifted { seen, .. }) => drifted(slot, seen, now),
        Some(Outcome::Accepted { at, .. } | Outcome::Already { at }) => match seen {
            None | Some(Seen::Task { .. }) => {
                wait(slot, format!("{host} to bring the baseline back"), Some(deadline))
            }
            Some(Seen::Missing) => return_failed(slot, gone(slot), "Create it again", now),
            Some(Seen::Service(sighting)) => came_back(slot, sighting, *at, deadline, now),
        },
    };
    // What was accepted is judged by a look; what is not even answered needs none.
    let accepted =
        matches!(slot.answer(), Some(Outcome::Accepted { .. } | Outcome::Already { .. }));
    let over = if accepted { is_over(deadline, seen, now) } else { now >= deadline };
    verdict.or_when(over, |what| {
        let cause = format!("the rollback is not stable in time: still waiting for {what}");
        let remedy = format!("Look at it in {host}; then go back again, or accept it as it is");
        return_failed(slot, cause, &remedy, now)
    })
}

fn return_failed(slot: &Slot, cause: impl Into<String>, remedy: &str, now: Timestamp) -> Verdict {
    let failure = failure(cause, remedy, Blame::Other, now);
    let reason = failure.cause.clone();
    next(slot, SlotPhase::ReturnFailed { failure }, reason)
}

fn came_back(
    slot: &Slot,
    sighting: &Sighting,
    at: Timestamp,
    deadline: Timestamp,
    now: Timestamp,
) -> Verdict {
    let (landed, host) = (at + LANDING, slot.target.kind.host());
    match primary(slot, sighting) {
        Primary::Baseline(d) => on_baseline(slot, sighting, d, deadline, now),
        // A container service that ran the release's images before is named alike, going forth and back.
        Primary::Ours(d) if d.revision == slot.way_back() => {
            on_baseline(slot, sighting, d, deadline, now)
        }
        // Native strategies keep ours primary until the traffic is back.
        Primary::Ours(_) if goes_back(sighting) => wait(slot, "ECS to go back", Some(deadline)),
        Primary::Ours(d) if now < landed => {
            wait(slot, format!("{host} to leave {}", d.id), Some(landed))
        }
        Primary::Ours(d) if slot.repairs < MOST_REPAIRS => {
            let mut again = slot.asks_again(now);
            again.repairs += 1;
            let reason = format!("{} landed late or came back; asked again", d.id);
            Verdict::Next(Box::new(again), reason)
        }
        Primary::Ours(d) => {
            let cause = format!("our revision is back as {} after {MOST_REPAIRS} repairs", d.id);
            return_failed(slot, cause, "Look at who else deploys there", now)
        }
        // An operator asked to go back over it, and ECS may still show what was there.
        Primary::Other(d) if slot.asked.over_drift && now < landed => {
            wait(slot, format!("{host} to leave {}", d.id), Some(landed))
        }
        Primary::Other(d) => foreign(slot, d, now),
        Primary::None => wait(slot, format!("{host} to show a deployment"), Some(deadline)),
    }
}

/// ECS is on its way back by itself, or because deploy asked it to stop.
fn goes_back(sighting: &Sighting) -> bool {
    use ServiceDeploymentStatus as S;
    let status = sighting.service_deployment.as_ref().map(|native| native.status);
    let back =
        matches!(status, Some(S::StopRequested | S::RollbackRequested | S::RollbackInProgress));
    back && sighting.strategy == Strategy::Native
}

/// Back when it is settled and not worse than before.
fn on_baseline(
    slot: &Slot,
    sighting: &Sighting,
    deployment: &Deployment,
    deadline: Timestamp,
    now: Timestamp,
) -> Verdict {
    let baseline = &slot.baseline;
    if deployment.rollout == Some(RolloutState::Failed) {
        let host = slot.target.kind.host();
        let cause = format!("{host} gave the rollback up: {}", deployment.reason);
        return return_failed(slot, cause, &format!("Look at it in {host}"), now);
    }
    let verdict = other_bytes(slot, sighting, deployment, deadline, now)
        .or_else(|| not_yet_back(slot, sighting, deployment, deadline, now))
        .or_else(|| too_early_a_look(slot, sighting));
    if let Some(verdict) = verdict {
        return verdict;
    }
    let mut back = slot.becomes(SlotPhase::Returned { at: now });
    let ran = baseline.images.iter();
    back.live.clear();
    back.live.extend(ran.filter_map(|i| Some((i.container.clone(), i.digest.clone()?))));
    let reason = format!("runs its baseline {} again", deployment.revision);
    Verdict::Next(Box::new(back), reason)
}

/// The old revision names a tag, and may mean other bytes by now.
fn other_bytes(
    slot: &Slot,
    sighting: &Sighting,
    deployment: &Deployment,
    deadline: Timestamp,
    now: Timestamp,
) -> Option<Verdict> {
    let baseline = &slot.baseline;
    if deployment.revision != baseline.running || baseline.revision == baseline.running {
        return None;
    }
    match slot.answer() {
        // Deploy found other bytes under the old revision and asked for the pinned one.
        Some(Outcome::Accepted { .. }) => Some(match sighting.strategy {
            Strategy::Native if goes_back(sighting) => wait(slot, "ECS to go back", Some(deadline)),
            // ECS itself went back when it was told to stop: deploy is asked to compare the bytes,
            // for tasks that it started for that may have taken what the tag means by now.
            Strategy::Native => Verdict::Quietly(Box::new(slot.asks_again(now))),
            Strategy::Rolling => {
                let host = slot.target.kind.host();
                wait(slot, format!("{host} to bring {} in", baseline.revision), Some(deadline))
            }
        }),
        // Somebody had the old revision deployed anew after deploy compared its bytes, or before, and the
        // look that it compared by lagged: what its tag means by now was taken for that.
        Some(Outcome::Already { at }) if deployment.created_at + LAG > *at => {
            Some(Verdict::Quietly(Box::new(slot.asks_again(now))))
        }
        _ => None,
    }
}

/// Tasks are still on their way in, or others on their way out.
fn not_yet_back(
    slot: &Slot,
    sighting: &Sighting,
    deployment: &Deployment,
    deadline: Timestamp,
    now: Timestamp,
) -> Option<Verdict> {
    let baseline = &slot.baseline;
    let waits = |what: String| Some(wait(slot, what, Some(deadline)));
    // A baseline that was failing already never settles: as many tasks as before are enough.
    let was_failing = baseline.ran < baseline.desired;
    let enough = sighting.desired.min(baseline.ran);
    let running = deployment.running;
    if running < enough {
        return waits(format!("{running} of {enough} tasks of the baseline to run"));
    }
    if !(sighting.settled() || was_failing) {
        let host = slot.target.kind.host();
        return waits(format!("{host} to complete it ({running} of {enough} tasks run)"));
    }
    // Where that was none, or nobody says that it is complete, nothing of it has shown that the others
    // have gone: those of the release, and of whoever deployed since, which may run the same bytes.
    let told = deployment.rollout.is_some() || sighting.strategy == Strategy::Native;
    let others = sighting.deployments.iter().filter(|it| !slot.is_baseline(&it.revision));
    let others: u32 = others.map(|other| other.running).sum();
    if (was_failing || !told) && others > 0 {
        return waits(format!("{others} tasks of other revisions to stop"));
    }
    // Ours was complete once: until ECS gave the baseline up, or its time is over, it may go back to that.
    let may_return = !slot.live.is_empty() && sighting.guards.go_back();
    if was_failing && may_return && !sighting.settled() && now < deadline {
        let host = slot.target.kind.host();
        return waits(format!("{host} to decide about it, which may bring the release back"));
    }
    None
}

/// The look must be younger than the call that it judges.
fn too_early_a_look(slot: &Slot, sighting: &Sighting) -> Option<Verdict> {
    let shown = slot.done.called.map(|called| called + LAG);
    if let Some(shown) = shown.filter(|at| sighting.at < *at && stands(Guard::LateCall)) {
        return Some(wait(slot, "a look that shows the last call", Some(shown)));
    }
    let landed = slot.done.lost.map(|lost| lost + LANDING);
    if landed.is_some_and(|landed| sighting.at < landed) && stands(Guard::LateCall) {
        return Some(wait(slot, "a call without answer that may still land", landed));
    }
    None
}
