//! What an operator can type where a pipeline stands: every state has a way out.

use tidegate_core::model::{Cause, Hold, Phase, Release, Scene};

/// The commands that end what a pipeline is in, after `last` ended there without becoming live.
pub(super) fn ways_out(scene: &Scene, last: Option<&Release>) -> Vec<String> {
    let pipeline = &scene.head.pipeline;
    let verb = |verb: &str| format!("tidegate {verb} {pipeline}");
    let rollback = |release: &Release| match release.cause {
        Cause::Rollback { .. } => format!("tidegate rollback {pipeline} --to live"),
        _ => verb("rollback"),
    };
    let mut ways = match &scene.moving {
        None => Vec::new(),
        Some(release) => match &release.phase {
            Phase::Surveying { held: Some(Hold::NoWayBack { .. }), .. } => {
                let start = format!("tidegate start {} --without-way-back", release.id);
                vec![start, rollback(release), verb("abandon")]
            }
            Phase::Surveying { held: Some(Hold::Approval { .. }), .. }
                if release.approval_given().is_some() =>
            {
                vec![verb("follow"), rollback(release)]
            }
            Phase::Surveying { held: Some(Hold::Approval { .. }), .. } => {
                let of = |verb: &str| format!("tidegate {verb} {}", release.id);
                vec![of("approve"), of("reject")]
            }
            Phase::Surveying { held: Some(Hold::Unfit { .. }), .. } => {
                vec![format!("tidegate start {}", release.id), rollback(release), verb("abandon")]
            }
            Phase::Surveying { held: Some(Hold::Awaited { .. }), .. } => {
                vec![verb("follow"), verb("abandon")]
            }
            // No target of it waits to be brought back.
            Phase::RollbackFailed { .. } if release.cause.undoes() => {
                vec![verb("accept"), verb("abandon")]
            }
            Phase::Frozen { .. } | Phase::RollbackFailed { .. } => {
                vec![verb("rollback"), verb("accept"), verb("abandon")]
            }
            Phase::Drifted { .. } => {
                let all = format!("tidegate rollback {pipeline} --include-drifted");
                vec![verb("rollback"), all, verb("accept"), verb("abandon")]
            }
            Phase::Surveying { .. } | Phase::Rolling { .. } | Phase::Baking { .. } => {
                vec![verb("follow"), rollback(release)]
            }
            Phase::RollingBack { .. } => vec![verb("follow")],
            // The head names none of these as moving.
            Phase::Waiting { .. }
            | Phase::Live { .. }
            | Phase::RolledBack { .. }
            | Phase::Abandoned { .. }
            | Phase::Superseded { .. }
            | Phase::Expired { .. }
            | Phase::Rejected { .. }
            | Phase::Refused { .. } => Vec::new(),
        },
    };
    if let (None, Some(live)) = (&scene.moving, &scene.live) {
        // What runs is nobody's word then.
        if last.is_some_and(|last| matches!(last.phase, Phase::Abandoned { .. })) {
            ways.push(format!("tidegate start {pipeline}/live"));
        }
        // Not while somebody goes back from it: then it is blocked on purpose.
        let blocked = live.images.values().filter(|it| scene.blocked.contains_key(&it.digest));
        ways.extend(blocked.map(|it| format!("tidegate unblock {pipeline} {}", it.digest)));
    }
    // A release that is stuck comes first: unfreezing is refused until it has ended.
    let stuck = scene.moving.as_ref().is_some_and(|release| release.phase.is_stuck());
    if scene.head.freeze.is_some() && !stuck {
        ways.push(verb("unfreeze"));
    }
    ways
}
