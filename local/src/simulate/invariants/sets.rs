//! Part of `one_release_per_push`: where images are joined, a release is one whole set of one commit, and
//! no newer set is lost.

use jiff::Timestamp;
use serde_json::Value;

use super::{Moment, Wrongs};
use crate::simulate::raw::{Written, phase, text};
use crate::simulate::schedule::{PATTERN, Pipeline};

/// A release that begins to move holds every image, all under one tag.
pub(super) fn landed(now: &Moment<'_>, written: &[Written], wrongs: &mut Wrongs) {
    for (before, after) in written.iter().filter_map(Written::release) {
        let id = text(&after["id"]);
        let opens = phase(after) == "rolling" && phase(before) == "surveying";
        let pushed = text(&after["cause"]["kind"]) == "push";
        let Some(pipeline) = now.pipeline(id).filter(|it| opens && pushed && joined(it)) else {
            continue;
        };
        let holds = |tag: &str| {
            pipeline.images.iter().all(|image| {
                let digest = text(&after["images"][&image.repository]["digest"]);
                now.pushes.ever(&image.repository, tag, digest)
            })
        };
        if !now.pushes.tags().any(holds) {
            wrongs.push(format!("{id} brings what no one commit was built into"));
        }
    }
}

/// No whole set is newer, image by image, than the one that was answered last.
pub(super) fn lost(now: &Moment<'_>, pipeline: &Pipeline, head: &Value, wrongs: &mut Wrongs) {
    let of = |repository: &String| (pipeline.name.clone(), repository.clone());
    let newer = |repository: &String, digest: &str| {
        let answered = text(&head["answered"][repository]["digest"]);
        let at = |digest| now.pushes.last(&of(repository), digest).map(Timestamp::as_second);
        // Within one second the registry's own order decides.
        at(digest) > at(answered).map(|at| at + 1)
    };
    // Images are joined by the commit in the pattern; another tag on all of them joins nothing.
    for tag in now.pushes.tags().filter(|tag| tag.starts_with(PATTERN)) {
        let whole = pipeline.images.iter().all(|image| {
            let digest = now.pushes.means(&image.repository, tag);
            digest.is_some_and(|digest| newer(&image.repository, digest))
        });
        if whole {
            wrongs.push(format!("{}: the set of {tag} was lost", pipeline.name));
        }
    }
}

pub(super) fn joined(pipeline: &Pipeline) -> bool {
    pipeline.extras.joined && pipeline.extras.promoted.is_none()
}
