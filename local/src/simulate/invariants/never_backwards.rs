//! `never_backwards`: no push, however late, replaces a newer one; only an operator goes back. And no push
//! comes whose tag went back to what is live before anything moved.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{Invariant, Moment, Wrongs};
use crate::call::Noted;
use crate::simulate::pushes::Stream;
use crate::simulate::raw::{Written, members, phase, text};

#[derive(Debug, Default)]
pub(super) struct NeverBackwards {
    /// The newest push that was ever rolled out, by image.
    newest: BTreeMap<Stream, Timestamp>,
}

impl Invariant for NeverBackwards {
    fn name(&self) -> &'static str {
        "never_backwards"
    }

    fn landed(&mut self, now: &Moment<'_>, _: &Noted, written: &[Written], wrongs: &mut Wrongs) {
        for one in written {
            let (Some(pipeline), Some((before, after))) = (one.pipeline(), one.release()) else {
                continue;
            };
            let opens = phase(after) == "rolling" && phase(before) == "surveying";
            if !opens || text(&after["cause"]["kind"]) != "push" {
                continue;
            }
            taken_back(now, after, wrongs);
            for (image, brought) in members(&after["images"]) {
                let stream = (pipeline.to_owned(), image.clone());
                let digest = text(&brought["digest"]);
                let Some(pushed) = now.pushes.last(&stream, digest) else { continue };
                let newest = self.newest.entry(stream).or_insert(pushed);
                // Within one second the registry's own order decides.
                if pushed.as_second() + 1 < newest.as_second() {
                    let id = text(&after["id"]);
                    wrongs.push(format!("{id} brings {digest} of {pushed}, after one of {newest}"));
                }
                *newest = pushed.max(*newest);
            }
        }
    }
}

/// A tag that is moved back while its push is held takes it back.
fn taken_back(now: &Moment<'_>, opened: &Value, wrongs: &mut Wrongs) {
    let id = |release: &Value| {
        let (pipeline, number) = text(&release["id"]).split_once('/').unwrap_or_default();
        (pipeline.to_owned(), number.parse().unwrap_or(0_u64))
    };
    let (pipeline, own) = id(opened);
    for later in now.table.releases().filter(|later| phase(later) == "refused") {
        let is_later = id(later).0 == pipeline && id(later).1 > own;
        let to_live = text(&later["phase"]["why"]).starts_with("it is what ");
        let other = |(image, back): (&String, &Value)| {
            let brought = &opened["images"][image]["digest"];
            !brought.is_null() && *brought != back["digest"]
        };
        if is_later && to_live && members(&later["images"]).any(other) {
            let (opened, later) = (text(&opened["id"]), text(&later["id"]));
            wrongs.push(format!("{opened} begins, and {later} had taken it back"));
        }
    }
}
