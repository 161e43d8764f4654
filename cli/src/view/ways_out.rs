//! What an operator can type where a pipeline stands: every state has a way out.

use tidegate_core::messages::going_back;
use tidegate_core::model::{Hold, Phase, Release, Scene};

/// The commands that end what a pipeline is in, after `last` ended there without becoming live.
pub(super) fn ways_out(scene: &Scene, last: Option<&Release>) -> Vec<String> {
    let pipeline = &scene.head.pipeline;
    let verb = |verb: &str| format!("tidegate {verb} {pipeline}");
    let mut ways = match &scene.moving {
        None => Vec::new(),
        Some(release) => match &release.phase {
            Phase::Surveying { held: Some(Hold::NoWayBack { .. }), .. } => {
                let start = format!("tidegate start {} --without-way-back", release.id);
                vec![start, going_back(release), verb("abandon")]
            }
            Phase::Surveying { held: Some(Hold::Approval { .. }), .. }
                if release.approval_given().is_some() =>
            {
                vec![verb("follow"), going_back(release)]
            }
            Phase::Surveying { held: Some(Hold::Approval { .. }), .. } => {
                let of = |verb: &str| format!("tidegate {verb} {}", release.id);
                vec![of("approve"), of("reject")]
            }
            Phase::Surveying { held: Some(Hold::Unfit { .. }), .. } => {
                vec![format!("tidegate start {}", release.id), going_back(release), verb("abandon")]
            }
            Phase::Surveying { held: Some(Hold::Awaited { .. }), .. } => {
                vec![verb("follow"), verb("abandon")]
            }
            // No target of it waits to be brought back.
            Phase::RollbackFailed { .. } if release.cause.undoes() => {
                vec![verb("accept"), verb("abandon")]
            }
            Phase::Frozen { .. } | Phase::RollbackFailed { .. } => {
                vec![going_back(release), verb("accept"), verb("abandon")]
            }
            Phase::Drifted { .. } => {
                let all = format!("{} --include-drifted", going_back(release));
                vec![going_back(release), all, verb("accept"), verb("abandon")]
            }
            Phase::Surveying { .. } | Phase::Rolling { .. } | Phase::Baking { .. } => {
                vec![verb("follow"), going_back(release)]
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
        // What runs is nobody's word then; what waits brings something to all of it.
        let abandoned = last.is_some_and(|it| matches!(it.phase, Phase::Abandoned { .. }));
        if abandoned && scene.waiting.is_none() {
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
