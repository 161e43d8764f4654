//! Which of two pushes of an image is the newer one: never the order of arrival.

use std::cmp::Ordering;

use super::Member;
use crate::config::{ImageConfig, TagPattern};
use crate::guard::{Guard, stands};
use crate::model::{Memory, ReleaseImage};

/// Whether the push is older than the newest answered one.
///
/// The same literal tag moved back on purpose is not: the tag's present digest decides there. Nor are the
/// answered bytes themselves, whose time may be that of what was unblocked since.
pub(super) fn reason_it_is_late(memory: &Memory, member: &Member) -> Option<String> {
    let Member { pattern, tag, bytes, .. } = member;
    if member.moves(memory) || member.is(Some(memory)) {
        return None;
    }
    let by_version = compare_versions(pattern, tag, memory).unwrap_or(Ordering::Equal);
    let late = by_version.then_with(|| compare_times(bytes, memory)).is_lt();
    (late && stands(Guard::PushOrder)).then(|| {
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
        // A tag that was moved back is newer than what it leaves, which another pattern may still show; and
        // than what was unblocked, which is remembered a moment before its time.
        Some(before) if member.moves(before) => {
            let pushed_at = bytes.pushed_at.max(before.pushed_at + 2 * Memory::MOMENT);
            Memory { pushed_at, ..Memory::of(bytes) }
        }
        _ => Memory::of(bytes),
    }
}

/// What is remembered of an image once a person started these bytes: as if they had been pushed. What was
/// answered last stays where the registry shows it as the newer, or the sweep would bring it again.
pub(crate) fn started(
    image: Option<&ImageConfig>,
    bytes: &ReleaseImage,
    before: Option<&Memory>,
) -> Memory {
    let Some(before) = before else { return Memory::of(bytes) };
    if before.digest == bytes.digest {
        return before.clone().and_shown_by(&bytes.tags);
    }
    let patterns = image.into_iter().flat_map(|image| &image.tags);
    let versions = patterns.flat_map(|pattern| {
        bytes.tags.iter().filter_map(|tag| compare_versions(pattern, tag, before))
    });
    let by_version = versions.max().unwrap_or(Ordering::Equal);
    match by_version.then_with(|| compare_times(bytes, before)) {
        Ordering::Less => before.clone(),
        Ordering::Equal | Ordering::Greater => Memory::of(bytes),
    }
}

/// The registry counts whole seconds; within one of them the digests decide, as they do in the sweep.
fn compare_times(bytes: &ReleaseImage, memory: &Memory) -> Ordering {
    (bytes.pushed_at, &bytes.digest).cmp(&(memory.pushed_at, &memory.digest))
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
