//! A stream mapping: lanes of records, batches, retries, and what is given up.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::streams::{Record, hash};
use crate::template::Mapping;

/// Lambda's back-off between tries of a batch is not documented; it starts near a second.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// And is seen to grow to about a minute.
const LAST_RETRY: Duration = Duration::from_secs(60);

/// One mapping at work.
#[derive(Debug)]
pub struct Feed {
    mapping: Mapping,
    /// The function's program.
    pub program: String,
    lanes: BTreeMap<LaneId, Lane>,
}

/// A shard, and a lane of it: what is in one lane is served in order.
pub type LaneId = (u64, u64);

#[derive(Debug, Default)]
struct Lane {
    /// In order of readiness; records of one item never overtake each other.
    waiting: VecDeque<Record>,
    /// Tried before, in order; nothing that waits is served before them.
    again: VecDeque<Batch>,
    serving: Option<Batch>,
    not_before: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct Batch {
    records: Vec<Record>,
    attempts: u64,
}

/// A batch that was given up: what its queue is sent, without the records themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenUp {
    /// The queue's ARN, if the mapping names one.
    pub queue: Option<String>,
    /// The message.
    pub message: Value,
}

impl Feed {
    /// An idle mapping.
    pub fn new(mapping: Mapping, program: &str) -> Self {
        Self { mapping, program: program.to_owned(), lanes: BTreeMap::new() }
    }

    /// Takes a record in, unless a filter keeps it out; returns its lane.
    pub fn offer(&mut self, record: &Record) -> Option<LaneId> {
        let filters = &self.mapping.filters;
        if !self.mapping.enabled {
            return None;
        }
        if !filters.is_empty() && !filters.iter().any(|filter| filter.matches(&record.body)) {
            return None;
        }
        let id = (record.shard, hash(&record.item) % self.mapping.lanes.max(1));
        let waiting = &mut self.lanes.entry(id).or_default().waiting;
        let mut record = record.clone();
        if let Some(earlier) = waiting.iter().rev().find(|it| it.item == record.item) {
            record.ready = record.ready.max(earlier.ready);
        }
        let place = waiting.partition_point(|it| it.ready <= record.ready);
        waiting.insert(place, record);
        Some(id)
    }

    /// When the lane has something to serve; `None` while it serves or is empty.
    pub fn next_due(&self, id: LaneId) -> Option<Timestamp> {
        let lane = self.lanes.get(&id)?;
        if lane.serving.is_some() {
            return None;
        }
        if lane.again.is_empty() {
            return lane.waiting.front().map(|record| record.ready);
        }
        lane.not_before
    }

    /// Starts a batch, if the lane is free and one is due: the event to invoke with.
    pub fn start(&mut self, id: LaneId, now: Timestamp) -> Option<Value> {
        if self.next_due(id).is_none_or(|due| due > now) {
            return None;
        }
        let lane = self.lanes.get_mut(&id)?;
        let batch = lane.again.pop_front().unwrap_or_else(|| {
            let ready = lane.waiting.iter().take_while(|record| record.ready <= now).count();
            let records = lane.waiting.drain(..ready.min(self.mapping.batch)).collect();
            Batch { records, attempts: 0 }
        });
        let records: Vec<&Value> = batch.records.iter().map(|record| &record.body).collect();
        let event = json!({ "Records": records });
        lane.serving = Some(batch);
        Some(event)
    }

    /// Ends the lane's batch with the function's answer; returns it if it is given up.
    pub fn finish(
        &mut self,
        id: LaneId,
        outcome: &Result<Value, String>,
        now: Timestamp,
    ) -> Option<GivenUp> {
        let lane = self.lanes.get_mut(&id)?;
        let mut batch = lane.serving.take()?;
        let failed_from = match outcome {
            Ok(answer) if self.mapping.partial => first_failure(answer, &batch.records)?,
            Ok(_) => return None,
            Err(_) => 0,
        };
        batch.records.drain(..failed_from);
        let oldest = batch.records.first()?.at;
        if now.duration_since(oldest) > SignedDuration::try_from(self.mapping.age).ok()? {
            return Some(self.given_up(id, &batch, "RecordAgeExceeded", now));
        }
        // Cutting a batch in two does not use up a try.
        if self.mapping.bisect && outcome.is_err() && batch.records.len() > 1 {
            let second = batch.records.split_off(batch.records.len() / 2);
            lane.again.push_front(Batch { records: second, attempts: batch.attempts });
            lane.again.push_front(batch);
            lane.not_before = Some(now + FIRST_RETRY);
            return None;
        }
        batch.attempts += 1;
        if self.mapping.retries.is_some_and(|retries| batch.attempts > retries) {
            return Some(self.given_up(id, &batch, "RetryAttemptsExhausted", now));
        }
        let doublings = u32::try_from(batch.attempts - 1).unwrap_or(u32::MAX).min(10);
        lane.not_before = Some(now + (FIRST_RETRY * 2_u32.pow(doublings)).min(LAST_RETRY));
        lane.again.push_front(batch);
        None
    }

    fn given_up(&self, id: LaneId, batch: &Batch, condition: &str, now: Timestamp) -> GivenUp {
        let (first, last) = (batch.records.first(), batch.records.last());
        let sequence = |record: Option<&Record>| record.map(|it| it.sequence.clone());
        let arrival = |record: Option<&Record>| record.map(|it| it.at.to_string());
        let message = json!({
            "requestContext": {
                "condition": condition,
                "approximateInvokeCount": batch.attempts,
                "functionArn": self.program,
            },
            "responseContext":
                {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": now.to_string(),
            "DDBStreamBatchInfo": {
                "shardId": format!("shardId-{:020}", id.0),
                "startSequenceNumber": sequence(first),
                "endSequenceNumber": sequence(last),
                "approximateArrivalOfFirstRecord": arrival(first),
                "approximateArrivalOfLastRecord": arrival(last),
                "batchSize": batch.records.len(),
                "streamArn": self.mapping.stream,
            },
        });
        GivenUp { queue: self.mapping.on_failure.clone(), message }
    }
}

/// The index of the first record to serve again; `None` when all went well.
///
/// An identifier that is no record's fails the whole batch, as in Lambda.
fn first_failure(answer: &Value, records: &[Record]) -> Option<usize> {
    let failures = answer.get("batchItemFailures")?.as_array()?;
    let index_of = |failure: &Value| {
        let sequence = failure["itemIdentifier"].as_str()?;
        records.iter().position(|record| record.sequence == sequence)
    };
    failures.iter().map(|failure| index_of(failure).unwrap_or(0)).min()
}

#[cfg(test)]
mod tests;
