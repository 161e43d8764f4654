//! What builds really pushed, in order: the truth that the releases are held against.

use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use jiff::Timestamp;

use super::schedule::{Image, Schedule, Selected};
use crate::call::{Caller, Noted};
use crate::cloud::Cloud;
use crate::ecr::digest_of;
use crate::simulate::raw::{Table, text};

/// An image of a pipeline: the pipeline's name, the image's.
pub(super) type Stream = (String, String);

/// Bytes that arrived at an image of a pipeline, by a tag that it listens to, as far as anybody can
/// tell when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrival {
    /// The bytes.
    pub(super) digest: String,
    /// When.
    pub(super) at: Timestamp,
    /// Whether somebody must have noticed: a tag that left what nobody saw there looks as if it had
    /// always stood where it is.
    pub(super) certain: bool,
}

/// A tag that stood for longer was swept, whatever became of its event.
const SWEPT: Duration = Duration::from_mins(11);

/// Whether the pipeline wrote down when it first saw these bytes.
fn is_seen(table: &Table, (pipeline, _): &Stream, digest: &str) -> bool {
    table.get(&format!("pipeline#{pipeline}"), &format!("seen#{digest}")).is_some()
}

/// Whether a tag that the pipeline listens to shows these bytes now.
fn shows(cloud: &Cloud, image: &Image, digest: &str) -> bool {
    let shown = cloud.ecr.repository(&image.repository).and_then(|it| it.images.get(digest));
    shown.is_some_and(|shown| shown.tags.iter().any(|tag| image.tags.select(tag).is_some()))
}

/// All arrivals, of all images of all pipelines.
#[derive(Debug, Default)]
pub(super) struct Pushes {
    images: Vec<(Stream, Image)>,
    arrivals: BTreeMap<Stream, Vec<Arrival>>,
    means: BTreeMap<(String, String), String>,
    /// When a repository first took these bytes, under whatever name.
    first: BTreeMap<(String, String), Timestamp>,
    /// Every digest that a tag of a repository ever meant.
    meant: BTreeSet<(String, String, String)>,
}

impl Pushes {
    /// Listens as the pipelines of `schedule` do.
    pub(super) fn of(schedule: &Schedule) -> Self {
        // No push is anything to a pipeline that takes what was live in another one.
        let own = schedule.pipelines.iter().filter(|it| it.extras.promoted.is_none());
        let images = own.flat_map(|pipeline| {
            let images = pipeline.images.iter();
            images.map(|image| ((pipeline.name.clone(), image.repository.clone()), image.clone()))
        });
        Self { images: images.collect(), ..Self::default() }
    }

    /// A call landed; if it was a build's push, it may have been news.
    pub(super) fn landed(&mut self, noted: &Noted, cloud: &Cloud, table: &Table) {
        let call = &noted.call;
        // What is put on copies elsewhere is nothing to who reads at home, as all do that hear of pushes.
        let at_home = cloud.place_of(call) == cloud.place;
        if call.action != "PutImage" || noted.refusal.is_some() || !at_home {
            return;
        }
        let (repository, tag) =
            (text(&call.input["repositoryName"]), text(&call.input["imageTag"]));
        let digest = digest_of(text(&call.input["imageManifest"]));
        let is_build = call.caller == Caller::Operator;
        let (place, bytes) =
            ((repository.to_owned(), tag.to_owned()), (repository.to_owned(), digest.clone()));
        let mut left = None;
        if is_build {
            self.meant.insert((repository.to_owned(), tag.to_owned(), digest.clone()));
            left = self.means.insert(place, digest.clone()).filter(|left| *left != digest);
        }
        let first = *self.first.entry(bytes).or_insert(noted.at);
        for (stream, image) in
            self.images.iter().filter(|(_, image)| image.repository == repository)
        {
            let arrivals = self.arrivals.entry(stream.clone()).or_default();
            let known = arrivals.iter().position(|it| it.digest == digest);
            let selected = image.tags.select(tag).filter(|_| is_build);
            let seen = |digest: &str| is_seen(table, stream, digest);
            // One more name for known bytes is no news; a name that left the newest for them is.
            let is_left = |it: &&Arrival| Some(&it.digest) == left.as_ref();
            let literal = selected == Some(Selected::Literal);
            let newest = arrivals.last().filter(is_left).filter(|_| literal);
            let stood = |left: &Arrival| seen(&left.digest) || left.at + SWEPT < noted.at;
            let certain = newest.is_none_or(|left| left.certain && stood(left));
            let back = newest.is_some();
            // Where one more tag, any tag, anybody's, makes bytes look new that this pipeline has not
            // seen, nobody but ECR knows that they are old.
            let looks_new =
                cloud.ecr.retag_moves_push_time && !seen(&digest) && shows(cloud, image, &digest);
            let is_news = looks_new || back || (selected.is_some() && known.is_none());
            if !is_news {
                // Who has not seen yet what came since takes what the tag left for the newest.
                let so_far = arrivals.iter().rposition(|it| seen(&it.digest)).filter(|_| literal);
                let so_far = so_far.filter(|place| is_left(&&arrivals[*place]));
                if let Some(next) = so_far.map(|place| place + 1) {
                    let at = arrivals.get(next).map_or(noted.at, |next| next.at);
                    arrivals.insert(next, Arrival { digest: digest.clone(), at, certain: false });
                }
                continue;
            }
            if let Some(old) = known.filter(|_| looks_new) {
                arrivals.remove(old);
            }
            // Bytes that were there already under a name that is nothing to the pipeline are as old as
            // ECR says.
            let at = if looks_new || back { noted.at } else { first };
            let place = arrivals.partition_point(|it| it.at <= at);
            arrivals.insert(place, Arrival { digest: digest.clone(), at, certain });
        }
    }

    /// Every tag that a build ever put.
    pub(super) fn tags(&self) -> impl Iterator<Item = &str> {
        let all: BTreeSet<_> = self.means.keys().map(|(_, tag)| tag.as_str()).collect();
        all.into_iter()
    }

    /// What a tag means by now.
    pub(super) fn means(&self, repository: &str, tag: &str) -> Option<&str> {
        self.means.get(&(repository.to_owned(), tag.to_owned())).map(String::as_str)
    }

    /// Whether a tag ever meant these bytes.
    pub(super) fn ever(&self, repository: &str, tag: &str, digest: &str) -> bool {
        self.meant.contains(&(repository.to_owned(), tag.to_owned(), digest.to_owned()))
    }

    /// What arrived at an image, in order.
    pub(super) fn at(&self, stream: &Stream) -> &[Arrival] {
        self.arrivals.get(stream).map_or(&[], Vec::as_slice)
    }

    /// The same without what nobody can have seen: a tag left it before anybody asked, and no other of the
    /// pipeline's shows it.
    pub(super) fn seen_at(&self, stream: &Stream, cloud: &Cloud, table: &Table) -> Vec<&Arrival> {
        let image = self.images.iter().find(|(it, _)| it == stream).map(|(_, image)| image);
        let shows = |digest: &str| image.is_some_and(|image| shows(cloud, image, digest));
        let known = |it: &&Arrival| shows(&it.digest) || is_seen(table, stream, &it.digest);
        self.at(stream).iter().filter(known).collect()
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
