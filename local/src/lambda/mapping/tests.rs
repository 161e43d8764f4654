use super::*;
use crate::pattern::Pattern;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

fn record(item: &str, number: u64, ready: i64) -> Record {
    let image = json!({"n": {"N": number.to_string()}, "todo": {"S": "deploy"}});
    let body = json!({"dynamodb": {"SequenceNumber": number.to_string(), "NewImage": image}});
    let (item, sequence) = (item.to_owned(), number.to_string());
    Record { at: at(0), ready: at(ready), shard: 0, item, sequence, body }
}

fn feed(change: impl FnOnce(&mut Mapping)) -> Feed {
    let mut mapping = Mapping {
        id: "M".to_owned(),
        uuid: "u".to_owned(),
        enabled: true,
        filters: Vec::new(),
        batch: 10,
        lanes: 1,
        retries: Some(2),
        age: Duration::from_secs(3600),
        bisect: false,
        partial: true,
        on_failure: Some("arn:dead".to_owned()),
        stream: "arn:stream".to_owned(),
    };
    change(&mut mapping);
    Feed::new(mapping, "deploy")
}

/// The sequence numbers of the batch that starts.
fn start(feed: &mut Feed, ms: i64) -> Vec<String> {
    let event = feed.start((0, 0), at(ms)).unwrap_or_default();
    let records = event["Records"].as_array().into_iter().flatten();
    records.map(|it| it["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned()).collect()
}

fn failing(sequence: &str) -> Value {
    json!({"batchItemFailures": [{"itemIdentifier": sequence}]})
}

#[test]
fn items_overtake_each_other_but_never_themselves() {
    let mut feed = feed(|_| {});
    feed.offer(&record("a", 1, 400));
    feed.offer(&record("b", 2, 300));
    feed.offer(&record("a", 3, 100));
    assert_eq!(feed.next_due((0, 0)), Some(at(300)));
    assert!(start(&mut feed, 299).is_empty());
    assert_eq!(start(&mut feed, 500), ["2", "1", "3"]);
}

#[test]
fn a_lane_serves_one_batch_at_a_time() {
    let mut feed = feed(|mapping| mapping.batch = 1);
    for number in 1..=2 {
        feed.offer(&record("a", number, 0));
    }
    assert_eq!(start(&mut feed, 0), ["1"]);
    assert_eq!(feed.next_due((0, 0)), None);
    assert!(start(&mut feed, 0).is_empty());
    feed.finish((0, 0), &Ok(json!({})), at(10));
    assert_eq!(start(&mut feed, 10), ["2"]);
}

#[test]
fn items_have_lanes_of_their_own_when_the_mapping_has_several() {
    let mut feed = feed(|mapping| mapping.lanes = 10);
    let lane = |feed: &mut Feed, item| feed.offer(&record(item, 1, 0)).unwrap();
    assert_eq!(lane(&mut feed, "a"), lane(&mut feed, "a"));
    let lanes: std::collections::BTreeSet<_> =
        ["a", "b", "c", "d", "e"].into_iter().map(|item| lane(&mut feed, item)).collect();
    assert!(lanes.len() > 2);
}

#[test]
fn a_filter_keeps_records_out() {
    let filter = json!({"dynamodb": {"NewImage": {"todo": {"S": ["notify"]}}}});
    let mut feed = feed(|mapping| mapping.filters = vec![Pattern::parse(&filter).unwrap()]);
    assert_eq!(feed.offer(&record("a", 1, 0)), None);
}

#[test]
fn a_partial_failure_serves_everything_from_there_again() {
    let mut feed = feed(|_| {});
    for number in 1..=4 {
        feed.offer(&record("a", number, 0));
    }
    assert_eq!(start(&mut feed, 0).len(), 4);
    assert_eq!(feed.finish((0, 0), &Ok(failing("3")), at(100)), None);
    assert!(start(&mut feed, 200).is_empty(), "there is a back-off");
    assert_eq!(start(&mut feed, 1_100), ["3", "4"]);
    assert_eq!(feed.finish((0, 0), &Ok(Value::Null), at(1_200)), None);
    assert!(start(&mut feed, 99_000).is_empty());
}

#[test]
fn an_identifier_of_nothing_fails_the_whole_batch() {
    for answer in [failing("99"), failing(""), json!({"batchItemFailures": [{"x": 1}]})] {
        let mut feed = feed(|_| {});
        feed.offer(&record("a", 1, 0));
        feed.offer(&record("a", 2, 0));
        start(&mut feed, 0);
        feed.finish((0, 0), &Ok(answer), at(0));
        assert_eq!(start(&mut feed, 9_000), ["1", "2"]);
    }
}

#[test]
fn tries_run_out_and_the_batch_is_given_up_with_its_place_in_the_stream() {
    let mut feed = feed(|_| {});
    feed.offer(&record("a", 7, 0));
    let failed = Err("crashed".to_owned());
    for now in [0, 10_000] {
        start(&mut feed, now);
        assert_eq!(feed.finish((0, 0), &failed, at(now)), None);
    }
    start(&mut feed, 20_000);
    let given_up = feed.finish((0, 0), &failed, at(20_000)).unwrap();
    assert_eq!(given_up.queue.as_deref(), Some("arn:dead"));
    assert_eq!(given_up.message["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(given_up.message["DDBStreamBatchInfo"]["startSequenceNumber"], "7");
    assert_eq!(feed.next_due((0, 0)), None);
}

#[test]
fn records_get_too_old() {
    let mut feed = feed(|mapping| {
        mapping.retries = None;
        mapping.age = Duration::from_secs(60);
    });
    feed.offer(&record("a", 1, 0));
    start(&mut feed, 0);
    assert_eq!(feed.finish((0, 0), &Err(String::new()), at(59_000)), None);
    start(&mut feed, 61_000);
    let given_up = feed.finish((0, 0), &Err(String::new()), at(61_000)).unwrap();
    assert_eq!(given_up.message["requestContext"]["condition"], "RecordAgeExceeded");
}

#[test]
fn a_failing_batch_is_cut_in_two_until_the_poison_is_alone() {
    let mut feed = feed(|mapping| mapping.bisect = true);
    for number in 1..=3 {
        feed.offer(&record("a", number, 0));
    }
    let mut now = 0;
    let mut served = Vec::new();
    while let batch = start(&mut feed, now)
        && !batch.is_empty()
    {
        let poisoned = batch.contains(&"2".to_owned());
        let outcome = if poisoned { Err("poison".to_owned()) } else { Ok(json!({})) };
        served.push(batch);
        feed.finish((0, 0), &outcome, at(now));
        now += 120_000;
    }
    let batches: Vec<_> = served.iter().map(|batch| batch.join(",")).collect();
    assert_eq!(batches, ["1,2,3", "1", "2,3", "2", "2", "2", "3"]);
}
