//! Drift between releases: a target that runs something else than its last release left there.

use std::fmt;

use jiff::Timestamp;

use crate::model::{ReleaseId, Slot, SlotPhase, TargetKind};
use crate::sighting::RunningImage;

/// What somebody changed at a target since its last release ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// What it is.
    pub kind: TargetKind,
    /// The release that was the last to end there.
    pub since: ReleaseId,
    /// The revision that it left.
    pub left: String,
    /// The revision that runs now; the same one, where only its bytes are others.
    pub runs: String,
    /// Who registered that revision, and when; as far as ECS says.
    pub registered: Option<Registered>,
}

/// Who made a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// An ARN: `registeredBy`.
    pub by: String,
    /// `registeredAt`
    pub at: Timestamp,
}

impl Drift {
    /// Compares what a target runs with what its slot's release left; `None` where they agree, or
    /// where nobody knows what was left.
    pub fn of(slot: &Slot, revision: &str, images: &[RunningImage]) -> Option<Self> {
        let left = Self::left(slot)?;
        let is_healthy = matches!(slot.phase, SlotPhase::Healthy { .. });
        let same = revision == left || (!is_healthy && slot.is_baseline(revision));
        let other_bytes = is_healthy && images.iter().any(|image| is_foreign(slot, image));
        (!same || other_bytes).then(|| Self {
            kind: slot.target.kind,
            since: slot.release.clone(),
            left: left.to_owned(),
            runs: revision.to_owned(),
            registered: None,
        })
    }

    /// The revision that a slot's release left; `None` where nobody knows.
    pub fn left(slot: &Slot) -> Option<&str> {
        match &slot.phase {
            SlotPhase::Healthy { .. } => slot.ours(),
            SlotPhase::Returned { .. } => Some(slot.way_back()),
            SlotPhase::Unaffected | SlotPhase::Untouched => Some(&slot.baseline.running),
            // It moves, or it was left to a person: nothing was promised of it.
            SlotPhase::Queued
            | SlotPhase::Applying { .. }
            | SlotPhase::Settling { .. }
            | SlotPhase::Sought { .. }
            | SlotPhase::Failed { .. }
            | SlotPhase::Returning { .. }
            | SlotPhase::ReturnFailed { .. }
            | SlotPhase::Drifted { .. }
            | SlotPhase::Left => None,
        }
    }

    /// Where it can be learnt who brought it there: `service` of `region`.
    pub fn lookup(&self, region: &str) -> String {
        // CloudTrail takes one attribute; of ECS's calls the event's name is always one.
        let from = self.registered.as_ref().map_or(String::new(), |registered| {
            format!(" --start-time {}", registered.at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        });
        format!(
            "aws cloudtrail lookup-events --region {region} --lookup-attributes \
             AttributeKey=EventName,AttributeValue={}{from}",
            self.kind.moved_by()
        )
    }
}

/// The release wanted other bytes in this container.
fn is_foreign(slot: &Slot, image: &RunningImage) -> bool {
    let Some(digest) = &image.digest else { return false };
    let wanted = slot.wanted.iter().find(|pin| pin.container == image.container);
    wanted.is_some_and(|pin| !pin.accepts.contains(digest))
}

/// `rag:9` of a revision's ARN.
pub fn revision_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind: _, since, left, runs, registered } = self;
        let (left, runs) = (revision_name(left), revision_name(runs));
        if left == runs {
            return write!(f, "somebody changed it since {since}: {runs} runs with other bytes");
        }
        write!(f, "somebody changed it: it runs {runs}, where {since} left {left}")?;
        match registered {
            Some(Registered { by, at }) => write!(f, "; {by} registered {runs} at {at:.0}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;
    use crate::stage::{Stage, arn, digest};

    fn runs(bytes: &Digest) -> RunningImage {
        RunningImage {
            container: "main".to_owned(),
            repository: "app".to_owned(),
            named: "app:uapi".to_owned(),
            digest: Some(bytes.clone()),
            source: String::new(),
        }
    }

    fn live() -> Slot {
        let mut stage = Stage::of(&[&["Rag"]]);
        stage.push("b1");
        stage.survey();
        stage.play();
        assert_eq!(stage.phase(2), "live");
        stage.slot("Rag").clone()
    }

    #[test]
    fn what_the_release_left_is_no_drift() {
        let slot = live();
        let ours = slot.ours().unwrap();
        assert_eq!(Drift::of(&slot, ours, &[runs(&digest("b1"))]), None);
        assert_eq!(Drift::of(&slot, ours, &[]), None, "unknown bytes accuse nobody");
    }

    #[test]
    fn another_revision_or_other_bytes_are() {
        let slot = live();
        let ours = slot.ours().unwrap().to_owned();
        let other = Drift::of(&slot, &arn("Rag", 9), &[runs(&digest("b1"))]).unwrap();
        assert_eq!((other.left.as_str(), other.since.number), (ours.as_str(), 2));
        let bytes = Drift::of(&slot, &ours, &[runs(&digest("c1"))]).unwrap();
        assert!(bytes.to_string().ends_with("runs with other bytes"), "{bytes}");
        // Even what ran before: nobody of ours brought it back.
        assert!(Drift::of(&slot, &slot.baseline.revision, &[]).is_some());
    }

    #[test]
    fn after_a_rollback_the_baseline_is_what_was_left() {
        let mut stage = Stage::of(&[&["Rag"]]);
        stage.push("b1");
        stage.work();
        stage.pass(30);
        stage.look();
        stage.task_stops("Rag", |_| {});
        stage.play();
        assert_eq!(stage.phase(2), "rolled_back");
        let slot = stage.slot("Rag").clone();
        assert_eq!(Drift::of(&slot, slot.way_back(), &[]), None);
        assert_eq!(Drift::of(&slot, &slot.baseline.running, &[]), None);
        assert!(Drift::of(&slot, slot.ours().unwrap(), &[]).is_some());
    }
}
