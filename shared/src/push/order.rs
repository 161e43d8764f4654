//! Which of two pushes of an image is the newer one: never the order of arrival.

use std::cmp::Ordering;
use std::time::Duration;

use super::Member;
use crate::config::TagPattern;
use crate::guard::{Guard, stands};
use crate::model::Memory;

/// Less than any two pushes lie apart: the registry counts whole seconds.
const MOMENT: Duration = Duration::from_millis(1);

/// Whether the push is older than the newest answered one.
///
/// The same literal tag moved back on purpose is not: the tag's present digest decides there.
pub(super) fn reason_it_is_late(memory: &Memory, member: &Member) -> Option<String> {
    let Member { pattern, tag, bytes, .. } = member;
    if member.moves(memory) {
        return None;
    }
    let by_version = compare_versions(pattern, tag, memory).unwrap_or(Ordering::Equal);
    let by_time = (bytes.pushed_at, &bytes.digest).cmp(&(memory.pushed_at, &memory.digest));
    (by_version.then(by_time).is_lt() && stands(Guard::PushOrder)).then(|| {
        format!(
            "late: {} was pushed {}, and {}:{} of {} was answered already",
            bytes.label(),
            bytes.pushed_at,
            bytes.repository,
            memory.tag,
            memory.pushed_at
        )
    })
}

/// What is remembered of an image once this push of it is answered.
pub(super) fn remembered(before: Option<&Memory>, member: &Member) -> Memory {
    let bytes = &member.bytes;
    match before {
        Some(before) if before.digest == bytes.digest => before.clone().and_shown_by(&bytes.tags),
        // A tag that was moved back is newer than what it leaves, which another pattern may still show.
        Some(before) if member.moves(before) => {
            let pushed_at = bytes.pushed_at.max(before.pushed_at + MOMENT);
            Memory { pushed_at, ..Memory::of(bytes) }
        }
        _ => Memory::of(bytes),
    }
}

/// How a tag of a `{semver}` pattern follows what was answered under the same one.
fn compare_versions(pattern: &TagPattern, tag: &str, memory: &Memory) -> Option<Ordering> {
    if !pattern.orders_by_version() {
        return None;
    }
    let version = |tag: &str| pattern.matches(tag)?.semver();
    let newest = memory.tags().filter_map(|tag| version(tag)).max()?;
    Some(version(tag)?.cmp(&newest))
}
