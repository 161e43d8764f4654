//! What a reader can type, each with a shell comment that says what it does.

use crate::model::{Digest, ReleaseId};

pub(super) fn show(release: &ReleaseId) -> String {
    format!("tidegate show {release}  # every step, with what was seen")
}

pub(super) fn follow(pipeline: &str) -> String {
    format!("tidegate follow {pipeline}  # watch it move")
}

pub(super) fn rollback(pipeline: &str) -> String {
    format!("tidegate rollback {pipeline}  # bring back what ran before")
}

pub(super) fn call_off(pipeline: &str) -> String {
    format!("tidegate rollback {pipeline} --to live  # call it off: what is live stays")
}

pub(super) fn down(pipeline: &str) -> String {
    format!("tidegate rollback {pipeline} --down  # undo what was run; only if the schema must go")
}

pub(super) fn rollback_again(pipeline: &str) -> String {
    format!("tidegate rollback {pipeline}  # try again")
}

pub(super) fn rollback_drifted(pipeline: &str) -> String {
    format!("tidegate rollback {pipeline} --include-drifted  # also what somebody else changed")
}

pub(super) fn accept(pipeline: &str) -> String {
    format!("tidegate accept {pipeline}  # what runs is right as it is")
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
