//! Every payload in `events/` is listed, parsed by the code that ships, and meets the template.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its payload has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tidegate_core::event::{self, Woken};
use tidegate_local::template::Function;
use tidegate_tests::stack::{function, installed_with};

const README: &str = include_str!("../events/README.md");

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events")
}

fn payload(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join(file)).unwrap())
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// One row of the README's table.
struct Row<'a> {
    file: &'a str,
    function: &'a str,
    gets_through: bool,
}

fn rows() -> Vec<Row<'static>> {
    let rows = README.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| match row.split('|').map(str::trim).collect::<Vec<_>>()[..] {
        ["", file, _, function, gets_through, ""] => {
            Row { file: file.trim_matches('`'), function, gets_through: gets_through == "yes" }
        }
        _ => panic!("not four columns: {row}"),
    })
    .collect()
}

fn gets_through(function: &Function, payload: &Value) -> bool {
    match payload["Records"].as_array() {
        Some(records) => records.iter().all(|record| {
            function
                .mappings
                .iter()
                .any(|it| it.filters.iter().any(|filter| filter.matches(record)))
        }),
        None => {
            function.rules.iter().any(|rule| rule.pattern.matches(payload))
                || function.schedules.iter().any(|schedule| schedule.input == *payload)
        }
    }
}

#[test]
fn every_file_is_listed_and_every_listed_file_is_there() {
    let listed: BTreeSet<_> = rows().iter().map(|row| row.file.to_owned()).collect();
    let there: BTreeSet<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            Path::new(name).extension().is_some_and(|kind| kind == "json")
                && name != "local.env.json"
        })
        .collect();
    assert_eq!(listed, there);
}

#[test]
fn the_template_lets_through_what_the_readme_says() {
    for row in rows() {
        let woken = gets_through(&function(row.function), &payload(row.file));
        assert_eq!(woken, row.gets_through, "{} → {}", row.file, row.function);
    }
}

#[test]
fn no_payload_wakes_a_function_that_it_is_not_for() {
    let functions = installed_with(&[]).functions().unwrap();
    for row in rows() {
        for other in functions.iter().filter(|it| it.program != row.function) {
            assert!(!gets_through(other, &payload(row.file)), "{} → {}", row.file, other.program);
        }
    }
}

#[test]
fn promote_understands_what_comes_from_ecr() {
    for row in rows().iter().filter(|row| row.function == "promote") {
        let kind = match event::promote(&payload(row.file)) {
            Woken::By(push) => {
                assert_eq!(push.repository, "live_crons", "{}", row.file);
                assert_eq!(
                    (push.account.as_str(), push.region.as_str()),
                    ("123456789012", "us-west-2")
                );
                "a push"
            }
            Woken::Schedule => "the sweep",
            Woken::Nothing(_) => "nothing",
            Woken::NotUnderstood(what) => panic!("{}: {what}", row.file),
        };
        let expected = match row.file {
            "schedule-sweep.json" => "the sweep",
            "ecr-push-child-manifest.json" | "ecr-delete.json" | "ecr-archive.json" => "nothing",
            _ => "a push",
        };
        assert_eq!(kind, expected, "{}", row.file);
    }
}

#[test]
fn three_tags_are_one_digest() {
    let digests =
        [1, 2, 3].map(|n| match event::promote(&payload(&format!("ecr-push-tag-{n}.json"))) {
            Woken::By(push) => push.digest,
            other => panic!("{other:?}"),
        });
    assert!(digests.iter().all(|digest| *digest == digests[0]));
}

#[test]
fn watch_understands_what_comes_from_ecs() {
    for row in rows().iter().filter(|row| row.function == "watch") {
        match event::watch(&payload(row.file)) {
            Woken::By(seen) => {
                assert_eq!(
                    seen.target.unwrap().to_string(),
                    "ecs/123456789012/us-west-2/live-crons/Rag"
                );
                assert_eq!(seen.task.is_some(), row.file.starts_with("ecs-task-"), "{}", row.file);
            }
            Woken::Schedule => assert_eq!(row.file, "schedule-tick.json"),
            // A start and a steady state are no news: no release hangs on them.
            Woken::Nothing(_) => assert!(
                ["ecs-deployment-in-progress.json", "ecs-service-steady-state.json"]
                    .contains(&row.file),
                "{}",
                row.file
            ),
            other @ Woken::NotUnderstood(_) => panic!("{}: {other:?}", row.file),
        }
    }
}

#[test]
fn ecs_rolling_back_by_itself_is_no_ordinary_start() {
    let mut event = payload("ecs-deployment-in-progress.json");
    assert!(matches!(event::watch(&event), Woken::Nothing(_)));
    event["detail"]["reason"] =
        "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/4871902365518240101."
            .into();
    assert!(matches!(event::watch(&event), Woken::By(_)));
}

#[test]
fn a_stopped_task_carries_its_reason() {
    for (file, stop_code, exit_code, ran) in [
        ("ecs-task-exit-code.json", "EssentialContainerExited", Some(1), true),
        ("ecs-task-pull-failure.json", "TaskFailedToStart", None, false),
        ("ecs-task-health-check.json", "ServiceSchedulerInitiated", None, true),
        ("ecs-task-spot.json", "SpotInterruption", Some(143), true),
    ] {
        let Woken::By(seen) = event::watch(&payload(file)) else { panic!("{file}") };
        let (revision, failure) = seen.task.unwrap();
        assert!(revision.ends_with(":task-definition/live-crons-rag:18"), "{file}");
        assert_eq!(
            (failure.stop_code.as_str(), failure.exit_code),
            (stop_code, exit_code),
            "{file}"
        );
        assert_eq!(failure.ran_seconds.is_some(), ran, "{file}");
    }
}

#[test]
fn stream_records_are_what_lambda_delivers() {
    for row in rows().iter().filter(|row| row.file.starts_with("stream-")) {
        let event: aws_lambda_events::event::dynamodb::Event =
            serde_json::from_value(payload(row.file)).unwrap();
        let record = &event.records[0];
        assert!(record.change.sequence_number.is_some(), "{}", row.file);
        for key in ["pk", "sk"] {
            assert_eq!(
                record.change.keys.get(key),
                record.change.new_image.get(key),
                "{}",
                row.file
            );
        }
    }
}

#[test]
fn local_variables_are_declared_in_the_template() {
    let functions = installed_with(&[]).functions().unwrap();
    let Value::Object(variables) = payload("local.env.json")["Parameters"].take() else { panic!() };
    assert!(variables.contains_key("TIDEGATE_ENDPOINT_URL"));
    for name in variables.keys() {
        // `sam local` silently drops a variable that the function does not declare.
        assert!(functions.iter().any(|it| it.environment.contains_key(name)), "{name}");
    }
}
