//! The table: releases, slots, the audit trail; read consistently, written conditionally.

mod commit;
mod error;
mod history;
mod item;
pub mod keys;
mod lease;
mod made;
mod register;
mod scene;
mod seen;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use serde::de::DeserializeOwned;

pub use commit::Commit;
pub use error::{Lost, TableError};
pub use item::SCHEMA;
pub use keys::Key;
pub use lease::{Claim, Recorded};
pub use made::Made;

use crate::{Clock, Dice};
use item::Item;

/// The one table of an installation.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
    clock: Clock,
    dice: Dice,
    retention: Option<Duration>,
}

/// `BatchGetItem` takes at most so many keys a call.
const KEYS_A_CALL: usize = 100;

impl Table {
    /// The table `name` of the account and region that `sdk` names.
    pub fn new(sdk: &aws_types::SdkConfig, name: String, clock: Clock, dice: Dice) -> Self {
        Self { client: Client::new(sdk), name, clock, dice, retention: None }
    }

    /// From now on past rollouts, pushes and the audit trail written here expire after so long.
    pub(crate) fn keeping(self, retention: Option<Duration>) -> Self {
        Self { retention, ..self }
    }

    /// The table's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One item, read consistently.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        key: &Key,
    ) -> Result<Option<T>, TableError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(item::key_of(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| TableError::call("GetItem", &self.name, &e))?;
        answer.item.map(item::value).transpose()
    }

    /// Several items, read consistently; those that do not exist are absent.
    async fn get_all(&self, keys: &[Key]) -> Result<BTreeMap<Key, Item>, TableError> {
        let mut found = BTreeMap::new();
        for chunk in keys.chunks(KEYS_A_CALL) {
            let mut wanted: Vec<Item> = chunk.iter().map(item::key_of).collect();
            while !wanted.is_empty() {
                let request = KeysAndAttributes::builder()
                    .set_keys(Some(wanted))
                    .consistent_read(true)
                    .build()
                    .map_err(TableError::write)?;
                let answer = self
                    .client
                    .batch_get_item()
                    .request_items(&self.name, request)
                    .send()
                    .await
                    .map_err(|e| TableError::call("BatchGetItem", &self.name, &e))?;
                for item in
                    answer.responses.unwrap_or_default().remove(&self.name).unwrap_or_default()
                {
                    found.insert(item::key(&item), item);
                }
                wanted = answer
                    .unprocessed_keys
                    .and_then(|mut left| left.remove(&self.name))
                    .map(|left| left.keys)
                    .unwrap_or_default();
            }
        }
        Ok(found)
    }

    /// All items of a partition whose sort key begins so, in order, read consistently.
    async fn query(
        &self,
        pk: &str,
        prefix: &str,
        newest_first: bool,
        limit: Option<usize>,
    ) -> Result<Vec<Item>, TableError> {
        let (mut items, mut from) = (Vec::new(), None);
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
                .scan_index_forward(!newest_first)
                .set_limit(limit.and_then(|l| i32::try_from(l).ok()))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|e| TableError::call("Query", &self.name, &e))?;
            items.extend(answer.items.unwrap_or_default());
            from = answer.last_evaluated_key;
            if from.is_none() || limit.is_some_and(|limit| items.len() >= limit) {
                items.truncate(limit.unwrap_or(usize::MAX));
                return Ok(items);
            }
        }
    }

    /// The partitions that the sparse index names as `kind`: what is open, never what is past.
    ///
    /// The index lags; a sweep that misses something finds it next time.
    pub(crate) async fn open(&self, kind: &str) -> Result<Vec<Key>, TableError> {
        let (mut keys, mut from) = (Vec::new(), None);
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.name)
                .index_name("open")
                .key_condition_expression("#open = :kind")
                .expression_attribute_names("#open", "open")
                .expression_attribute_values(":kind", AttributeValue::S(kind.to_owned()))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|e| TableError::call("Query", &format!("{}/index/open", self.name), &e))?;
            keys.extend(answer.items.unwrap_or_default().iter().map(item::key));
            from = answer.last_evaluated_key;
            if from.is_none() {
                return Ok(keys);
            }
        }
    }
}
