//! `never_backwards`: no push, however late, replaces a newer one; only an operator goes back.

use std::collections::BTreeMap;

use jiff::Timestamp;

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
