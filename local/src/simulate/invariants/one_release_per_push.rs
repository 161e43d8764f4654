//! `one_release_per_push`: duplicates, extra tags, our own tags and the sweep make no second release;
//! a lost event makes no lost release. The same of whole sets, and of what is promoted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::offers::Offers;
use super::{Invariant, Moment, Wrongs, sets};
use crate::call::Noted;
use crate::simulate::pushes::Stream;
use crate::simulate::raw::{Table, Written, list, members, phase, text};

#[derive(Debug, Default)]
pub(super) struct OneReleasePerPush {
    /// How often a push brought these bytes into a release.
    brought: BTreeMap<(Stream, String), usize>,
    /// How often a person unblocked these bytes: they may come again.
    unblocked: BTreeMap<(String, String), usize>,
    /// What a person started last and when, which no push to the pipeline need have brought.
    started: BTreeMap<Stream, (String, Timestamp)>,
    /// Pipelines whose memory a person changed.
    told: BTreeSet<String>,
    /// Pipelines that were retired, and when each was brought back: nobody looks for pushes meanwhile,
    /// and they count as answered afterwards.
    retired: BTreeMap<String, Option<Timestamp>>,
    /// What was promoted.
    offers: Offers,
}

impl Invariant for OneReleasePerPush {
    fn name(&self) -> &'static str {
        "one_release_per_push"
    }

    fn landed(&mut self, now: &Moment<'_>, _: &Noted, written: &[Written], wrongs: &mut Wrongs) {
        self.offers.landed(now, written, wrongs);
        sets::landed(now, written, wrongs);
        for one in written {
            let Some(pipeline) = one.pipeline() else { continue };
            if let Some(digest) = one.key.1.strip_prefix("block#")
                && one.after.as_ref().is_some_and(|block| block["lifted"] == true)
            {
                let place = (pipeline.to_owned(), digest.to_owned());
                *self.unblocked.entry(place).or_default() += 1;
                self.told.insert(pipeline.to_owned());
            }
            if let (true, Some(after)) = (one.key.1.starts_with("push#"), &one.after) {
                no_own_tag(pipeline, text(&after["tag"]), wrongs);
            }
            if let (true, Some(after)) = (one.key.1 == "head", &one.after) {
                for (image, memory) in members(&after["answered"]) {
                    no_own_tag(pipeline, text(&memory["tag"]), wrongs);
                    let digest = text(&memory["digest"]);
                    if starts(written, image, digest) {
                        let stream = (pipeline.to_owned(), image.clone());
                        self.started.insert(stream, (digest.to_owned(), now.at));
                    }
                }
                let was = one.before.as_ref().is_some_and(|head| !head["retired"].is_null());
                if !after["retired"].is_null() {
                    self.retired.insert(pipeline.to_owned(), None);
                } else if was {
                    self.retired.insert(pipeline.to_owned(), Some(now.at));
                }
            }
            if let Some((before, after)) = one.release() {
                self.release(now, pipeline, before, after, written, wrongs);
            }
        }
    }

    fn ended(&mut self, now: &Moment<'_>, wrongs: &mut Wrongs) {
        for pipeline in now.pipelines.iter().filter(|it| sets::joined(it)) {
            let head = now.table.head(&pipeline.name);
            let known =
                self.told.contains(&pipeline.name) || self.retired.contains_key(&pipeline.name);
            if let Some(head) = head.filter(|_| !known) {
                sets::lost(now, pipeline, head, wrongs);
            }
        }
        for stream in now.pushes.streams() {
            let (pipeline, image) = stream;
            // Of a set nothing is answered before all of it is there.
            if now.pipeline(pipeline).is_some_and(sets::joined) {
                continue;
            }
            let arrivals = now.pushes.seen_at(stream, now.cloud, now.table);
            let Some(last) = arrivals.last() else { continue };
            let back = self.retired.get(pipeline);
            if back.is_some_and(|back| back.is_none_or(|back| last.at <= back)) {
                continue;
            }
            // Within one second the registry's own order decides.
            let clear = arrivals
                .iter()
                .rev()
                .nth(1)
                .is_none_or(|second| last.at.as_second() - second.at.as_second() > 1);
            if !clear || self.told.contains(pipeline) {
                continue;
            }
            let Some(head) = now.table.head(pipeline) else { continue };
            let answered = text(&head["answered"][image]["digest"]);
            let by_hand = self
                .started
                .get(stream)
                .is_some_and(|(digest, at)| digest == answered && *at > last.at);
            // Where nobody need have noticed the last, the one before it may have been answered.
            let noticed = arrivals.iter().rposition(|it| it.certain).unwrap_or_default();
            let found = arrivals[noticed..].iter().any(|it| it.digest == answered);
            if !found && !by_hand {
                let digest = &last.digest;
                wrongs.push(format!("{pipeline}: the push of {digest} was lost ({answered})"));
            } else if last.certain && !is_known(now.table, pipeline, &last.digest) {
                wrongs.push(format!("{pipeline}: no release came of {}", last.digest));
            }
        }
    }
}

impl OneReleasePerPush {
    /// Bytes that a release has not had before were brought into it.
    fn release(
        &mut self,
        now: &Moment<'_>,
        pipeline: &str,
        before: &Value,
        after: &Value,
        written: &[Written],
        wrongs: &mut Wrongs,
    ) {
        let early = ["waiting", "surveying"].contains(&phase(after));
        let pushed = text(&after["cause"]["kind"]) == "push";
        if !early || !pushed || phase(before) == "surveying" {
            return;
        }
        for (image, brought) in members(&after["images"]) {
            let digest = text(&brought["digest"]);
            if text(&before["images"][image]["digest"]) == digest || inherited(written, digest) {
                continue;
            }
            let stream = (pipeline.to_owned(), image.clone());
            let arrived = now.pushes.at(&stream).iter().filter(|it| it.digest == digest).count();
            // The rest of a set comes with what was blocked of it.
            let joined = now.pipeline(pipeline).is_some_and(sets::joined);
            let own =
                |(of, bytes): &(String, String)| of == pipeline && (bytes == digest || joined);
            let again: usize =
                self.unblocked.iter().filter(|(place, _)| own(place)).map(|(_, times)| times).sum();
            let count = self.brought.entry((stream, digest.to_owned())).or_default();
            *count += 1;
            if *count > arrived + again {
                let id = text(&after["id"]);
                wrongs.push(format!("{id} brings {digest}: release {count} of {arrived} pushes"));
            }
        }
    }
}

fn no_own_tag(pipeline: &str, tag: &str, wrongs: &mut Wrongs) {
    if tag.starts_with("tidegate-") {
        wrongs.push(format!("{pipeline}: Tidegate's own tag {tag} was taken for a push"));
    }
}

/// A release that is superseded in the same write leaves its images to the newer one.
fn inherited(written: &[Written], digest: &str) -> bool {
    written.iter().filter_map(Written::release).any(|(_, release)| {
        phase(release) == "superseded"
            && members(&release["images"]).any(|(_, image)| text(&image["digest"]) == digest)
    })
}

/// A person started these bytes with this write.
fn starts(written: &[Written], image: &str, digest: &str) -> bool {
    let digest_of = |release: &Value| text(&release["images"][image]["digest"]).to_owned();
    written.iter().filter_map(Written::release).any(|(before, after)| {
        let new = digest_of(before) != digest || before["cause"] != after["cause"];
        text(&after["cause"]["kind"]) == "start" && digest_of(after) == digest && new
    })
}

/// Some release brought these bytes, or a line says why none did.
fn is_known(table: &Table, pipeline: &str, digest: &str) -> bool {
    let pk = format!("pipeline#{pipeline}");
    let mut releases = table.under(&pk, "release#").map(|(_, release)| release);
    let brings = |release: &Value| {
        members(&release["images"]).any(|(_, image)| text(&image["digest"]) == digest)
    };
    let mut lines = table.under(&pk, "push#").chain(table.under(&pk, "journal#"));
    releases.any(brings)
        || lines.any(|(_, line)| {
            text(&line["digest"]) == digest
                || text(&line["reason"]).contains(&digest[7..19])
                || list(&line["evidence"]).any(|it| text(it).contains(digest))
        })
}
