//! The JSON Schema of `tidegate.yaml`, for editors and for the check of a file's form.

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Value, json};

use super::file::File;

/// The schema, as `docs/tidegate.schema.json` holds it.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(File);
    Strict.transform(&mut schema);
    schema.to_value()
}

/// An object takes the keys it names and no other, but for `x-…`; and what may be left out may not
/// be said to be nothing: `region:` with nothing behind it is a slip.
struct Strict;

impl Transform for Strict {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else { return };
        if object.get("type") == Some(&json!("object")) {
            object.entry("additionalProperties").or_insert(json!(false));
            object.insert("patternProperties".to_owned(), json!({"^x-": true}));
        }
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|kind| kind != "null");
            if let [only] = &types[..] {
                let only = only.clone();
                object.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(branches)) = object.get_mut("anyOf") {
            branches.retain(|branch| branch != &json!({"type": "null"}));
            if let [Value::Object(only)] = &branches[..] {
                let only = only.clone();
                object.remove("anyOf");
                object.extend(only);
            }
        }
        if object.get("default") == Some(&Value::Null) {
            object.remove("default");
        }
    }
}
