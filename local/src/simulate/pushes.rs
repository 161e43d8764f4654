//! What builds really pushed, in order: the truth that the releases are held against.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::schedule::{Image, Schedule, Selected};
use crate::call::{Caller, Noted};
use crate::cloud::Cloud;
use crate::ecr::digest_of;
use crate::simulate::raw::{Table, text};

/// An image of a pipeline: the pipeline's name, the image's.
pub(super) type Stream = (String, String);

/// Bytes that arrived at an image of a pipeline, by a tag that it listens to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrival {
    /// The bytes.
    pub(super) digest: String,
    /// The tag.
    pub(super) tag: String,
    /// When.
    pub(super) at: Timestamp,
}

/// All arrivals, of all images of all pipelines.
#[derive(Debug, Default)]
pub(super) struct Pushes {
    images: Vec<(Stream, Image)>,
    arrivals: BTreeMap<Stream, Vec<Arrival>>,
    means: BTreeMap<(String, String), String>,
}

impl Pushes {
    /// Listens as the pipelines of `schedule` do.
    pub(super) fn of(schedule: &Schedule) -> Self {
        let images = schedule.pipelines.iter().flat_map(|pipeline| {
            let images = pipeline.images.iter();
            images.map(|image| ((pipeline.name.clone(), image.repository.clone()), image.clone()))
        });
        Self { images: images.collect(), ..Self::default() }
    }

    /// A call landed; if it was a build's push, it may have been news.
    pub(super) fn landed(&mut self, noted: &Noted, cloud: &Cloud, table: &Table) {
        let call = &noted.call;
        let build = call.caller == Caller::Operator && call.action == "PutImage";
        if !build || noted.refusal.is_some() {
            return;
        }
        let (repository, tag) =
            (text(&call.input["repositoryName"]), text(&call.input["imageTag"]));
        let digest = digest_of(text(&call.input["imageManifest"]));
        let place = (repository.to_owned(), tag.to_owned());
        let moved = self.means.insert(place, digest.clone()).as_ref() != Some(&digest);
        for (stream, image) in
            self.images.iter().filter(|(_, image)| image.repository == repository)
        {
            let Some(selected) = image.tags.select(tag) else { continue };
            let arrivals = self.arrivals.entry(stream.clone()).or_default();
            // Where one more tag makes bytes look new, only what was seen before tells them apart.
            let seen = || table.get(&format!("pipeline#{}", stream.0), &format!("seen#{digest}"));
            let looks_new = cloud.ecr.retag_moves_push_time && seen().is_none();
            let known = arrivals.iter().any(|it| it.digest == digest) && !looks_new;
            // One more name for known bytes is no news; the newest name moved back to them is.
            let back = |last: &Arrival| last.tag == tag && last.digest != digest;
            let back = moved && selected == Selected::Literal && arrivals.last().is_some_and(back);
            if !known || back {
                let (digest, tag) = (digest.clone(), tag.to_owned());
                arrivals.push(Arrival { digest, tag, at: noted.at });
            }
        }
    }

    /// What arrived at an image, in order.
    pub(super) fn at(&self, stream: &Stream) -> &[Arrival] {
        self.arrivals.get(stream).map_or(&[], Vec::as_slice)
    }

    /// When these bytes arrived last; `None` for what ran before.
    pub(super) fn last(&self, stream: &Stream, digest: &str) -> Option<Timestamp> {
        self.at(stream).iter().rev().find(|it| it.digest == digest).map(|it| it.at)
    }

    /// All images of all pipelines.
    pub(super) fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.images.iter().map(|(stream, _)| stream)
    }
}
