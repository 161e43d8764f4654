//! What differs between two task definitions, for a person's eyes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::OUTPUT_ONLY;

/// Members whose values are shown. All others may hold a secret (environment, command, log options),
/// and what is shown ends in the audit trail: there it only says that they differ.
const SHOWN: [&str; 9] = [
    "image",
    "cpu",
    "memory",
    "memoryReservation",
    "networkMode",
    "taskRoleArn",
    "executionRoleArn",
    "cpuArchitecture",
    "essential",
];

/// More lines than a person reads, and far from the 400 KB of an item: the rest is counted.
const MOST_LINES: usize = 20;

/// One line for each member that differs: `containerDefinitions[crons].image: old → new`.
///
/// Tags stand beside a task definition and are left out, as is what AWS writes into it.
pub fn difference(before: &Value, after: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("", Some(&without_output(before)), Some(&without_output(after)), &mut lines);
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    lines.extend((more > 0).then(|| format!("and {more} more")));
    lines
}

fn without_output(definition: &Value) -> Value {
    let mut definition = definition.clone();
    if let Some(members) = definition.as_object_mut() {
        members.retain(|name, _| !OUTPUT_ONLY.contains(&name.as_str()) && name != "tags");
    }
    definition
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, lines: &mut Vec<String>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            for name in keys(before, after) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(&path, before.get(name), after.get(name), lines);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            match (by_name(before), by_name(after)) {
                (Some(before), Some(after)) => {
                    for name in keys(&before, &after) {
                        let path = format!("{path}[{name}]");
                        compare(&path, before.get(name), after.get(name), lines);
                    }
                }
                _ => lines.push(format!("{path}: differs")),
            }
        }
        (before, after) => lines.push(format!("{path}: {}", change(path, before, after))),
    }
}

fn change(path: &str, before: Option<&Value>, after: Option<&Value>) -> String {
    // Deeper down a member may be anybody's: a log driver's option, a label.
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let shown = SHOWN.contains(&name) && !parent.contains('.');
    match (before, after) {
        (None, Some(after)) if shown => format!("added, {}", plain(after)),
        (Some(before), None) if shown => format!("removed, was {}", plain(before)),
        (Some(before), Some(after)) if shown => format!("{} → {}", plain(before), plain(after)),
        (None, _) => "added".to_owned(),
        (_, None) => "removed".to_owned(),
        _ => "differs".to_owned(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn keys<'a>(before: &'a Map<String, Value>, after: &'a Map<String, Value>) -> BTreeSet<&'a String> {
    let mut keys = BTreeSet::new();
    keys.extend(before.keys().chain(after.keys()));
    keys
}

/// Lists of named things (containers, environment, secrets, volumes) are compared by name.
fn by_name(list: &[Value]) -> Option<Map<String, Value>> {
    list.iter().map(|item| Some((item["name"].as_str()?.to_owned(), item.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_change_has_its_line() {
        let before = json!({
            "revision": 1, "cpu": "256", "placementConstraints": [1], "pidMode": "task",
            "tags": [],
            "containerDefinitions": [
                {"name": "crons", "image": "r:1", "command": ["a"]},
                {"name": "gone", "image": "r:2"},
            ],
        });
        let after = json!({
            "revision": 2, "cpu": "512", "placementConstraints": [2], "taskRoleArn": "arn",
            "containerDefinitions": [
                {"name": "new", "image": "r:3"},
                {"name": "crons", "image": "r@sha256:1", "command": ["b"]},
            ],
        });
        assert_eq!(
            difference(&before, &after),
            [
                "containerDefinitions[crons].command: differs",
                "containerDefinitions[crons].image: r:1 → r@sha256:1",
                "containerDefinitions[gone]: removed",
                "containerDefinitions[new]: added",
                "cpu: 256 → 512",
                "pidMode: removed",
                "placementConstraints: differs",
                "taskRoleArn: added, arn",
            ]
        );
        assert_eq!(difference(&before, &before), [""; 0]);
    }

    #[test]
    fn what_nobody_reads_is_counted() {
        let of = |value: u32| {
            let environment: Vec<_> =
                (0..25).map(|i| json!({"name": format!("V{i}"), "value": value})).collect();
            json!({"containerDefinitions": [{"name": "c", "environment": environment}]})
        };
        let lines = difference(&of(1), &of(2));
        assert_eq!((lines.len(), lines[20].as_str()), (21, "and 5 more"));
    }

    #[test]
    fn the_order_of_named_things_is_no_difference() {
        let list = |names: [&str; 2]| json!({"volumes": names.map(|name| json!({"name": name}))});
        assert_eq!(difference(&list(["a", "b"]), &list(["b", "a"])), [""; 0]);
    }

    #[test]
    fn a_secret_never_shows() {
        let with = |value: &str| {
            json!({"containerDefinitions": [{
                "name": "c",
                "environment": [{"name": "TOKEN", "value": value}, {"name": "image", "value": value}],
                "command": ["login", value],
                "logConfiguration": {"options": {"splunk-token": value, "image": value}},
            }]})
        };
        let lines = difference(&with("hunter2"), &with("hunter3")).join("\n");
        assert!(lines.contains("environment[TOKEN].value: differs"), "{lines}");
        assert!(!lines.contains("hunter"), "{lines}");
    }
}
