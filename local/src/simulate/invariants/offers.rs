//! Part of `one_release_per_push`: what is promoted are the bytes that became live before, once, in their
//! order, and never by a push.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Moment, Wrongs};
use crate::simulate::raw::{Written, members, phase, text};

/// What was offered to each pipeline.
#[derive(Debug, Default)]
pub(super) struct Offers {
    /// The releases that became live by themselves, with their bytes then, by their id.
    live: BTreeMap<String, Value>,
    /// Which release each offer was made of: the pipeline that took it, and that release's id.
    taken: BTreeSet<(String, String)>,
    /// The newest that was brought in, by pipeline.
    newest: BTreeMap<String, u64>,
}

impl Offers {
    pub(super) fn landed(&mut self, now: &Moment<'_>, written: &[Written], wrongs: &mut Wrongs) {
        for (before, after) in written.iter().filter_map(Written::release) {
            let (id, cause) = (text(&after["id"]), text(&after["cause"]["kind"]));
            if phase(after) == "live" && phase(before) != "live" {
                self.live.insert(id.to_owned(), after["images"].clone());
            }
            let promoted = now.pipeline(id).and_then(|it| it.extras.promoted.as_ref());
            match (promoted, cause) {
                (Some(_), "push") => wrongs.push(format!("{id} was started by a push")),
                (Some(own), "promoted") => self.offer(&own.from, before, after, wrongs),
                (None, "promoted") => wrongs.push(format!("{id} was promoted, and from nowhere")),
                _ => {}
            }
        }
    }

    fn offer(&mut self, upstream: &str, before: &Value, after: &Value, wrongs: &mut Wrongs) {
        let (id, from) = (text(&after["id"]), text(&after["cause"]["from"]));
        let Some(live) = self.live.get(from).filter(|_| from.starts_with(&format!("{upstream}/")))
        else {
            wrongs.push(format!("{id} was promoted from {from}, which was never live"));
            return;
        };
        // Once it is live it names all that runs: also what was left out of it.
        let offered = members(&after["images"]).filter(|(name, _)| {
            phase(after) != "live" || !before["images"][*name].is_null() && phase(before) != "live"
        });
        for (name, image) in offered {
            let (digest, proven) = (text(&image["digest"]), text(&live[name]["digest"]));
            if !proven.is_empty() && digest != proven {
                wrongs.push(format!("{id} brings {digest}, and {from} proved {proven}"));
            }
        }
        let pipeline = id.split('/').next().unwrap_or_default().to_owned();
        let new = before.is_null() || before["cause"] != after["cause"];
        if new && !self.taken.insert((pipeline.clone(), from.to_owned())) {
            wrongs.push(format!("{id} is another release of {from}"));
        }
        if phase(after) == "rolling" && phase(before) == "surveying" {
            let brought = from.rsplit('/').next().and_then(|it| it.parse().ok()).unwrap_or(0);
            let newest = self.newest.entry(pipeline).or_default();
            if brought < *newest {
                wrongs.push(format!("{id} brings what {from} proved, after that of {newest}"));
            }
            *newest = brought.max(*newest);
        }
    }
}
