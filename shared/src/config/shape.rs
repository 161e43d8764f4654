//! Whether the file has the form that the schema describes: its keys, types and names.
//!
//! It knows as much of JSON Schema as the types of `file.rs` give: `$ref`, `anyOf`, `oneOf` of
//! constants, and the bounds named below.

use serde_json::{Map, Value};

use super::path::Path;
use super::problem::Findings;
use super::{names, near};

/// Keys that people know from other tools, and what does it here.
type Absent = (&'static [&'static str], &'static str);

const HOSTS: Absent = (
    &["git", "host", "hosts", "instance", "instances", "ssm"],
    "Tidegate releases images, and a host that pulls from git runs none: deploy it as before",
);
/// What Tidegate does not do, asked of a pipeline.
const ABSENT_IN_PIPELINES: &[Absent] = &[
    (
        &["analysis", "metric", "metrics"],
        "Tidegate analyses no metrics: put them behind a CloudWatch alarm and name it in `checks`",
    ),
    (
        &["scan", "scan_gate", "scans"],
        "Tidegate waits for no scan: let the build hold the push back, or ask for `approval`",
    ),
    (
        &["time_window", "time_windows", "window", "windows"],
        "Tidegate knows no time windows: `tidegate freeze` and `unfreeze`, at your times, do the same",
    ),
    HOSTS,
];
/// The same of a target.
const ABSENT_IN_TARGETS: &[Absent] = &[HOSTS];

/// Finds what of `value` is not of the schema's form.
pub(super) fn check(schema: &Value, value: &Value, findings: &mut Findings) {
    Shape { root: schema, findings }.fit(schema, value, &Path::default());
}

struct Shape<'a, 's> {
    root: &'a Value,
    findings: &'a mut Findings<'s>,
}

impl<'a> Shape<'a, '_> {
    fn fit(&mut self, schema: &'a Value, value: &Value, path: &Path) {
        let (schema, kind) = self.resolve(schema);
        if let Some(branches) = schema["anyOf"].as_array() {
            let taken = branches.iter().find(|branch| takes(self.resolve(branch).0, value));
            return match taken {
                Some(branch) => self.fit(branch, value, path),
                None => self.wrong(schema, value, path),
            };
        }
        match value {
            _ if !takes(schema, value) => self.wrong(schema, value, path),
            Value::Object(map) => self.object(schema, kind, map, path),
            Value::Array(items) => {
                self.at_least(&schema["minItems"], items.len(), path);
                for (at, item) in items.iter().enumerate() {
                    self.fit(&schema["items"], item, &path.index(at));
                }
            }
            Value::String(text) => self.text(schema, text, path),
            Value::Number(number) => {
                let (least, most) = (&schema["minimum"], &schema["maximum"]);
                let number = number.as_i64().unwrap_or(i64::MAX);
                if least.as_i64().is_some_and(|least| number < least)
                    || most.as_i64().is_some_and(|most| number > most)
                {
                    let bounds = if most.is_null() { "" } else { &format!(" to {most}") };
                    let message = format!("expected a number from {least}{bounds}, found {number}");
                    self.findings.value(path, message);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// The schema itself where it is a reference, and its name.
    fn resolve(&self, schema: &'a Value) -> (&'a Value, &'a str) {
        let name = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
        name.map_or((schema, ""), |name| (&self.root["$defs"][name], name))
    }

    fn object(&mut self, schema: &'a Value, kind: &str, map: &Map<String, Value>, path: &Path) {
        let properties = schema["properties"].as_object();
        let absent = match kind {
            "Pipeline" | "Settings" => ABSENT_IN_PIPELINES,
            "TargetObject" => ABSENT_IN_TARGETS,
            _ => &[],
        };
        self.at_least(&schema["minProperties"], map.len(), path);
        for (key, value) in map {
            let path = path.key(key);
            if let Some(property) = properties.and_then(|known| known.get(key)) {
                self.fit(property, value, &path);
            } else if let any @ Value::Object(_) = &schema["additionalProperties"] {
                let format = schema["propertyNames"]["format"].as_str().unwrap_or_default();
                if let Err(message) = names::check(format, key) {
                    self.findings.key(&path, message);
                }
                self.fit(any, value, &path);
            } else if let Some((_, instead)) = absent.iter().find(|it| it.0.contains(&key.as_str()))
            {
                self.findings.key(&path, *instead);
            } else {
                let known = properties.into_iter().flatten().map(|(key, _)| key.as_str());
                let unsaid = known.filter(|key| !map.contains_key(*key));
                let meant = near::miss(key, unsaid);
                self.findings.key(&path, "unknown key").meant(meant);
            }
        }
        let required = schema["required"].as_array().into_iter().flatten();
        for key in required.filter_map(Value::as_str).filter(|key| !map.contains_key(*key)) {
            self.findings.key(path, format!("the key `{key}` is missing"));
        }
    }

    fn text(&mut self, schema: &Value, text: &str, path: &Path) {
        if let Some(choices) = schema["oneOf"].as_array() {
            let choices = choices.iter().filter_map(|choice| choice["const"].as_str());
            if !choices.clone().any(|choice| choice == text) {
                let message = format!("expected {}, found `{text}`", expected(schema));
                self.findings.value(path, message).meant(near::miss(text, choices));
            }
        } else if let Some(format) = schema["format"].as_str()
            && let Err(message) = names::check(format, text)
        {
            self.findings.value(path, message);
        }
    }

    fn at_least(&mut self, least: &Value, found: usize, path: &Path) {
        if found == 0 && least.is_number() {
            self.findings.value(path, "it is empty; expected at least one entry");
        }
    }

    fn wrong(&mut self, schema: &'a Value, value: &Value, path: &Path) {
        let branches: Vec<&Value> = match schema["anyOf"].as_array() {
            Some(branches) => branches.iter().map(|branch| self.resolve(branch).0).collect(),
            None => vec![schema],
        };
        let wanted: Vec<String> = branches.iter().map(|branch| expected(branch)).collect();
        let remedy = match value {
            Value::Number(_) | Value::Bool(_) if branches.iter().any(|branch| is_text(branch)) => {
                "; put it in quotes"
            }
            Value::String(text) if schema["type"] == "array" => &format!("; write `[{text}]`"),
            _ => "",
        };
        let (wanted, found) = (wanted.join(", or "), found(value));
        self.findings.value(path, format!("expected {wanted}, found {found}{remedy}"));
    }
}

/// Whether a schema takes values of this type at all.
fn takes(schema: &Value, value: &Value) -> bool {
    let constant = &schema["const"];
    match value {
        _ if !constant.is_null() => constant == value,
        Value::Null => false,
        Value::Bool(_) => schema["type"] == "boolean",
        Value::Number(number) => schema["type"] == "integer" && number.is_i64(),
        Value::String(_) => is_text(schema),
        Value::Array(_) => schema["type"] == "array",
        Value::Object(_) => schema["type"] == "object",
    }
}

fn is_text(schema: &Value) -> bool {
    schema["type"] == "string" || schema["oneOf"].is_array()
}

fn expected(schema: &Value) -> String {
    if let Some(choices) = schema["oneOf"].as_array() {
        let choices = choices.iter().filter_map(|choice| choice["const"].as_str());
        return choices.map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(" or ");
    }
    match (&schema["const"], schema["type"].as_str().unwrap_or_default()) {
        (Value::Null, "string") => {
            names::expected(schema["format"].as_str().unwrap_or_default()).to_owned()
        }
        (Value::Null, "integer") => "a whole number".to_owned(),
        (Value::Null, "boolean") => "`true` or `false`".to_owned(),
        (Value::Null, "array") => "a list".to_owned(),
        (Value::Null, _) => "keys and values".to_owned(),
        (constant, _) => format!("`{constant}`"),
    }
}

fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => format!("`{text}`"),
        Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "keys and values".to_owned(),
    }
}
