//! A [`Change`] as one conditional transaction.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use sha2::{Digest as _, Sha256};
use tidegate_core::guard::{Guard, stands};
use tidegate_core::model::{Change, Condition, Entry, Head, Release, Slot};

use super::item::{self, Item};
use super::keys::{self, Key};
use super::{Table, TableError};

/// How a transaction ended. Losing is an outcome, not an error: read again, decide again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// All of it is true now.
    Done,
    /// Somebody else wrote first; nothing of it is true.
    Superseded,
}

/// A conflict passes in milliseconds; this many tries with jitter outlive any burst of writers.
pub(super) const TRIES: u32 = 8;

/// Between 20 and 400 ms: at least what a conflicting transaction takes, at most what a caller
/// with many writers beside it can wait eight times.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const JITTER: Duration = Duration::from_millis(380);

impl Table {
    /// Writes a change, whole or not at all.
    pub async fn commit(&self, change: &Change) -> Result<Commit, TableError> {
        let writes = self.writes(change)?;
        if writes.is_empty() {
            return Ok(Commit::Done);
        }
        self.transact(writes, &token(change)).await
    }

    /// Sends a transaction, and again while it only conflicts with another one.
    pub(super) async fn transact(
        &self,
        writes: Vec<TransactWriteItem>,
        token: &str,
    ) -> Result<Commit, TableError> {
        for _ in 0..TRIES {
            let sent = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.clone()))
                .client_request_token(token)
                .send()
                .await;
            match sent {
                Ok(_) => return Ok(Commit::Done),
                Err(error) => match verdict(&error) {
                    Verdict::Superseded => return Ok(Commit::Superseded),
                    Verdict::Conflict => self.pause().await,
                    Verdict::Broken => {
                        return Err(TableError::call("TransactWriteItems", &self.name, &error));
                    }
                },
            }
        }
        Err(TableError::Contended { what: "a transaction".to_owned(), tries: TRIES })
    }

    /// A moment, different for everybody.
    pub(super) async fn pause(&self) {
        self.clock.sleep(SHORTEST_PAUSE + self.dice.jitter(JITTER)).await;
    }

    pub(super) fn writes(&self, change: &Change) -> Result<Vec<TransactWriteItem>, TableError> {
        let Change { head, releases, slots, blocks, rejections, unblocks, journal, pushes, seen } =
            change;
        let pipeline = pipeline_of(change);
        let mut writes = Vec::new();
        if let Some(head) = head {
            writes.push(self.head(head)?);
        }
        for release in releases {
            writes.push(self.release(release)?);
        }
        for (before, after) in slots {
            if let Some(before) = before.as_ref().filter(|b| b.release != after.release) {
                let key = keys::past(&before.target, &before.release);
                let past = self.expiring(item::whole(&key, before)?, after.asked.at);
                writes.push(self.put(past, false)?);
            }
            writes.push(self.slot(before.as_ref(), after)?);
        }
        for block in blocks {
            let key = keys::block(&pipeline, &block.digest);
            writes.push(self.put(item::whole(&key, block)?, false)?);
        }
        for rejection in rejections {
            let key = keys::rejection(&pipeline, &rejection.set);
            writes.push(self.put(item::whole(&key, rejection)?, false)?);
        }
        for digest in unblocks {
            writes.push(self.lift(&keys::block(&pipeline, digest))?);
        }
        for push in pushes {
            let key = keys::push(&push.pipeline, push.at, &push.digest);
            let push = self.expiring(item::whole(&key, push)?, push.at);
            writes.push(self.put(push, false)?);
        }
        for (digest, pushed_at) in seen {
            writes.push(self.first_seen(&keys::seen(&pipeline, digest), *pushed_at)?);
        }
        for entry in journal.iter().filter(|_| stands(Guard::JournalTogether)) {
            writes.push(self.entry(entry)?);
        }
        Ok(writes)
    }

    fn head(&self, head: &Head) -> Result<TransactWriteItem, TableError> {
        let mut set = item::attributes(head)?;
        if head.moving.is_some() || head.waiting.is_some() {
            set.insert("open".to_owned(), AttributeValue::S("pipeline".to_owned()));
        }
        let optional = ["moving", "waiting", "live", "freeze", "retired", "back_since", "open"];
        self.step(&keys::head(&head.pipeline), set, &optional, head.condition())
    }

    fn release(&self, release: &Release) -> Result<TransactWriteItem, TableError> {
        let key = keys::release(&release.id.pipeline, release.id.number);
        self.step(
            &key,
            item::attributes(release)?,
            &["approved", "failure", "todo"],
            release.condition(),
        )
    }

    /// A slot as whoever decides writes it: everything but deploy's own attributes, unless the
    /// slot is taken for a release, which begins with a clean record.
    fn slot(&self, before: Option<&Slot>, after: &Slot) -> Result<TransactWriteItem, TableError> {
        let key = keys::slot(&after.target);
        let mut set = item::attributes(after)?;
        let taken = after.takes(before);
        if !taken {
            for name in Slot::OF_DEPLOY {
                set.remove(name);
            }
        }
        let optional: &[&str] =
            if taken { &["todo", "lease", "told_at", "by_role"] } else { &["todo", "told_at"] };
        self.step(&key, set, optional, after.condition(before))
    }

    /// Sets these attributes and removes the optional ones that are not among them.
    fn step(
        &self,
        key: &Key,
        mut set: Item,
        optional: &[&str],
        condition: Condition,
    ) -> Result<TransactWriteItem, TableError> {
        set.insert("schema".to_owned(), AttributeValue::N(item::SCHEMA.to_string()));
        let remove: Vec<_> = optional.iter().filter(|name| !set.contains_key(**name)).collect();
        let (mut names, mut values) = (HashMap::new(), HashMap::new());
        let mut assignments: Vec<_> = set.into_iter().collect();
        assignments.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut expression = String::from("SET ");
        for (i, (name, value)) in assignments.into_iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(expression, "{}#s{i} = :s{i}", if i == 0 { "" } else { ", " });
            names.insert(format!("#s{i}"), name);
            values.insert(format!(":s{i}"), value);
        }
        for (i, name) in remove.iter().enumerate() {
            let _ = write!(expression, "{}#r{i}", if i == 0 { " REMOVE " } else { ", " });
            names.insert(format!("#r{i}"), (**name).to_owned());
        }
        let mut demand = "attribute_not_exists(pk)".to_owned();
        if let Some(step) = condition.step {
            "#step = :before".clone_into(&mut demand);
            names.insert("#step".to_owned(), "step".to_owned());
            values.insert(":before".to_owned(), AttributeValue::N(step.to_string()));
        }
        if !stands(Guard::ConditionalWrite) {
            demand.push_str(" OR attribute_not_exists(nobody)");
        }
        if let Some(done) = condition.done.filter(|_| stands(Guard::DoneStep)) {
            demand.push_str(" AND #done.#step = :done");
            names.insert("#done".to_owned(), "done".to_owned());
            values.insert(":done".to_owned(), AttributeValue::N(done.to_string()));
        }
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key_of(key)))
            .update_expression(expression)
            .condition_expression(demand)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .build()
            .map_err(TableError::write)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn entry(&self, entry: &Entry) -> Result<TransactWriteItem, TableError> {
        let mut item = self.expiring(item::whole(&keys::journal(entry), entry)?, entry.at);
        if entry.notice.is_some() {
            item.insert("todo".to_owned(), AttributeValue::S("notify".to_owned()));
        }
        self.put(item, true)
    }

    /// DynamoDB's time to live: after the retention, counted from what the item tells of, so that
    /// the same change stays the same write.
    fn expiring(&self, mut item: Item, at: jiff::Timestamp) -> Item {
        if let Some(retention) = self.retention {
            let seconds = (at + retention).as_second().to_string();
            item.insert("expires_at".to_owned(), AttributeValue::N(seconds));
        }
        item
    }

    pub(super) fn put(&self, item: Item, once: bool) -> Result<TransactWriteItem, TableError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .set_condition_expression(once.then(|| "attribute_not_exists(pk)".to_owned()))
            .build()
            .map_err(TableError::write)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// A block is lifted, never deleted: nobody needs the right to delete.
    fn lift(&self, key: &Key) -> Result<TransactWriteItem, TableError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key_of(key)))
            .update_expression("SET lifted = :yes")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .build()
            .map_err(TableError::write)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// The pipeline that a change belongs to.
fn pipeline_of(change: &Change) -> String {
    let Change { head, releases, slots, journal, pushes, .. } = change;
    let of_head = head.as_ref().map(|h| &h.pipeline);
    of_head
        .or_else(|| releases.first().map(|r| &r.id.pipeline))
        .or_else(|| slots.first().map(|(_, s)| &s.release.pipeline))
        .or_else(|| journal.first().map(|e| &e.release.pipeline))
        .or_else(|| pushes.first().map(|p| &p.pipeline))
        .cloned()
        .unwrap_or_default()
}

/// The same change has the same token: a retry inside ten minutes cannot be applied twice.
pub(super) fn token(change: &Change) -> String {
    let digest = Sha256::digest(format!("{change:?}"));
    // DynamoDB takes 36 characters; 32 hex digits are 128 bits.
    digest.iter().take(16).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

enum Verdict {
    Superseded,
    Conflict,
    Broken,
}

/// What a refused transaction means. A failed condition outweighs a conflict beside it.
fn verdict<R>(error: &SdkError<TransactWriteItemsError, R>) -> Verdict {
    let Some(error) = error.as_service_error() else { return Verdict::Broken };
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        let again = error.is_transaction_in_progress_exception()
            || error.is_provisioned_throughput_exceeded_exception()
            || error.is_throttling_exception();
        return if again { Verdict::Conflict } else { Verdict::Broken };
    };
    let codes: Vec<_> = cancelled.cancellation_reasons().iter().filter_map(|r| r.code()).collect();
    if codes.contains(&"ConditionalCheckFailed") {
        return Verdict::Superseded;
    }
    let passing =
        ["None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    if codes.iter().all(|code| passing.contains(code)) {
        Verdict::Conflict
    } else {
        Verdict::Broken
    }
}
