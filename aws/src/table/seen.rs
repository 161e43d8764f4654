//! When bytes were pushed, as first seen: a tag that is put on them later may make ECR show another
//! time, and what is newer decides what is released.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use jiff::Timestamp;
use serde::Deserialize;
use tidegate_core::model::Digest;

use super::{Table, TableError, item, keys};

impl Table {
    /// When a pipeline first saw these bytes pushed, if it ever did.
    pub async fn first_seen_at(
        &self,
        pipeline: &str,
        digest: &Digest,
    ) -> Result<Option<Timestamp>, TableError> {
        #[derive(Deserialize)]
        struct FirstSeen {
            pushed_at: Timestamp,
        }
        let found: Option<FirstSeen> = self.get(&keys::seen(pipeline, digest)).await?;
        Ok(found.map(|seen| seen.pushed_at))
    }

    /// Writes down when these bytes were pushed, unless that is known.
    pub async fn remember_push(
        &self,
        pipeline: &str,
        digest: &Digest,
        pushed_at: Timestamp,
    ) -> Result<(), TableError> {
        let key = keys::seen(pipeline, digest);
        let names = HashMap::from([("#schema".to_owned(), "schema".to_owned())]);
        let values = HashMap::from([
            (":at".to_owned(), AttributeValue::S(pushed_at.to_string())),
            (":schema".to_owned(), AttributeValue::N(item::SCHEMA.to_string())),
        ]);
        let update = "SET pushed_at = :at, #schema = :schema";
        self.update_if(&key, update, "attribute_not_exists(pushed_at)", names, values).await?;
        Ok(())
    }

    /// The same within a transaction, which must not fail for what is known.
    pub(super) fn first_seen(
        &self,
        key: &keys::Key,
        pushed_at: Timestamp,
    ) -> Result<TransactWriteItem, TableError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key_of(key)))
            .update_expression("SET pushed_at = if_not_exists(pushed_at, :at), #schema = :schema")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":at", AttributeValue::S(pushed_at.to_string()))
            .expression_attribute_values(":schema", AttributeValue::N(item::SCHEMA.to_string()))
            .build()
            .map_err(TableError::write)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}
