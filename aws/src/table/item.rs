//! Between the model and DynamoDB's attribute values.
//!
//! Every item carries `schema`, but for `made#…`, which says no more than a name. One written by a
//! newer Tidegate is left alone, by name; unknown attributes of our own schema survive, because items
//! are updated attribute by attribute.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::TableError;
use super::keys::Key;

/// The schema this program writes.
pub const SCHEMA: u64 = 1;

/// An item as the SDK hands it over.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The attributes of a value, without keys.
pub(super) fn attributes<T: Serialize>(value: &T) -> Result<Item, TableError> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(value).map_err(TableError::write)
}

/// A whole item: keys, schema, attributes.
pub(super) fn whole<T: Serialize>(key: &Key, value: &T) -> Result<Item, TableError> {
    let mut item = attributes(value)?;
    item.extend(key_of(key));
    item.insert("schema".to_owned(), AttributeValue::N(SCHEMA.to_string()));
    Ok(item)
}

/// The key as the SDK wants it.
pub(super) fn key_of(key: &Key) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(key.pk.clone())),
        ("sk".to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}

/// The key of an item as the SDK hands it over.
pub(super) fn key(item: &Item) -> Key {
    let part = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
    Key { pk: part("pk"), sk: part("sk") }
}

/// A value from an item; refuses a schema of the future.
pub(super) fn value<T: DeserializeOwned>(item: Item) -> Result<T, TableError> {
    let Key { pk, sk } = key(&item);
    let at = format!("{pk} {sk}");
    let schema = item.get("schema").and_then(|v| v.as_n().ok()?.parse().ok()).unwrap_or(SCHEMA);
    if schema > SCHEMA {
        return Err(TableError::Future { item: at, found: schema, known: SCHEMA });
    }
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item)
        .map_err(|source| TableError::Unreadable { item: at, source: Box::new(source) })
}
