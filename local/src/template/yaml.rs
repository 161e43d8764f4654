//! YAML with CloudFormation's tags (`!Ref`, `!Sub`, …) as the JSON they stand for.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Number, Value, json};

use super::TemplateError;

pub(super) fn parse(text: &str) -> Result<Value, TemplateError> {
    let documents =
        Yaml::load_from_str(text).map_err(|error| TemplateError::new(error.to_string()))?;
    match documents.as_slice() {
        [document] => value(document),
        _ => Err(TemplateError::new("expected one YAML document")),
    }
}

fn value(yaml: &Yaml<'_>) -> Result<Value, TemplateError> {
    Ok(match yaml {
        Yaml::Value(scalar) => plain(scalar)?,
        Yaml::Sequence(elements) => {
            Value::Array(elements.iter().map(value).collect::<Result<_, _>>()?)
        }
        Yaml::Mapping(members) => {
            let mut object = Map::new();
            for (key, member) in members {
                let key = match value(key)? {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                object.insert(key, value(member)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tag, node) => tagged(&tag.suffix, &value(node)?),
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => {
            return Err(TemplateError::new("a value that YAML cannot resolve"));
        }
    })
}

fn plain(scalar: &Scalar<'_>) -> Result<Value, TemplateError> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(it) => json!(it),
        Scalar::Integer(it) => json!(it),
        Scalar::FloatingPoint(it) => Number::from_f64(it.into_inner())
            .map(Value::Number)
            .ok_or_else(|| TemplateError::new("a number that JSON cannot hold"))?,
        Scalar::String(it) => json!(it),
    })
}

/// `!Ref X` is `{Ref: X}`, `!Condition X` is `{Condition: X}`, every other tag `{Fn::TAG: …}`.
fn tagged(tag: &str, node: &Value) -> Value {
    let name = match tag {
        "Ref" | "Condition" => tag.to_owned(),
        _ => format!("Fn::{tag}"),
    };
    json!({ name: node })
}
