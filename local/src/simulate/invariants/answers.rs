//! Part of `whole_or_back`: nothing becomes live whose URL answers wrongly, or whose alarm began to ring.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Moment, Wrongs};
use crate::simulate::raw::{Written, phase, text};
use crate::simulate::schedule::url;

/// An alarm is listened to with each tick: a minute apart, up to one late, and one look may be lost.
const UNHEARD: SignedDuration = SignedDuration::from_secs(180);

/// When each release opened its first wave.
#[derive(Debug, Default)]
pub(super) struct Answers {
    opened: BTreeMap<String, Timestamp>,
}

impl Answers {
    pub(super) fn landed(&mut self, now: &Moment<'_>, written: &[Written], wrongs: &mut Wrongs) {
        for (before, after) in written.iter().filter_map(Written::release) {
            let (id, was) = (text(&after["id"]), phase(before));
            match phase(after) {
                "rolling" if was != "rolling" => drop(self.opened.insert(id.to_owned(), now.at)),
                "live" if was == "baking" => self.live(now, after, wrongs),
                _ => {}
            }
        }
    }

    fn live(&self, now: &Moment<'_>, release: &Value, wrongs: &mut Wrongs) {
        let id = text(&release["id"]);
        let Some(pipeline) = now.pipeline(id).filter(|_| release["phase"]["accepted"] != true)
        else {
            return;
        };
        if pipeline.extras.url.is_some() {
            let url = url(&pipeline.name);
            let since = self.opened.get(id).copied().unwrap_or(now.at);
            let mut own =
                now.cloud.asked().iter().filter(|asked| asked.url == url && asked.at >= since);
            match own.next_back().map(|asked| asked.status) {
                None => wrongs.push(format!("{id} is live, and {url} was never asked")),
                Some(Some(200)) => {}
                Some(status) => {
                    wrongs.push(format!("{id} is live, and {url} answered {status:?}"));
                }
            }
        }
        // What is taken away may have made it ring.
        let back = text(&release["cause"]["kind"]) == "rollback";
        if pipeline.extras.alarm && !back {
            let alarms = now.cloud.cloudwatch_of(&pipeline.place());
            let opened = self.opened.get(id).copied().unwrap_or(now.at);
            let rings = alarms.rings_since(&pipeline.name);
            if let Some(since) = rings.filter(|at| *at > opened && *at + UNHEARD < now.at) {
                wrongs.push(format!("{id} is live, and its alarm rings since {since}"));
            }
        }
    }
}
