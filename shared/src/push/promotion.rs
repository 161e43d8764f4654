//! What becomes live in one pipeline is offered to the next: the same digests, never built again.

use super::{Candidate, Member};
use crate::config::{PipelineConfig, TagPattern};
use crate::model::{Cause, Phase, Release, ReleaseImage};

/// `live`, as the pipeline of `config` is offered it; `None` where it is not.
///
/// Only where a person approves it: otherwise an operator's `start` alone brings it. What somebody
/// accepted, adopted or went back to proves nothing new.
pub fn offered(live: &Release, config: &PipelineConfig) -> Option<Candidate> {
    let from_here = config.promote_from.as_ref() == Some(&live.id.pipeline);
    let held = matches!(live.phase, Phase::Live { accepted: false, .. });
    let proven = held && !matches!(live.cause, Cause::Adopted | Cause::Rollback { .. });
    if !from_here || !proven || config.approval.is_none() {
        return None;
    }
    let images = live.images.iter().filter(|(name, _)| config.images.contains_key(*name));
    let mut members = images.map(|(name, bytes)| (name.clone(), member(bytes)));
    let (image, pushed) = members.next()?;
    let mut candidate = Candidate::alone(&live.id.to_string(), &image, pushed);
    candidate.others = members.collect();
    candidate.promoted = Some(live.id.clone());
    Some(candidate)
}

fn member(bytes: &ReleaseImage) -> Member {
    let tag = bytes.tags.first().cloned().unwrap_or_default();
    Member { pattern: TagPattern::anything(), tag, bytes: bytes.clone(), answered: None }
}
