//! A target on its way to the release's revision.

use jiff::Timestamp;

use super::{
    ANSWER, LAG, LANDING, Primary, Verdict, drifted, failed, failure, foreign, gone, is_over, next,
    ours, primary, throttled, unanswered, wait,
};
use crate::decide::{Seen, blame};
use crate::model::{Blame, Failure, Outcome, Phase, Scene, Slot, SlotPhase, TargetKind};
use crate::sighting::{Deployment, Sighting};

/// Asked so often deploy does not answer at all: ten times 90 s is the default patience with ECS.
const MOST_NUDGES: u32 = 10;

/// A target whose wave is still closed must stay on its baseline.
pub(super) fn queued(slot: &Slot, seen: Option<&Seen>, now: Timestamp) -> Verdict {
    match seen {
        None | Some(Seen::Task { .. }) => Verdict::Rest,
        Some(Seen::Missing) => drifted(slot, gone(slot), now),
        Some(Seen::Service(sighting)) => match primary(slot, sighting) {
            Primary::Ours(d) | Primary::Other(d) => foreign(slot, d, now),
            Primary::Baseline(_) | Primary::None => Verdict::Rest,
        },
    }
}

pub(super) fn applying(scene: &Scene, slot: &Slot, now: Timestamp) -> Verdict {
    match slot.answer() {
        None if slot.nudge >= MOST_NUDGES && now >= slot.asked.at + ANSWER => {
            let remedy = "Look at deploy's log and its dead letters";
            failed(slot, failure("deploy does not answer", remedy, Blame::Silence, now))
        }
        None => unanswered(slot, now),
        Some(Outcome::Accepted { at, .. } | Outcome::Already { at }) => {
            let patience = scene.config.patience(&slot.target, slot.baseline.native_minutes);
            let phase = SlotPhase::Settling { since: *at, deadline: *at + patience };
            let ours = slot.ours().unwrap_or("our revision");
            next(slot, phase, format!("{} accepted {ours}", slot.target.kind.host()))
        }
        Some(Outcome::Refused { why, .. }) => {
            let remedy = "Mend what AWS names; the next push, or `tidegate start`, tries again";
            failed(slot, failure(why, remedy, Blame::Other, now))
        }
        Some(Outcome::Throttled { until }) => throttled(slot, *until, now),
        Some(Outcome::Drifted { seen, .. }) => drifted(slot, seen, now),
    }
}

pub(super) fn settling(
    scene: &Scene,
    slot: &Slot,
    seen: Option<&Seen>,
    since: Timestamp,
    deadline: Timestamp,
    now: Timestamp,
) -> Verdict {
    let host = slot.target.kind.host();
    let verdict = match seen {
        None | Some(Seen::Task { .. }) => {
            wait(slot, format!("{host} to bring it up"), Some(deadline))
        }
        Some(Seen::Missing) => drifted(slot, gone(slot), now),
        Some(Seen::Service(sighting)) => match primary(slot, sighting) {
            Primary::Ours(deployment) => ours::judge(scene, slot, sighting, deployment, now)
                .unwrap_or_else(|what| wait(slot, what, Some(deadline))),
            Primary::Baseline(baseline) => not_there(slot, sighting, baseline, since, now),
            Primary::Other(deployment) => foreign(slot, deployment, now),
            Primary::None => wait(slot, format!("{host} to show a deployment"), Some(deadline)),
        },
    };
    verdict.or_when(is_over(deadline, seen, now), |what| {
        let cause = format!("not stable in time: still waiting for {what}");
        let remedy = "`tidegate show` has what was seen; `timeout` in the config gives it longer";
        failed(slot, failure(cause, remedy, Blame::Silence, now))
    })
}

/// The baseline is primary although ours was accepted: lag at first, then somebody's rollback.
///
/// What was not seen yet counts as vanished only in the second of two looks after the landing time.
fn not_there(
    slot: &Slot,
    sighting: &Sighting,
    baseline: &Deployment,
    since: Timestamp,
    now: Timestamp,
) -> Verdict {
    let landed = since + LANDING;
    if ours::in_background(slot, sighting).is_some() {
        vanished(slot, sighting, baseline, now)
    } else if now < landed {
        let what = format!("{} to show the new deployment", slot.target.kind.host());
        wait(slot, what, Some(landed))
    } else if slot.puzzled == 0 {
        let mut puzzled = slot.becomes(slot.phase.clone());
        puzzled.puzzled = 1;
        puzzled.seen_at = sighting.at;
        Verdict::Quietly(Box::new(puzzled))
    } else if sighting.at <= slot.seen_at {
        wait(slot, "another look: the new deployment is not there", None)
    } else {
        vanished(slot, sighting, baseline, now)
    }
}

/// Ours was there, and the baseline is primary again.
fn vanished(slot: &Slot, sighting: &Sighting, baseline: &Deployment, now: Timestamp) -> Verdict {
    let mut noted = slot.clone();
    for task in &sighting.failures {
        blame::note(&mut noted, task);
    }
    let given_up = ours::given_up(slot, sighting);
    let words = given_up.unwrap_or(&baseline.reason);
    // Only ECS itself brings an old deployment back; whoever calls it makes a new one.
    let is_old = slot.done.called.is_some_and(|called| baseline.created_at < called);
    let (cause, blame) = match slot.target.kind {
        // The deployment before it never stopped; the image is all that was new.
        TargetKind::Lightsail if given_up.is_some() => {
            ("Lightsail gave the deployment up and keeps the one before it", Blame::Image)
        }
        TargetKind::Service if given_up.is_some() || is_old => {
            ("ECS rolled it back by itself", blame::of_tasks(&noted, words))
        }
        _ => ("somebody put it back on its old revision", Blame::Other),
    };
    let remedy = ours::remedy(slot);
    let evidence = vec![format!("primary is {} ({}): {words}", baseline.revision, baseline.id)];
    failed(&noted, Failure { evidence, ..failure(cause, &remedy, blame, now) })
}

/// Healthy is asked again until the release is live: a crash in the bake counts.
pub(super) fn healthy(
    scene: &Scene,
    slot: &Slot,
    seen: Option<&Seen>,
    since: Timestamp,
    now: Timestamp,
) -> Verdict {
    match seen {
        None | Some(Seen::Task { .. }) => last_look(scene, slot, None, now),
        Some(Seen::Missing) => drifted(slot, gone(slot), now),
        Some(Seen::Service(sighting)) => match primary(slot, sighting) {
            Primary::Ours(deployment) => ours::fallen(scene, slot, sighting, now)
                .unwrap_or_else(|| last_look(scene, slot, Some((sighting, deployment)), now)),
            // A look that lags shows what was before ours, though the one before it did not.
            Primary::Baseline(old) if old.created_at < since && sighting.at < since + LAG => {
                last_look(scene, slot, None, now)
            }
            Primary::Baseline(baseline) => vanished(slot, sighting, baseline, now),
            Primary::Other(deployment) => foreign(slot, deployment, now),
            Primary::None => last_look(scene, slot, None, now),
        },
    }
}

/// After the bake a look must find everything as it was when it was judged healthy. That may take
/// as long as the rollout itself; then it did not hold.
fn last_look(
    scene: &Scene,
    slot: &Slot,
    seen: Option<(&Sighting, &Deployment)>,
    now: Timestamp,
) -> Verdict {
    let until = match scene.moving.as_ref().map(|release| &release.phase) {
        Some(Phase::Baking { until }) if now >= *until => *until,
        _ => return Verdict::Rest,
    };
    let seen = seen.filter(|(sighting, _)| sighting.at >= until);
    let what = match seen {
        None => "a last look".to_owned(),
        Some((sighting, deployment)) => match ours::reason_to_wait(slot, sighting, deployment) {
            Some(what) => what,
            None => return Verdict::Rest,
        },
    };
    let deadline = until + scene.config.patience(&slot.target, slot.baseline.native_minutes);
    wait(slot, what, Some(deadline)).or_when(is_over(deadline, seen.as_ref(), now), |what| {
        let cause = format!("it did not hold: still waiting for {what}");
        let remedy = "`tidegate show` has what was seen";
        failed(slot, failure(cause, remedy, Blame::Silence, now))
    })
}
