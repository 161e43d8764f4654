//! What notify does with a batch of the stream, over the real SDK clients.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::time::Duration;

use serde_json::{Value, json};
use world::{SLACK, SLACK_MOVED, TEAMS, World, entry, record};

const DOWN: (u16, &str, Option<&str>) = (503, "down", None);

#[tokio::test(start_paused = true)]
async fn a_notice_goes_out_on_every_channel() {
    let world = World::new();
    let again = world.deliver(&world.process(), &[record(&entry(5, world.now()))]).await;
    assert_eq!(again, [""; 0]);

    let sns = &world.taken("sns")[0];
    for part in [
        "Action=Publish",
        "TopicArn=arn%3Aaws%3Asns%3Aus-west-2%3A123456789012%3Atidegate",
        "MessageStructure=json",
        "Subject=WARNING%20step%205",
        "%22default%22%3A%22%7B%5C%22version%5C%22%3A%5C%221%5C%22",
        "%22email%22%3A%22",
        "Name=kind&",
        "StringValue=rollback_started",
        "StringValue=someli-production%2F42",
        "StringValue=warning",
    ] {
        assert!(sns.contains(part), "{part} in {sns}");
    }
    let slack: Value = serde_json::from_str(&world.taken(SLACK)[0]).unwrap();
    assert_eq!(slack["text"], "🟠 step 5: &lt;crons&gt; &amp; friends go back");
    let teams: Value = serde_json::from_str(&world.taken(TEAMS)[0]).unwrap();
    assert_eq!(teams["attachments"][0]["content"]["type"], "AdaptiveCard");
}

/// The payload that `sam local invoke` and `cargo lambda invoke` are fed with.
#[tokio::test(start_paused = true)]
async fn the_sample_event_is_told() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/stream-journal.json");
    let event: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let world = World::new();
    let batch = event["Records"].as_array().unwrap();
    assert_eq!(world.deliver(&world.process(), batch).await, [""; 0]);
    assert_eq!((world.taken("sns").len(), world.taken("sqs").len()), (batch.len(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_is_told_once_by_a_process_and_with_the_same_id_by_the_next() {
    let world = World::new();
    let record = record(&entry(5, world.now()));
    let process = world.process();
    world.deliver(&process, &[record.clone(), record.clone()]).await;
    world.deliver(&process, std::slice::from_ref(&record)).await;
    assert_eq!((world.taken("sns").len(), world.taken(SLACK).len()), (1, 1));
    world.deliver(&world.process(), &[record]).await;
    let sns = world.taken("sns");
    assert_eq!(sns.len(), 2);
    assert!(sns.iter().all(|body| body.contains("someli-production%2F42%2Frelease%2F5")));
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_is_down_delays_no_other_and_its_letters_are_parked() {
    let world = World::new();
    let (begin, records) = (world.now(), [5, 6, 7].map(|step| record(&entry(step, world.now()))));
    let process = world.process();
    world.state().moods.insert(SLACK, DOWN);
    assert_eq!(world.deliver(&process, &records).await, [""; 0], "nothing comes again");
    assert_eq!((world.taken("sns").len(), world.taken(TEAMS).len()), (3, 3));
    assert_eq!(world.asked(SLACK), 4, "at 0, 1, 3 and 7 s; the next only meets the same silence");
    assert!(world.now().duration_since(begin).as_secs() <= 15, "what is behind must not wait");
    for (nth, step) in [5, 6, 7].into_iter().enumerate() {
        let letter = parked(&world, nth);
        assert_eq!(letter["what"], format!("someli-production/42/release/{step} on slack"));
        assert_eq!(letter["why"], "slack answered 503: down");
        assert_eq!(letter["notification"]["reason"], entry(step, begin).reason, "the whole of it");
    }

    world.state().moods.clear();
    world.deliver(&process, &[record(&entry(8, world.now()))]).await;
    assert_eq!(world.taken(SLACK).len(), 1, "it is asked again for what is new");
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_comes_back_within_seconds_has_it_all() {
    let world = World::new();
    let records = [5, 6].map(|step| record(&entry(step, world.now())));
    world.state().once.insert(SLACK, DOWN);
    assert_eq!(world.deliver(&world.process(), &records).await, [""; 0]);
    let told = world.taken(SLACK);
    assert!(told[0].contains("step 5") && told[1].contains("step 6"), "in order: {told:?}");
    assert_eq!(world.taken("sqs").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_comes_again_for_the_topic_is_not_parked_for_a_webhook() {
    let world = World::new();
    let records = [5, 6].map(|step| record(&entry(step, world.now())));
    let process = world.process();
    world.state().moods.insert(SLACK, DOWN);
    world.state().moods.insert("sns", (503, "", None));
    assert_eq!(world.deliver(&process, &records).await, ["105"]);
    assert_eq!(world.taken("sqs").len(), 0);
    world.state().moods.clear();
    assert_eq!(world.deliver(&process, &records).await, [""; 0]);
    assert_eq!((world.taken("sns").len(), world.taken(SLACK).len()), (2, 2));
    assert_eq!(world.taken(TEAMS).len(), 2, "once each");
}

fn parked(world: &World, nth: usize) -> Value {
    let send: Value = serde_json::from_str(&world.taken("sqs")[nth]).unwrap();
    assert!(send["QueueUrl"].as_str().unwrap().ends_with("/dead-letters"));
    serde_json::from_str(send["MessageBody"].as_str().unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_wait_that_a_channel_asks_for_is_kept() {
    let world = World::new();
    let begin = world.now();
    world.state().once.insert(SLACK, (429, "slow down", Some("7")));
    assert_eq!(world.deliver(&world.process(), &[record(&entry(5, begin))]).await, [""; 0]);
    assert_eq!((world.asked(SLACK), world.taken(SLACK).len()), (2, 1));
    assert_eq!(world.now().duration_since(begin).as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_asks_for_no_wait_is_not_hammered() {
    let world = World::new();
    world.state().moods.insert(SLACK, (429, "slow down", Some("0")));
    world.deliver(&world.process(), &[record(&entry(5, world.now()))]).await;
    assert_eq!(world.asked(SLACK), 4, "at 0, 1, 3 and 7 s, as without an answer to that");
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_that_a_webhook_asks_for_holds_nobody_back() {
    let world = World::new();
    let begin = world.now();
    world.state().moods.insert(SLACK, (429, "slow down", Some("30")));
    assert_eq!(world.deliver(&world.process(), &[record(&entry(5, begin))]).await, [""; 0]);
    assert_eq!(world.now(), begin, "no time is spent on a wait that cannot end");
    assert_eq!(parked(&world, 0)["why"], "slack answered 429: slow down");
}

#[tokio::test(start_paused = true)]
async fn a_replaced_webhook_is_read_again_and_a_revoked_one_parked() {
    let world = World::new();
    let process = world.process();
    world.deliver(&process, &[record(&entry(5, world.now()))]).await;
    let reads = world.asked("secretsmanager");
    assert_eq!(reads, 2, "one for each webhook, once");

    world.state().moods.insert(SLACK, (404, "no_service", None));
    world.state().slack_secret = Some(SLACK_MOVED);
    assert_eq!(world.deliver(&process, &[record(&entry(6, world.now()))]).await, [""; 0]);
    assert_eq!(world.taken(SLACK_MOVED).len(), 1);
    assert_eq!(world.asked("secretsmanager"), reads + 1);

    world.state().moods.insert(SLACK_MOVED, (403, "invalid_token", None));
    assert_eq!(world.deliver(&process, &[record(&entry(7, world.now()))]).await, [""; 0]);
    let letter = parked(&world, 0);
    assert_eq!(letter["why"], "slack answered 403: invalid_token");
    assert!(!letter.to_string().contains("/services/"), "the address is the password");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_understands_is_parked_by_name_and_blocks_nothing() {
    let world = World::new();
    let good = record(&entry(5, world.now()));
    let mut shapeless = good.clone();
    shapeless["dynamodb"]["NewImage"]["notice"] = json!({ "S": "hello" });
    let mut future = good.clone();
    future["dynamodb"]["NewImage"]["schema"] = json!({ "N": "2" });
    let mut silent = good.clone();
    silent["dynamodb"]["NewImage"].as_object_mut().unwrap().remove("notice");
    let no_record = json!({ "hello": "world" });
    let batch = [shapeless, future, silent, no_record.clone(), good];
    assert_eq!(world.deliver(&world.process(), &batch).await, [""; 0]);
    assert_eq!(world.taken("sns").len(), 1);

    let name = "pipeline#someli-production journal#00000042#r#0005";
    for (nth, what, why) in [
        (0, name, "not a journal entry"),
        (1, name, "written in schema 2; this program knows up to 1"),
        (2, name, "marked `notify`, but it holds no notice"),
        (3, "? ?", "not a stream record"),
    ] {
        let letter = parked(&world, nth);
        assert_eq!(letter["what"], what);
        assert!(letter["why"].as_str().unwrap().starts_with(why), "{letter}");
    }
    assert_eq!(parked(&world, 3)["record"], no_record);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_understands_is_parked_once_it_is_passed() {
    let world = World::new();
    let process = world.process();
    let batch = [record(&entry(5, world.now())), json!({ "hello": "world" })];
    world.state().moods.insert("sns", (503, "", None));
    assert_eq!(world.deliver(&process, &batch).await, ["105"]);
    assert_eq!(world.taken("sqs").len(), 0);
    world.state().moods.clear();
    assert_eq!(world.deliver(&process, &batch).await, [""; 0]);
    assert_eq!(world.taken("sqs").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn fields_that_this_program_does_not_know_are_no_reason_to_be_silent() {
    let world = World::new();
    let mut newer = record(&entry(5, world.now()));
    newer["dynamodb"]["NewImage"]["weather"] = json!({ "M": { "sky": { "S": "blue" } } });
    newer["brandNew"] = json!(true);
    assert_eq!(world.deliver(&world.process(), &[newer]).await, [""; 0]);
    assert_eq!((world.taken("sns").len(), world.taken("sqs").len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn records_that_are_not_for_people_are_passed_over() {
    let world = World::new();
    let mut slot = record(&entry(5, world.now()));
    slot["dynamodb"]["NewImage"]["todo"] = json!({ "S": "deploy" });
    let mut expired = slot.clone();
    expired["eventName"] = json!("REMOVE");
    expired["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    assert_eq!(world.deliver(&world.process(), &[slot, expired]).await, [""; 0]);
    assert_eq!(world.state().asked.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_refuses_is_parked_and_a_throttled_one_asked_again() {
    const THROTTLED: &str = "<ErrorResponse><Error><Code>Throttling</Code><Message>slow</Message></Error></ErrorResponse>";
    const INVALID: &str = "<ErrorResponse><Error><Code>InvalidParameter</Code>\
         <Message>Invalid parameter: Message too long</Message></Error></ErrorResponse>";
    let world = World::new();
    let process = world.process();
    let record = [record(&entry(5, world.now()))];
    world.state().moods.insert("sns", (400, THROTTLED, None));
    assert_eq!(world.deliver(&process, &record).await, ["105"]);
    world.state().moods.insert("sns", (400, INVALID, None));
    assert_eq!(world.deliver(&process, &record).await, [""; 0]);
    let letter = parked(&world, 0);
    assert_eq!(letter["what"], "someli-production/42/release/5 on sns");
    assert!(letter["why"].as_str().unwrap().contains("Message too long"), "{letter}");
    assert_eq!(world.taken(SLACK).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_parked_now_comes_again_for_the_topic_alone() {
    const INVALID: &str = "<ErrorResponse><Error><Code>InvalidParameter</Code><Message>no</Message></Error></ErrorResponse>";
    let world = World::new();
    let process = world.process();
    let record = [record(&entry(5, world.now()))];
    world.state().moods.insert("sqs", (503, "{}", None));
    world.state().moods.insert(SLACK, (400, "invalid_blocks", None));
    assert_eq!(world.deliver(&process, &record).await, [""; 0], "the log has it");
    world.state().moods.insert("sns", (400, INVALID, None));
    let process = world.process();
    assert_eq!(world.deliver(&process, &record).await, ["105"]);
    world.state().moods.remove("sqs");
    assert_eq!(world.deliver(&process, &record).await, [""; 0]);
    world.deliver(&process, &record).await;
    assert_eq!(world.taken("sqs").len(), 1, "parked once");
}

#[tokio::test(start_paused = true)]
async fn an_invocation_without_time_left_begins_nothing() {
    let world = World::new();
    let event = json!({ "Records": [record(&entry(5, world.now()))] });
    let deadline = world.now() + Duration::from_secs(2);
    let answer = world.process().handle(event, deadline).await.unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "105" }] }));
    assert_eq!(world.asked("sns"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_no_batch_is_refused_by_name() {
    let world = World::new();
    let refused = world.process().handle(json!({ "kind": "tick" }), world.now()).await;
    assert!(refused.unwrap_err().to_string().contains("stream records"));
}
