//! Deploy's own writes of a slot, each a [`Note`] as one conditional update.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use tidegate_core::model::{Done, Note, Slot};

use super::{Table, TableError, item, keys};

/// How a claim ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The slot is ours until the lease ends; as it is now.
    Held(Box<Slot>),
    /// Another invocation holds it until then.
    Taken(Timestamp),
    /// Nothing is asked of deploy there, or something newer than was read.
    Moved,
}

impl Table {
    /// Takes the lease of `slot` for its present generation.
    pub async fn claim(
        &self,
        slot: &Slot,
        owner: &str,
        now: Timestamp,
    ) -> Result<Claim, TableError> {
        let note = match slot.claim(owner, now) {
            Ok(note) => note,
            Err(until) => return Ok(Claim::Taken(until)),
        };
        let written = self.write_note(slot, &note).await?;
        Ok(if written { Claim::Held(Box::new(note.over(slot))) } else { Claim::Moved })
    }

    /// Renews the lease and writes down the call that is about to be sent, in one update.
    ///
    /// `None`: the lease is lost or something newer is asked; the call must not be sent.
    pub async fn intend(
        &self,
        slot: &Slot,
        call: String,
        now: Timestamp,
    ) -> Result<Option<Slot>, TableError> {
        let Some(note) = slot.intend(call, now) else { return Ok(None) };
        let written = self.write_note(slot, &note).await?;
        Ok(written.then(|| note.over(slot)))
    }

    /// Writes down a fact. It is written whatever is asked by now, as long as the lease is ours;
    /// `finished` lets the lease go and ends `todo`, unless something newer is asked.
    pub async fn record(
        &self,
        slot: &Slot,
        done: Done,
        finished: bool,
    ) -> Result<Recorded, TableError> {
        if finished && self.write_note(slot, &slot.finish(done.clone())).await? {
            return Ok(Recorded::Finished);
        }
        let note = slot.keep(done);
        if self.write_note(slot, &note).await? {
            return Ok(Recorded::Continues(Box::new(note.over(slot))));
        }
        Ok(Recorded::Lost)
    }

    /// The one conditional update under all of them.
    async fn write_note(&self, slot: &Slot, note: &Note) -> Result<bool, TableError> {
        let mut condition = "#done.#step = :before".to_owned();
        let mut values = HashMap::from([
            (":before".to_owned(), AttributeValue::N((note.done.step - 1).to_string())),
            (":done".to_owned(), to_value(&note.done)?),
        ]);
        let mut names = HashMap::from([
            ("#done".to_owned(), "done".to_owned()),
            ("#step".to_owned(), "step".to_owned()),
            ("#lease".to_owned(), "lease".to_owned()),
        ]);
        if let Some(generation) = note.generation {
            condition.push_str(" AND #asked.#generation = :generation");
            names.insert("#asked".to_owned(), "asked".to_owned());
            names.insert("#generation".to_owned(), "generation".to_owned());
            values.insert(":generation".to_owned(), AttributeValue::N(generation.to_string()));
        }
        match &note.holder {
            Some(holder) => {
                condition.push_str(" AND #lease.#owner = :holder");
                names.insert("#owner".to_owned(), "owner".to_owned());
                values.insert(":holder".to_owned(), AttributeValue::S(holder.clone()));
            }
            None => condition.push_str(" AND attribute_not_exists(#lease)"),
        }
        let mut update = "SET #done = :done".to_owned();
        if let Some(lease) = &note.lease {
            update.push_str(", #lease = :lease");
            values.insert(":lease".to_owned(), to_value(lease)?);
            if note.takes_up() {
                update.push_str(", #todo = :claimed");
                values.insert(":claimed".to_owned(), AttributeValue::S("claimed".to_owned()));
                names.insert("#todo".to_owned(), "todo".to_owned());
            }
        } else {
            update.push_str(" REMOVE #lease, #todo");
            names.insert("#todo".to_owned(), "todo".to_owned());
        }
        self.update_if(&keys::slot(&slot.target), &update, &condition, names, values).await
    }

    /// A single conditional update; `false` when the condition did not hold.
    pub(super) async fn update_if(
        &self,
        key: &keys::Key,
        update: &str,
        condition: &str,
        names: HashMap<String, String>,
        values: HashMap<String, AttributeValue>,
    ) -> Result<bool, TableError> {
        for _ in 0..super::commit::TRIES {
            let sent = self
                .client
                .update_item()
                .table_name(&self.name)
                .set_key(Some(item::key_of(key)))
                .update_expression(update)
                .condition_expression(condition)
                .set_expression_attribute_names(Some(names.clone()))
                .set_expression_attribute_values(Some(values.clone()))
                .send()
                .await;
            match sent {
                Ok(_) => return Ok(true),
                Err(error) => {
                    let refused = error.as_service_error();
                    if refused.is_some_and(|e| e.is_conditional_check_failed_exception()) {
                        return Ok(false);
                    }
                    if !refused.is_some_and(|e| e.is_transaction_conflict_exception()) {
                        return Err(TableError::call("UpdateItem", &self.name, &error));
                    }
                    self.pause().await;
                }
            }
        }
        Err(TableError::Contended {
            what: format!("{} {}", key.pk, key.sk),
            tries: super::commit::TRIES,
        })
    }
}

/// What became of a fact.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// Written; the lease is let go.
    Finished,
    /// Written; the lease is still ours, because something newer is asked or more is to do.
    Continues(Box<Slot>),
    /// The lease was lost: another invocation continues, and finds the intent.
    Lost,
}

fn to_value<T: serde::Serialize>(value: &T) -> Result<AttributeValue, TableError> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(value).map_err(TableError::write)
}
