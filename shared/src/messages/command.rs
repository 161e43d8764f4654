//! What a reader can type, each with a shell comment that says what it does.

use crate::model::{Cause, Digest, Release, ReleaseId};

pub(super) fn show(release: &ReleaseId) -> String {
    format!("tidegate show {release}  # every step, with what was seen")
}

pub(super) fn follow(pipeline: &str) -> String {
    format!("tidegate follow {pipeline}  # watch it move")
}

pub(super) fn rollback(release: &Release) -> String {
    let what = match release.cause {
        Cause::Rollback { .. } => "call it off: what is live stays",
        _ => "bring back what ran before",
    };
    format!("{}  # {what}", going_back(release))
}

/// Away from what is live. Who went back to it already has to say where to.
pub(super) fn leave(live: &Release) -> String {
    match live.cause {
        Cause::Rollback { .. } => history(&live.id.pipeline),
        _ => rollback(live),
    }
}

pub(super) fn down(pipeline: &str) -> String {
    format!("tidegate rollback {pipeline} --down  # undo what was run; only if the schema must go")
}

pub(super) fn rollback_again(release: &Release) -> String {
    format!("{}  # again; what you brought back by hand it finds there", going_back(release))
}

pub(super) fn rollback_drifted(release: &Release) -> String {
    format!("{} --include-drifted  # also what somebody else changed", going_back(release))
}

/// What brings the targets of `release` back: a rollback to an earlier one is called off.
pub fn going_back(release: &Release) -> String {
    let pipeline = &release.id.pipeline;
    match release.cause {
        Cause::Rollback { .. } => format!("tidegate rollback {pipeline} --to live"),
        _ => format!("tidegate rollback {pipeline}"),
    }
}

/// What a person can decide where `release` is stuck. What undoes one-off tasks brings nothing back.
pub(crate) fn ways_on(release: &Release) -> String {
    let accept = format!("`tidegate accept {}`", release.id.pipeline);
    match release.cause {
        Cause::Undo { .. } => accept,
        _ => format!("`{}` or {accept}", going_back(release)),
    }
}

/// How `release` comes to an end, for who wants something else of its targets: by itself, or by a word.
pub fn what_ends(release: &Release) -> String {
    let pipeline = &release.id.pipeline;
    match release.held() {
        _ if release.phase.is_stuck() => format!("a person decides, {}", ways_on(release)),
        Some(_) => format!("`tidegate status {pipeline}` says what it waits for, and what to type"),
        None => format!("`tidegate follow {pipeline}` shows when"),
    }
}

pub(super) fn accept(pipeline: &str) -> String {
    format!("tidegate accept {pipeline}  # this release is right as it runs")
}

pub(super) fn abandon(pipeline: &str) -> String {
    format!("tidegate abandon {pipeline}  # hands off: everything stays as it is")
}

pub(super) fn unfreeze(pipeline: &str) -> String {
    format!("tidegate unfreeze {pipeline}  # then let the next release start")
}

pub(super) fn unblock(pipeline: &str, digest: &Digest) -> String {
    format!("tidegate unblock {pipeline} {digest}  # if the image was not to blame")
}

pub(super) fn without_way_back(release: &ReleaseId) -> String {
    format!("tidegate start {release} --without-way-back  # go on; nothing could be brought back")
}

pub(super) fn start_again(release: &ReleaseId) -> String {
    format!("tidegate start {release}  # again, once it is mended")
}

pub(super) fn start_once_more(release: &ReleaseId) -> String {
    format!("tidegate start {release}  # the same images once more, if they are wanted after all")
}

pub(super) fn approve(release: &ReleaseId) -> String {
    format!("tidegate approve {release}  # let it move, exactly as shown")
}

pub(super) fn reject(release: &ReleaseId) -> String {
    format!("tidegate reject {release}  # no: these images do not come here again")
}

pub(super) fn history(pipeline: &str) -> String {
    format!("tidegate history {pipeline}  # what was released and refused, and why")
}
