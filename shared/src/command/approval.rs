//! A person's word for a release that waits for it.

use jiff::Timestamp;

use super::Refused;
use crate::decide::{self, release_entry};
use crate::model::{Approved, Change, Release, Scene};

/// `approve`: `wanted` may move as `plan` says, and not otherwise. `how` says what `by` did.
pub fn approve(
    scene: &Scene,
    wanted: &Release,
    plan: &str,
    (by, how): (&str, &str),
    now: Timestamp,
) -> Result<Change, Refused> {
    let release = waits(scene, wanted, |release| release.approval_asked().is_some())?;
    let id = &release.id;
    if release.approval_asked().is_none_or(|(now, _)| now != plan) {
        return Err(Refused(format!(
            "what {id} would change is not what was shown any more; `tidegate show {id}` shows it"
        )));
    }
    if let Some(given) = release.approval_given() {
        let pipeline = &id.pipeline;
        return Err(Refused(format!(
            "{id} was approved by {} already; `tidegate status {pipeline}` shows what it waits for",
            given.by
        )));
    }
    let mut next = release.clone();
    next.step += 1;
    next.approved = Some(Approved { by: by.to_owned(), at: now, plan: plan.to_owned() });
    let reason = format!("{how}; plan {}", Approved::short(plan));
    let entry = release_entry(release, &next, by, reason, None, now);
    Ok(Change { releases: vec![next], journal: vec![entry], ..Change::default() })
}

/// `reject`: it ends here, and its set of images is not released here again, but by `start`. Also what its
/// own pipeline does not stand by any more.
pub fn reject(
    scene: &Scene,
    wanted: &Release,
    actor: &str,
    why: &str,
    now: Timestamp,
) -> Result<Change, Refused> {
    let release = waits(scene, wanted, Release::can_be_rejected)?;
    Ok(decide::reject(scene, release, actor, why, now))
}

/// The release as it waits for a person's word now.
fn waits<'a>(
    scene: &'a Scene,
    wanted: &Release,
    so: impl Fn(&Release) -> bool,
) -> Result<&'a Release, Refused> {
    let moving = scene.moving.as_ref().filter(|moving| moving.id == wanted.id);
    let release = moving.filter(|release| so(release));
    release.ok_or_else(|| {
        let (id, phase) = (&wanted.id, moving.unwrap_or(wanted).phase.name());
        let pipeline = &id.pipeline;
        Refused(format!(
            "{id} is {phase} and does not wait for an approval; `tidegate status {pipeline}` shows \
             where {pipeline} stands"
        ))
    })
}
