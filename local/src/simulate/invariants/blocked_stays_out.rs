//! `blocked_stays_out`: a digest to blame is not released there again, nor taken as a baseline. What undoes
//! a failed release's one-off tasks is in its own image, which may be to blame: a person asks for that.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Invariant, Moment, Wrongs};
use crate::call::Noted;
use crate::simulate::raw::{Written, list, members, phase, text};

/// A release that moves already may open a wave in the same moment in which a person blocks it: the
/// invocation that does so lives at most this long.
const IN_FLIGHT: SignedDuration = SignedDuration::from_secs(100);

#[derive(Debug, Default)]
pub(super) struct BlockedStaysOut {
    /// Since when, by pipeline and digest.
    since: BTreeMap<(String, String), Timestamp>,
}

impl Invariant for BlockedStaysOut {
    fn name(&self) -> &'static str {
        "blocked_stays_out"
    }

    fn landed(&mut self, now: &Moment<'_>, _: &Noted, written: &[Written], wrongs: &mut Wrongs) {
        for (before, after) in written.iter().filter_map(Written::release) {
            let (id, cause) = (text(&after["id"]), &after["cause"]);
            let begins = phase(after) == "surveying" && phase(before) != "surveying";
            let begins = begins && text(&cause["kind"]) != "undo";
            let moves = phase(after) == "rolling" && phase(before) == "surveying";
            let offered = text(&cause["kind"]) == "promoted";
            for digest in members(&after["images"]).map(|(_, image)| text(&image["digest"])) {
                if begins && self.is_blocked(id, digest, now.at, SignedDuration::ZERO) {
                    wrongs.push(format!("{id} begins with {digest}, which is blocked"));
                }
                let from = text(&cause["from"]);
                if moves && offered && self.is_blocked(from, digest, now.at, IN_FLIGHT) {
                    wrongs.push(format!("{id} moves with {digest}, which {from} went back from"));
                }
            }
        }
        for (before, after) in written.iter().filter_map(Written::slot) {
            let (id, target) = (text(&after["release"]), text(&after["target"]));
            let cause = now.table.release(id).map(|release| text(&release["cause"]["kind"]));
            let opens = phase(after) == "applying" && phase(before) != "applying";
            if opens && cause != Some("undo") {
                for digest in list(&after["wanted"]).map(|pin| text(&pin["digest"])) {
                    if self.is_blocked(id, digest, now.at, IN_FLIGHT) {
                        wrongs.push(format!("{id} brings {digest} to {target}: it is blocked"));
                    }
                }
            }
            if text(&before["release"]) != id && cause != Some("rollback") {
                for digest in list(&after["baseline"]["images"]).map(|it| text(&it["digest"])) {
                    if self.is_blocked(id, digest, now.at, IN_FLIGHT) {
                        wrongs.push(format!("{id} would go back to {digest}: it is blocked"));
                    }
                }
            }
        }
        for one in written {
            let Some(digest) = one.key.1.strip_prefix("block#") else { continue };
            let place = (one.pipeline().unwrap_or_default().to_owned(), digest.to_owned());
            match &one.after {
                Some(block) if block["lifted"] != true => {
                    self.since.entry(place).or_insert(now.at);
                }
                _ => {
                    self.since.remove(&place);
                }
            }
        }
    }
}

impl BlockedStaysOut {
    /// Whether it was blocked before, for longer than `flight`.
    fn is_blocked(
        &self,
        release: &str,
        digest: &str,
        now: Timestamp,
        flight: SignedDuration,
    ) -> bool {
        let pipeline = release.split('/').next().unwrap_or_default();
        let since = self.since.get(&(pipeline.to_owned(), digest.to_owned()));
        since.is_some_and(|since| now.duration_since(*since) >= flight)
    }
}
