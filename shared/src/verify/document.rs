//! Policy documents and event patterns, where one stands for a list of one.

use serde_json::Value;

/// The elements of a list, or the one that stands for it.
pub(super) fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    let one = std::slice::from_ref(value);
    value.as_array().map_or(one, Vec::as_slice).iter()
}

/// The texts among them.
pub(super) fn texts(value: &Value) -> impl Iterator<Item = &str> {
    elements(value).filter_map(Value::as_str)
}
