//! What an operator can type where a pipeline stands: every state has a way out.

use tidegate_core::messages::going_back;
use tidegate_core::model::{Cause, Hold, Phase, Release, Scene};

/// The commands that end what a pipeline is in, after `last` ended there without becoming live.
pub(super) fn ways_out(scene: &Scene, last: Option<&Release>) -> Vec<String> {
    let pipeline = &scene.head.pipeline;
    // What brings it back is in a file, and said where it is retired. What an older program let in has to
    // end all the same.
    let retired = scene.head.retired.is_some();
    if retired && scene.moving.is_none() && scene.waiting.is_none() {
        return Vec::new();
    }
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
                // What goes back is looked at again itself; else a new one would take its place.
                let again = !retired || release.cause.goes_back();
                let again = again.then(|| format!("tidegate start {}", release.id));
                again.into_iter().chain([going_back(release), verb("abandon")]).collect()
            }
            Phase::Surveying { held: Some(Hold::Withdrawn { .. }), .. } => {
                vec![format!("tidegate reject {}", release.id), verb("abandon")]
            }
            // `unfreeze`, below; or it shall not start.
            Phase::Surveying { held: Some(Hold::Frozen), .. } => vec![going_back(release)],
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
        let abandoned = last.filter(|it| matches!(it.phase, Phase::Abandoned { .. }));
        ways.extend(abandoned.and_then(|last| after_abandon(scene, last)));
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

/// What brings one thing to all targets after `abandoned` was let go, when what runs is nobody's word:
/// what is live, or what was being gone back to. A push that waits would lose its place to it.
pub(crate) fn after_abandon(scene: &Scene, abandoned: &Release) -> Option<String> {
    let pipeline = &scene.head.pipeline;
    match abandoned.cause {
        _ if scene.waiting.is_some() => None,
        Cause::Rollback { .. } => Some(format!("tidegate start {}", abandoned.id)),
        _ => Some(format!("tidegate start {pipeline}/live")),
    }
}
