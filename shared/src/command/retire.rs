//! A pipeline that nobody wants any more.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Refused, check_owns_nothing, of_pipeline};
use crate::messages::retired;
use crate::model::{Change, Digest, Release, Retired, Scene};

/// `config retire`: nothing starts any more, and the targets are free for other pipelines. Nothing is moved.
///
/// Whoever writes it takes the pipeline from those that look at its repositories, in the same transaction.
pub fn retire(scene: &Scene, actor: &str, why: &str, now: Timestamp) -> Result<Change, Refused> {
    check_in_force(scene)?;
    let pipeline = &scene.head.pipeline;
    check_owns_nothing(scene, &format!("retire {pipeline}"))?;
    if let Some(release) = &scene.waiting {
        return Err(Refused(format!(
            "{} waits; retire {pipeline} when it has ended: {}",
            release.id,
            ways_to_end(scene, release)
        )));
    }
    let mut head = scene.head.stepped();
    head.retired = Some(Retired { by: actor.to_owned(), why: why.to_owned(), at: now });
    Ok(of_pipeline(head, actor, "retired", why.to_owned(), now))
}

/// Refuses what would start something in a pipeline that is retired.
pub fn check_in_force(scene: &Scene) -> Result<(), Refused> {
    retired(&scene.head).map_or(Ok(()), |why| Err(Refused(why)))
}

/// What waits though nothing moves is behind a freeze; blocked bytes are refused when their turn comes. What
/// is live is not blocked for it: whatever comes next would have no way back.
fn ways_to_end(scene: &Scene, waiting: &Release) -> String {
    let pipeline = &scene.head.pipeline;
    let unfreeze = format!("`tidegate unfreeze {pipeline}`");
    let digests: BTreeSet<_> = waiting.images.values().map(|image| &image.digest).collect();
    let (blocked, left): (Vec<_>, Vec<_>) =
        digests.into_iter().partition(|digest| scene.blocked.contains_key(*digest));
    let (live, new): (Vec<_>, Vec<_>) = left.into_iter().partition(|digest| is_live(scene, digest));
    // What was joined is refused as one. Of others the rest goes on; what is live only if a person said so.
    let joined = scene.config.join_on.is_some();
    let refused = joined || live.is_empty() || waiting.cause.is_by_itself();
    if !blocked.is_empty() && (joined || (refused && new.is_empty())) {
        return format!("{unfreeze} has it refused, for its bytes are blocked");
    }
    if new.is_empty() {
        return format!("{unfreeze} ends it soon, for its bytes are live");
    }
    let enough = if joined { 1 } else { new.len() };
    let blocks = new.iter().take(enough);
    let blocks: Vec<_> =
        blocks.map(|digest| format!("`tidegate block {pipeline} {digest}`")).collect();
    let ends = if refused { "has it refused" } else { "with nothing but what is live" };
    format!("{unfreeze} lets it start, and after {} {ends}", blocks.join(" and "))
}

fn is_live(scene: &Scene, digest: &Digest) -> bool {
    let mut images = scene.live.iter().flat_map(|live| live.images.values());
    images.any(|image| image.digest == *digest)
}
