//! What is understood, what is none of our business, and what nobody understands.

use serde_json::{Value, json};

use super::{Woken, may_have_started, promote, watch};
use crate::stage::Chance;

fn ecr(detail: &Value) -> Value {
    json!({
        "source": "aws.ecr", "detail-type": "ECR Image Action", "id": "1",
        "account": "123456789012", "region": "us-west-2", "resources": [], "detail": detail,
    })
}

fn push(changes: &Value) -> Value {
    let mut detail = json!({
        "result": "SUCCESS", "action-type": "PUSH", "repository-name": "live_crons",
        "image-digest": format!("sha256:{}", "a".repeat(64)), "image-tag": "uapi",
    });
    for (name, value) in changes.as_object().unwrap() {
        detail[name] = value.clone();
    }
    ecr(&detail)
}

fn ecs(kind: &str, service: &str, detail: &Value) -> Value {
    json!({
        "source": "aws.ecs", "detail-type": kind, "id": "1",
        "account": "123456789012", "region": "us-west-2",
        "resources": [format!("arn:aws:ecs:us-west-2:123456789012:service/{service}")],
        "detail": detail,
    })
}

fn task(changes: &Value) -> Value {
    let mut detail = json!({
        "clusterArn": "arn:aws:ecs:us-west-2:123456789012:cluster/live-crons",
        "group": "service:Rag", "desiredStatus": "STOPPED", "taskArn": "task/live-crons/1",
        "taskDefinitionArn": "rag:18", "stopCode": "EssentialContainerExited",
        "containers": [{"name": "crons", "exitCode": 1}],
    });
    for (name, value) in changes.as_object().unwrap() {
        detail[name] = value.clone();
    }
    ecs("ECS Task State Change", "live-crons/Rag", &detail)
}

fn kind<T>(woken: &Woken<T>) -> &'static str {
    match woken {
        Woken::By(_) => "by",
        Woken::Schedule => "schedule",
        Woken::Nothing(_) => "nothing",
        Woken::NotUnderstood(_) => "not understood",
    }
}

#[test]
fn a_push_wakes_promote_only_when_somebody_may_have_meant_it() {
    for (what, event, expected) in [
        ("a push", push(&json!({})), "by"),
        ("no tag: absent", push(&json!({"image-tag": null})), "nothing"),
        ("no tag: empty", push(&json!({"image-tag": ""})), "nothing"),
        ("our own tag", push(&json!({"image-tag": "tidegate-keep-0123"})), "nothing"),
        ("a failure", push(&json!({"result": "FAILURE"})), "nothing"),
        ("a deletion", push(&json!({"action-type": "DELETE"})), "nothing"),
        ("no digest", push(&json!({"image-digest": "latest"})), "not understood"),
        ("no repository", push(&json!({"repository-name": ""})), "not understood"),
        ("a tag that is no text", push(&json!({"image-tag": 7})), "not understood"),
        ("the sweep", json!({"kind": "sweep"}), "schedule"),
        ("watch's schedule", json!({"kind": "tick"}), "not understood"),
        ("EventBridge's own", json!({"detail-type": "Scheduled Event"}), "schedule"),
        ("another event", json!({"detail-type": "ECR Image Scan"}), "not understood"),
        ("nothing at all", json!(null), "not understood"),
    ] {
        assert_eq!(kind(&promote(&event)), expected, "{what}");
    }
}

#[test]
fn an_event_wakes_watch_only_when_it_may_be_a_verdict() {
    let deployment = |name: &str, reason: &str| {
        let detail = json!({"eventName": name, "reason": reason});
        ecs("ECS Deployment State Change", "live-crons/Rag", &detail)
    };
    let old_arn = ecs("ECS Service Action", "Rag", &json!({"eventName": "X"}));
    let rolling_back = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.";
    for (what, event, expected) in [
        ("a stopped task", task(&json!({})), "by"),
        ("no stop code yet", task(&json!({"stopCode": null})), "nothing"),
        ("a task that goes on", task(&json!({"desiredStatus": "RUNNING"})), "nothing"),
        ("a task of no service", task(&json!({"group": "family:x"})), "nothing"),
        ("containers that are no list", task(&json!({"containers": 7})), "not understood"),
        ("the start", deployment("SERVICE_DEPLOYMENT_IN_PROGRESS", "started"), "nothing"),
        ("a rollback", deployment("SERVICE_DEPLOYMENT_IN_PROGRESS", rolling_back), "by"),
        ("the end", deployment("SERVICE_DEPLOYMENT_COMPLETED", "completed"), "by"),
        ("a failure", deployment("SERVICE_DEPLOYMENT_FAILED", "breaker"), "by"),
        ("steady", deployment("SERVICE_STEADY_STATE", ""), "nothing"),
        ("an ARN that names no cluster", old_arn, "nothing"),
        ("the tick", json!({"kind": "tick"}), "schedule"),
        ("nothing at all", json!([]), "not understood"),
    ] {
        assert_eq!(kind(&watch(&event)), expected, "{what}");
    }
}

#[test]
fn the_container_that_fell_is_the_one_that_is_told() {
    let event = task(&json!({
        "containers": [
            {"name": "sidecar", "exitCode": 0},
            {"name": "crons", "exitCode": 137, "reason": "OutOfMemoryError"},
        ],
        "startedAt": "2026-11-20T09:14:00Z", "stoppingAt": "2026-11-20T09:14:41Z",
    }));
    let Woken::By(seen) = watch(&event) else { panic!() };
    let (revision, failure) = seen.task.unwrap();
    assert_eq!(revision, "rag:18");
    assert_eq!((failure.container.as_str(), failure.exit_code), ("crons", Some(137)));
    assert_eq!((failure.ran_seconds, failure.detail.as_str()), (Some(41), "OutOfMemoryError"));
}

#[test]
fn a_clock_that_ran_backwards_is_no_running_time() {
    let event = task(&json!({
        "startedAt": "2026-11-20T09:14:41Z", "stoppingAt": "2026-11-20T09:14:00Z",
    }));
    let Woken::By(seen) = watch(&event) else { panic!() };
    assert_eq!(seen.task.unwrap().1.ran_seconds, None);
}

/// Values of every kind, as deep as asked.
fn value(chance: &mut Chance, depth: u32) -> Value {
    match chance.below(if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => json!(chance.below(2) == 0),
        2 => json!(chance.below(u64::MAX)),
        3 => json!("2026-11-20T09:14:41Z"),
        4 => json!("ä\u{0}/:service/".repeat(usize::try_from(chance.below(60)).unwrap())),
        5 => json!(-1.5e300),
        6 => (0..chance.below(4)).map(|_| value(chance, depth - 1)).collect(),
        _ => json!({ "detail": value(chance, depth - 1), "name": value(chance, depth - 1) }),
    }
}

/// One value somewhere in `event` becomes another one.
fn spoil(chance: &mut Chance, event: &mut Value) {
    let mut children = match event {
        Value::Object(fields) => fields.values_mut().collect::<Vec<_>>(),
        Value::Array(values) => values.iter_mut().collect(),
        _ => Vec::new(),
    };
    let count = children.len() as u64;
    if count == 0 || chance.below(4) == 0 {
        *event = value(chance, 3);
    } else {
        let chosen = usize::try_from(chance.below(count)).unwrap();
        spoil(chance, children.remove(chosen));
    }
}

#[test]
fn no_json_makes_us_panic_and_what_nobody_understands_has_a_short_name() {
    let mut chance = Chance::new(7);
    let mut kinds = std::collections::BTreeSet::new();
    for _ in 0..20_000 {
        let mut event = match chance.below(3) {
            0 => push(&json!({})),
            1 => task(&json!({"startedAt": "2026-11-20T09:14:41Z"})),
            _ => ecs("ECS Service Action", "live-crons/Rag", &json!({"eventName": "X"})),
        };
        for _ in 0..=chance.below(2) {
            spoil(&mut chance, &mut event);
        }
        let (promote, watch) = (promote(&event), watch(&event));
        kinds.extend([kind(&promote), kind(&watch)]);
        if let Woken::NotUnderstood(name) = promote {
            assert!(name.chars().count() <= 300, "{name}");
        }
    }
    assert_eq!(kinds.len(), 3, "spoiled events still are understood in all these ways: {kinds:?}");
}

#[test]
fn a_run_is_that_of_the_schedule_whose_name_ecs_cut() {
    let target = |id: &str| id.parse().unwrap();
    let nightly: crate::model::TargetId =
        target("schedule/123456789012/us-west-2/default/nightly-report-of-everything");
    let rule: crate::model::TargetId = target("rule/123456789012/us-west-2/default/nightly-report");
    for (started_by, of_schedule, of_rule) in [
        ("chronos-schedule/nightly-report-of-ev", true, false),
        ("chronos-schedule/hourly", false, false),
        ("events-rule/nightly-report", false, true),
        ("ecs-svc/123", false, false),
        ("", false, false),
    ] {
        assert_eq!(may_have_started(&nightly, started_by), of_schedule, "{started_by}");
        assert_eq!(may_have_started(&rule, started_by), of_rule, "{started_by}");
    }
    // What is not cut is the name.
    let longer = target("schedule/123456789012/us-west-2/default/sync-full");
    assert!(!may_have_started(&longer, "chronos-schedule/sync"));
    assert!(may_have_started(&longer, "chronos-schedule/sync-full"));
}
