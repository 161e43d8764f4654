//! The marks by which Tidegate knows its own in AWS: written in one place, read in another.

use crate::fingerprint::fingerprint;
use crate::guard::{Guard, stands};
use crate::model::{ReleaseId, Slot};

/// What the image tags begin with that Tidegate puts on: no pattern ever matches one, no push of one
/// starts anything.
pub const OWN_TAG: &str = "tidegate-";

/// What those begin with that keep bytes from lifecycle rules; [`crate::model::Digest::keep_tag`] is whole.
pub const KEEP_TAG: &str = "tidegate-keep-";

/// What the group of a one-off task begins with; its name in the config follows. The event rule of
/// template.yaml selects tasks by it.
pub const TASK_GROUP: &str = "tidegate:";

/// The name of a one-off task's call: one for each release and task, so that no retry, nudge or second
/// invocation makes it run twice. ECS takes 64 characters; 32 hex digits are 128 bits.
pub fn token(slot: &Slot) -> String {
    let mut named = format!("{} {}", slot.release, slot.target);
    if !stands(Guard::RunToken) {
        named = format!("{named} {}", slot.done.step);
    }
    let mut token = fingerprint(&named);
    token.truncate(32);
    token
}

/// Who started a one-off task, as its `startedBy` says it: the token of its call, by which it is found where
/// nobody saw the answer.
pub fn started_by(token: &str) -> String {
    format!("tidegate/{token}")
}

/// What the tags of a revision begin with that are Tidegate's own: a successor has none of its base's.
pub const OWN_REVISION_TAG: &str = "tidegate:";

const RELEASE: &str = "tidegate:release";
const ROLE: &str = "tidegate:role";

/// What a revision was registered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// To bring the release's bytes.
    Release,
    /// To be the way back.
    Baseline,
}

/// The tags of a revision that is registered for a release.
pub fn of_revision(release: &ReleaseId, role: Role) -> [(String, String); 2] {
    let role = match role {
        Role::Release => "release",
        Role::Baseline => "baseline",
    };
    [(RELEASE.to_owned(), release.to_string()), (ROLE.to_owned(), role.to_owned())]
}

/// The release that a revision with these tags was registered for, as its tag says it; `None`: somebody
/// else registered it.
pub fn release_of(tags: &[(String, String)]) -> Option<&str> {
    tags.iter().find(|(key, _)| key == RELEASE).map(|(_, release)| release.as_str())
}
