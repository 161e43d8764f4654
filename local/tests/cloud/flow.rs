//! Events, streams and schedules reach the functions as the template says.

use std::time::Duration;

use crate::world::{Script, tell};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_local::twin::Twin;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

async fn write(twin: &Twin, sk: &str, todo: &str) {
    let table = twin.world.look(|cloud| cloud.table().to_owned());
    let item = [("pk", "pipeline#p"), ("sk", sk), ("todo", todo)];
    let client = aws_sdk_dynamodb::Client::new(&twin.sdk_config("operator"));
    let mut put = client.put_item().table_name(table);
    for (name, value) in item {
        put = put.item(name, AttributeValue::S(value.to_owned()));
    }
    put.send().await.unwrap();
}

#[test]
fn a_push_wakes_promote_once_and_not_before_half_a_second() {
    let script = Script::default();
    tell(1, &script, async |twin| {
        let digest = twin.push("live_crons", &["uapi"], "healthy").unwrap();
        twin.run_for(Duration::from_millis(499)).await;
        assert!(script.events("promote").is_empty());
        twin.run_for(2 * SECOND).await;
        let events = script.events("promote");
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["detail-type"], "ECR Image Action");
        assert_eq!(events[0]["detail"]["image-digest"], digest);
        twin.push("live_crons", &["tidegate-keep-1"], "healthy").unwrap();
        twin.run_for(2 * SECOND).await;
        assert_eq!(script.events("promote").len(), 1, "the rule keeps our own tags out");
    });
}

#[test]
fn schedules_tick_about_every_minute() {
    let script = Script::default();
    tell(1, &script, async |twin| {
        twin.run_for(10 * MINUTE).await;
        assert!((9..=10).contains(&script.ticks("watch")), "{}", script.ticks("watch"));
        assert_eq!(script.ticks("promote"), 2);
    });
}

#[test]
fn a_written_item_wakes_the_function_whose_filter_it_passes() {
    let script = Script::default();
    tell(1, &script, async |twin| {
        write(&twin, "head", "deploy").await;
        write(&twin, "head", "deploy").await;
        write(&twin, "journal", "notify").await;
        write(&twin, "other", "claimed").await;
        twin.run_for(2 * SECOND).await;
        let events = script.events("deploy");
        assert_eq!(events.len(), 1, "the second write changed nothing");
        let record = &events[0]["Records"][0];
        assert_eq!(record["eventName"], "INSERT");
        assert_eq!(record["dynamodb"]["NewImage"]["todo"]["S"], "deploy");
        assert_eq!(script.events("notify").len(), 1);
    });
}

#[test]
fn a_failing_deploy_is_tried_four_times_and_then_parked() {
    let script = Script::answering(|_, _| Err("broken".to_owned()));
    tell(1, &script, async |twin| {
        write(&twin, "head", "deploy").await;
        twin.run_for(30 * SECOND).await;
        assert_eq!(script.events("deploy").len(), 4);
        let parked = twin.world.look(|cloud| cloud.queues.parked().clone());
        let messages = &parked["tidegate-DeadLetters"];
        assert_eq!(messages[0]["requestContext"]["condition"], "RetryAttemptsExhausted");
    });
}

#[test]
fn a_failing_promote_is_tried_after_one_and_two_minutes_and_then_parked() {
    let broken = |event: &Value| event["n"] == 1;
    let script =
        Script::answering(
            move |_, event| {
                if broken(event) { Err("broken".to_owned()) } else { Ok(json!({})) }
            },
        );
    tell(1, &script, async |twin| {
        twin.world.with(|cloud, now| cloud.invoke_later("promote", json!({"n": 1}), now));
        let tries = || script.events("promote").len();
        twin.run_for(SECOND).await;
        assert_eq!(tries(), 1);
        twin.run_for(MINUTE).await;
        assert_eq!(tries(), 2);
        twin.run_for(2 * MINUTE).await;
        assert_eq!(tries(), 3);
        let parked = twin.world.look(|cloud| cloud.queues.parked().clone());
        assert_eq!(parked["tidegate-DeadLetters"][0]["requestPayload"], json!({"n": 1}));
    });
}

#[test]
fn events_are_lost_doubled_and_late_when_told_to() {
    for (fault, expected) in [(Fault::Lose, 0), (Fault::Duplicate, 2), (Fault::Reorder(3_000), 0)] {
        let script = Script::default();
        tell(1, &script, async |twin| {
            let rule = FaultRule { service: Some("ecr".to_owned()), ..FaultRule::always(fault) };
            twin.world.with(|cloud, _| cloud.faults.add(rule));
            twin.push("live_crons", &["uapi"], "healthy").unwrap();
            twin.run_for(2 * SECOND).await;
            let pushes = script.events("promote");
            assert_eq!(pushes.len(), expected, "{fault:?}");
            assert_eq!(twin.world.look(|cloud| cloud.faults.fired()[0].fired), 1);
        });
    }
}

#[test]
fn a_batch_can_be_served_twice_at_once() {
    let script = Script::default();
    tell(1, &script, async |twin| {
        let rule =
            FaultRule { service: Some("lambda".to_owned()), ..FaultRule::always(Fault::Duplicate) };
        twin.world.with(|cloud, _| cloud.faults.add(rule));
        write(&twin, "head", "deploy").await;
        twin.run_for(2 * SECOND).await;
        let events = script.events("deploy");
        assert_eq!(events.len(), 2);
        assert_eq!(events[0], events[1]);
    });
}

#[test]
fn the_same_seed_is_the_same_story() {
    let story = |seed| {
        let script = Script::default();
        tell(seed, &script, async |twin| {
            twin.push("live_crons", &["uapi", "prod-0a1b2c3"], "crash").unwrap();
            for number in 0..5 {
                write(&twin, &format!("target{number}"), "deploy").await;
            }
            twin.run_for(3 * MINUTE).await;
            let ended = twin.world.look(|cloud| cloud.ended().to_vec());
            ended
                .iter()
                .map(|it| format!("{} {} {}", it.at, it.instance.program, it.event))
                .collect()
        })
    };
    let first: Vec<String> = story(7);
    assert!(first.len() > 8);
    assert_eq!(first, story(7));
    assert_ne!(first, story(8));
}
