//! The table's raw items, kept up with every write: what the invariants read. Never asked of the
//! code under test, which could be wrong in the same way.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use crate::dynamodb::Change;

/// Partition and sort key.
pub(super) type Key = (String, String);

/// All items, as plain JSON.
#[derive(Debug, Default)]
pub(super) struct Table {
    items: BTreeMap<Key, Value>,
    /// Counts the writes.
    pub(super) writes: u64,
}

/// What a write did to one item.
#[derive(Debug)]
pub(super) struct Written {
    /// Its keys.
    pub(super) key: Key,
    /// Before.
    pub(super) before: Option<Value>,
    /// After.
    pub(super) after: Option<Value>,
}

impl Table {
    /// Takes changes in.
    pub(super) fn take(&mut self, changes: &[Change]) -> Vec<Written> {
        self.writes += changes.len() as u64;
        changes.iter().map(|change| self.take_one(change)).collect()
    }

    fn take_one(&mut self, change: &Change) -> Written {
        let part = |name: &str| text(&change.keys[name]["S"]).to_owned();
        let key = (part("pk"), part("sk"));
        let after = change.new.as_ref().map(item);
        let before = match &after {
            Some(after) => self.items.insert(key.clone(), after.clone()),
            None => self.items.remove(&key),
        };
        Written { key, before, after }
    }

    /// An item.
    pub(super) fn get(&self, pk: &str, sk: &str) -> Option<&Value> {
        self.items.get(&(pk.to_owned(), sk.to_owned()))
    }

    /// The items of a partition whose sort key begins so.
    pub(super) fn under<'a>(
        &'a self,
        pk: &'a str,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a Key, &'a Value)> {
        let from = (pk.to_owned(), prefix.to_owned());
        self.items.range(from..).take_while(move |((p, s), _)| p == pk && s.starts_with(prefix))
    }

    /// A pipeline's head.
    pub(super) fn head(&self, pipeline: &str) -> Option<&Value> {
        self.get(&format!("pipeline#{pipeline}"), "head")
    }

    /// A release, by its id: `p1/7`.
    pub(super) fn release(&self, id: &str) -> Option<&Value> {
        let (pipeline, number) = id.split_once('/')?;
        let number: u64 = number.parse().ok()?;
        self.get(&format!("pipeline#{pipeline}"), &format!("release#{number:08}"))
    }

    /// All releases.
    pub(super) fn releases(&self) -> impl Iterator<Item = &Value> {
        let all = self.items.range(("pipeline#".to_owned(), String::new())..);
        let all = all.take_while(|((pk, _), _)| pk.starts_with("pipeline#"));
        all.filter(|((_, sk), _)| sk.starts_with("release#")).map(|(_, release)| release)
    }

    /// A target's slot.
    pub(super) fn slot(&self, target: &str) -> Option<&Value> {
        self.get(&format!("target#{target}"), "now")
    }

    /// All slots.
    pub(super) fn slots(&self) -> impl Iterator<Item = &Value> {
        let all = self.items.range(("target#".to_owned(), String::new())..);
        let all = all.take_while(|((pk, _), _)| pk.starts_with("target#"));
        all.filter(|((_, sk), _)| sk == "now").map(|(_, slot)| slot)
    }
}

impl Written {
    /// The pipeline's name and its head, if it is one.
    pub(super) fn head(&self) -> Option<(&str, &Value)> {
        self.pipeline().zip(self.after.as_ref()).filter(|_| self.key.1 == "head")
    }

    /// The item before and after, if it is a release.
    pub(super) fn release(&self) -> Option<(&Value, &Value)> {
        self.versions().filter(|_| self.key.1.starts_with("release#"))
    }

    /// The item before and after, if it is a slot.
    pub(super) fn slot(&self) -> Option<(&Value, &Value)> {
        self.versions().filter(|_| self.key.0.starts_with("target#") && self.key.1 == "now")
    }

    /// The entry, if it is a new line of the audit trail.
    pub(super) fn entry(&self) -> Option<&Value> {
        self.after.as_ref().filter(|_| self.key.1.starts_with("journal#"))
    }

    /// The pipeline in whose partition it lies.
    pub(super) fn pipeline(&self) -> Option<&str> {
        self.key.0.strip_prefix("pipeline#")
    }

    pub(super) fn versions(&self) -> Option<(&Value, &Value)> {
        Some((self.before.as_ref().unwrap_or(&Value::Null), self.after.as_ref()?))
    }
}

/// A text, or none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The members of a list, or none.
pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A number, or 0.
pub(super) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

/// A moment, or none.
pub(super) fn moment(value: &Value) -> Option<jiff::Timestamp> {
    text(value).parse().ok()
}

/// The name of an item's phase; empty where there is no item.
pub(super) fn phase(item: &Value) -> &str {
    text(&item["phase"]["name"])
}

/// The release moves by itself.
pub(super) fn is_moving(phase: &str) -> bool {
    ["surveying", "rolling", "baking", "rolling_back"].contains(&phase)
}

/// The release stopped where a person decides.
pub(super) fn is_stuck(phase: &str) -> bool {
    ["frozen", "rollback_failed", "drifted"].contains(&phase)
}

fn item(item: &Value) -> Value {
    let members = item.as_object().into_iter().flatten();
    Value::Object(members.map(|(name, value)| (name.clone(), plain(value))).collect())
}

/// DynamoDB's notation as plain JSON.
fn plain(value: &Value) -> Value {
    let Some((kind, value)) = value.as_object().and_then(|it| it.iter().next()) else {
        return Value::Null;
    };
    match (kind.as_str(), value) {
        ("M", members) => item(members),
        ("L", Value::Array(members)) => members.iter().map(plain).collect(),
        ("N", Value::String(digits)) => {
            digits.parse::<Number>().map_or_else(|_| Value::String(digits.clone()), Value::Number)
        }
        ("NULL", _) => Value::Null,
        (_, other) => other.clone(),
    }
}

/// The members of a map, or none.
pub(super) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
