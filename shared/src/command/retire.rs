//! A pipeline that nobody wants any more.

use jiff::Timestamp;

use super::{Refused, check_owns_nothing, of_pipeline};
use crate::messages::retired;
use crate::model::{Change, Release, Retired, Scene};

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

/// What waits though nothing moves is behind a freeze; blocked bytes are refused when their turn comes.
fn ways_to_end(scene: &Scene, waiting: &Release) -> String {
    let pipeline = &scene.head.pipeline;
    let digests = waiting.images.values().map(|image| &image.digest);
    let left = digests.filter(|digest| !scene.blocked.contains_key(*digest));
    let blocks: Vec<_> =
        left.map(|digest| format!("`tidegate block {pipeline} {digest}`")).collect();
    let unfreeze = format!("`tidegate unfreeze {pipeline}`");
    if blocks.is_empty() {
        return format!("{unfreeze} has it refused, for its bytes are blocked");
    }
    format!("{unfreeze} lets it start, and after {} has it refused", blocks.join(" and "))
}
