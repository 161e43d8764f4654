//! Small words that messages share: spans of time, lists, the story of a failure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{Failure, Head, Release, Retired, Slot, TargetKind};

/// Evidence beyond this is the audit trail's: `tidegate show` prints all of it.
const MOST_EVIDENCE: usize = 5;

/// `90 s`, `12 min`: as coarse as a reader needs.
pub(super) fn seconds(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        _ => format!("{} min", seconds / 60),
    }
}

/// The time between two moments.
pub(crate) fn span(from: Timestamp, to: Timestamp) -> String {
    seconds(u64::try_from(to.duration_since(from).as_secs()).unwrap_or_default())
}

/// Why nothing starts in a pipeline that is retired, and what ends that.
pub fn retired(head: &Head) -> Option<String> {
    let Retired { by, why, at } = head.retired.as_ref()?;
    let pipeline = &head.pipeline;
    Some(format!(
        "{pipeline} is retired, by {by} at {at} ({why}), and starts nothing; `tidegate config apply` of a \
         file that has it brings it back"
    ))
}

/// `1 service`, `9 services, 2 schedules and 1 rule`.
pub(super) fn targets(slots: &[&Slot]) -> String {
    let mut counts: BTreeMap<TargetKind, usize> = BTreeMap::new();
    for slot in slots {
        *counts.entry(slot.target.kind).or_default() += 1;
    }
    if counts.is_empty() {
        counts.insert(TargetKind::Service, 0);
    }
    let counted = |(kind, count): (TargetKind, usize)| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {}{plural}", kind.noun())
    };
    let counted: Vec<_> = counts.into_iter().map(counted).collect();
    match counted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => counted.concat(),
    }
}

/// The names of the slots' targets.
pub(crate) fn names(slots: &[&Slot]) -> String {
    slots.iter().map(|slot| slot.target.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The slots that this release changes, or would.
pub(super) fn affected<'a>(slots: &[&'a Slot]) -> Vec<&'a Slot> {
    use crate::model::SlotPhase::{Unaffected, Untouched};
    slots.iter().copied().filter(|s| !matches!(s.phase, Unaffected | Untouched)).collect()
}

/// The services among them; a one-off task is none.
pub(super) fn services_of<'a>(slots: &[&'a Slot]) -> Vec<&'a Slot> {
    slots.iter().copied().filter(|slot| !slot.target.is_task()).collect()
}

/// `What: …`, with one line for each thing seen.
pub(super) fn seen(evidence: &[String]) -> Option<String> {
    let (first, rest) = evidence.split_at(evidence.len().min(MOST_EVIDENCE));
    let mut lines = first.iter().map(|line| format!("- {line}")).collect::<Vec<_>>();
    if !rest.is_empty() {
        lines.push(format!("- and {} more", rest.len()));
    }
    (!lines.is_empty()).then(|| format!("Seen:\n{}", lines.join("\n")))
}

/// Why a release failed, what was seen, and what usually helps.
pub(super) fn story(failure: &Failure) -> Vec<String> {
    let Failure { cause, remedy, evidence, blame: _, at: _ } = failure;
    let why = format!("Why: {cause}.");
    let helps = (!remedy.is_empty()).then(|| format!("What usually helps: {remedy}."));
    [Some(why), seen(evidence), helps].into_iter().flatten().collect()
}

/// [`story`] of a release, where it has one.
pub(super) fn story_of(release: &Release) -> Vec<String> {
    release.failure.as_ref().map(story).unwrap_or_default()
}
