//! The table's stream: one record for each change of an item, in each item's own order only.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::epoch;
use crate::dynamodb::Change;

/// A busy table has several shards; what matters is that there is more than one.
const SHARDS: u64 = 4;
/// Lambda polls each shard about four times a second; nothing arrives sooner.
const POLL: Duration = Duration::from_millis(250);
/// Records of different items overtake each other by up to this much: a guess that is wide enough
/// to turn a transaction's records around.
const SPREAD_MS: u64 = 500;

/// A record on its way to the readers.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// When the item changed.
    pub at: Timestamp,
    /// When a reader sees it.
    pub ready: Timestamp,
    /// The shard it lies in.
    pub shard: u64,
    /// The item, for lanes and order.
    pub item: String,
    /// Its sequence number.
    pub sequence: String,
    /// As a function receives it.
    pub body: Value,
}

/// Numbers and shuffles records.
#[derive(Debug)]
pub struct Stream {
    arn: String,
    region: String,
    records: u64,
    dice: fastrand::Rng,
}

impl Stream {
    /// An empty stream.
    pub fn new(arn: &str, region: &str, seed: u64) -> Self {
        let dice = fastrand::Rng::with_seed(seed);
        Self { arn: arn.to_owned(), region: region.to_owned(), records: 0, dice }
    }

    /// The record of `change`, made at `at`.
    pub fn record(&mut self, change: &Change, at: Timestamp) -> Record {
        self.records += 1;
        let number = self.records;
        let sequence = format!("{:021}", 100_000_000_000_000_000_000_u128 + u128::from(number));
        let partition = change.keys["pk"].to_string();
        let kind = match (&change.old, &change.new) {
            (None, _) => "INSERT",
            (_, None) => "REMOVE",
            _ => "MODIFY",
        };
        let mut body = json!({
            "eventID": format!("{number:032x}"),
            "eventName": kind,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self.region,
            "dynamodb": {
                // Whole seconds, as the real stream gives them.
                "ApproximateCreationDateTime": epoch(at).as_f64().unwrap_or_default().floor(),
                "Keys": change.keys,
                "SequenceNumber": sequence,
                "SizeBytes": change.to_size(),
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": self.arn,
        });
        for (member, image) in [("NewImage", &change.new), ("OldImage", &change.old)] {
            if let Some(image) = image {
                body["dynamodb"][member] = image.clone();
            }
        }
        Record {
            at,
            ready: at + POLL + Duration::from_millis(self.dice.u64(..SPREAD_MS)),
            shard: hash(&partition) % SHARDS,
            item: change.keys.to_string(),
            sequence,
            body,
        }
    }
}

impl Change {
    fn to_size(&self) -> usize {
        let images = [Some(&self.keys), self.new.as_ref(), self.old.as_ref()];
        images.into_iter().flatten().map(|image| image.to_string().len()).sum()
    }
}

/// FNV-1a: small, and the same on every machine.
pub(crate) fn hash(text: &str) -> u64 {
    hash_on(0xcbf2_9ce4_8422_2325, text)
}

/// A hash that goes on with further text.
pub(crate) fn hash_on(hash: u64, text: &str) -> u64 {
    text.bytes().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_the_keys_of_the_real_one() {
        let item = |v: &str| json!({"pk": {"S": "a"}, "sk": {"S": "b"}, "v": {"S": v}});
        let change = Change {
            table: "t".to_owned(),
            keys: json!({"pk": {"S": "a"}, "sk": {"S": "b"}}),
            old: Some(item("1")),
            new: Some(item("2")),
        };
        let at: Timestamp = "2026-11-21T00:00:00.5Z".parse().unwrap();
        let mut stream = Stream::new("arn:stream", "us-west-2", 1);
        let record = stream.record(&change, at);
        assert_eq!(record.body["eventName"], "MODIFY");
        assert_eq!(record.body["dynamodb"]["NewImage"], item("2"));
        assert_eq!(record.body["dynamodb"]["OldImage"], item("1"));
        assert_eq!(record.body["dynamodb"]["ApproximateCreationDateTime"], 1_795_219_200.0);
        assert!(record.ready >= at + POLL);
        let next = stream.record(&Change { old: None, ..change }, at);
        assert!(next.sequence > record.sequence);
        assert_eq!(next.body["eventName"], "INSERT");
        assert!(next.body["dynamodb"].get("OldImage").is_none());
    }
}
