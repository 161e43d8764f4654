//! What becomes live in one pipeline is offered to the next: the same digests, never built again.

use super::{Candidate, Member};
use crate::config::{PipelineConfig, TagPattern};
use crate::model::{Cause, Phase, Release, ReleaseImage, Scene};

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
    let images = config.promoted(&live.images).into_iter();
    let mut members = images.map(|(name, bytes)| (name, member(bytes)));
    let (image, pushed) = members.next()?;
    let mut candidate = Candidate::alone(&live.id.to_string(), &image, pushed);
    candidate.others = members.collect();
    candidate.promoted = Some(live.id.clone());
    Some(candidate)
}

/// Why `release`, which was offered from the pipeline of `upstream`, is not wanted there any more: bytes of
/// it are blocked since.
pub fn withdrawn(release: &Release, upstream: &Scene) -> Option<String> {
    let Cause::Promoted { from } = &release.cause else { return None };
    let blocked =
        |image: &ReleaseImage| Some((image.label(), upstream.blocked.get(&image.digest)?));
    let (label, block) = release.images.values().find_map(blocked)?;
    let (pipeline, digest) = (&upstream.head.pipeline, &block.digest);
    Some(format!(
        "{} comes from {from}, and by now {label} may not be released there: {block}. `tidegate reject {}` \
         turns it away; `tidegate unblock {pipeline} {digest}` if the bytes are right",
        release.id, release.id
    ))
}

fn member(bytes: ReleaseImage) -> Member {
    let tag = bytes.tags.first().cloned().unwrap_or_default();
    Member { pattern: TagPattern::anything(), tag, bytes, answered: None }
}
