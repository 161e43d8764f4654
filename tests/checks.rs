//! What else must be green: URLs and alarms, from the config to the end of the release.

#![expect(clippy::unwrap_used, reason = "a test that cannot tell its story has failed")]

use std::cell::Cell;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tidegate_core::model::{NoticeKind, Phase, Red, Release};
use tidegate_local::cloudwatch::CloudWatch;
use tidegate_tests::fleet::is_live;
use tidegate_tests::{Stage, play};

const PIPELINE: &str = "someli-production";
const FIRST: &str = "someli-production/1";
const HEALTH: &str = "https://api.example.com/health";
const MINUTE: Duration = Duration::from_secs(60);

/// Two services in two waves, and these checks.
fn config(checks: &str) -> String {
    format!(
        "version: 1
pipelines:
  {PIPELINE}:
    images: {{ crons: {{ repository: live_crons, tag: uapi }} }}
    cluster: live-crons
    waves: [[Rag], [Carousel]]
    watch: {{ timeout: 10m, bake: 1m }}
    checks: {checks}
"
    )
}

fn health(rest: &str) -> String {
    format!("[{{ http: \"{HEALTH}\"{rest} }}]")
}

/// Somebody pushes an image whose tasks answer so.
fn push(stage: &Stage, http: &str) {
    stage.twin.push_serving("live_crons", &["uapi"], http).unwrap();
}

fn set_alarm(stage: &Stage, name: &str, state: &str, reason: &str) {
    let set = json!({ "AlarmName": name, "StateValue": state, "StateReason": reason });
    stage.twin.world.with(|cloud, now| cloud.cloudwatch.call("SetAlarmState", &set, now)).unwrap();
}

/// When the URL was asked.
fn asked(stage: &Stage) -> Vec<Timestamp> {
    stage.twin.world.look(|cloud| cloud.asked().iter().map(|asked| asked.at).collect())
}

/// When CloudWatch was asked.
fn listened(stage: &Stage) -> Vec<Timestamp> {
    stage.twin.world.look(|cloud| {
        let calls = cloud.calls().iter().filter(|it| it.call.name() == "cloudwatch:DescribeAlarms");
        calls.map(|it| it.at).collect()
    })
}

/// When the release got into a state.
async fn became(stage: &Stage, state: &str) -> Timestamp {
    let journal = stage.table.journal(&FIRST.parse().unwrap()).await.unwrap();
    journal.iter().rfind(|entry| entry.to == state && entry.from != state).unwrap().at
}

#[test]
fn a_green_release_is_asked_at_each_wave_through_the_bake_and_at_its_end() {
    let checks = "[{ http: \"https://api.example.com/health\", body: ok }, { alarm: api-5xx }]";
    play(1, &config(checks), async |stage| {
        stage.adopt().await;
        stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of(FIRST).await), "{}", stage.journal(FIRST).await);
        let (baking, live) = (became(stage, "baking").await, became(stage, "live").await);
        let (before, bake): (Vec<_>, Vec<_>) =
            asked(stage).into_iter().partition(|at| *at <= baking);
        assert_eq!(before.len(), 2, "once for each wave");
        let until = baking + MINUTE;
        let late = live.duration_since(until);
        assert!((0..=75).contains(&late.as_secs()), "live {late:#} after the bake's end");
        assert!(bake.iter().filter(|at| **at < until).count() >= 2, "{baking}: {bake:?}");
        assert!(bake.last().is_some_and(|at| *at >= until), "{until}: {bake:?}");
        assert_eq!(stage.kinds(FIRST).await, [NoticeKind::Started, NoticeKind::Live]);
    });
}

#[test]
fn stable_services_that_answer_503_come_back() {
    play(2, &config(&health(", attempts: 3")), async |stage| {
        stage.adopt().await;
        let old = stage.digest("Rag");
        push(stage, "/health=503");
        stage.until(FIRST, 10 * MINUTE, |release| wrong(release) == 1).await;
        let (_, status, _) = stage.tidegate("status").await;
        let said = "check GET https://api.example.com/health: 1 of 3 tries answered 503 `/health \
                    answers 503`";
        assert!(status.contains(said), "{status}");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back");
        let failure = release.failure.unwrap();
        assert!(failure.cause.starts_with("GET https://api.example.com/health answered wrongly 3"));
        assert!(failure.evidence[1].ends_with("503 `/health answers 503`"), "{failure}");
        let times = asked(stage);
        assert_eq!(times.len(), 3, "{times:?}");
        for pair in times.windows(2) {
            assert!(pair[1].duration_since(pair[0]).as_secs() >= 15, "{times:?}");
        }
        let took = times[2].duration_since(times[0]).as_secs();
        assert!(took <= 75, "three tries 15 s apart took {took} s: a tick waits for them");
        assert_eq!(stage.digest("Rag"), old);
        assert_eq!(stage.updates("Carousel"), 0, "its wave never opened");
        assert!(stage.scene(PIPELINE).await.blocked.is_empty(), "a check blames no bytes");
    });
}

/// How many wrong answers the first check has had.
fn wrong(release: &Release) -> u32 {
    match release.checks.first().and_then(|checked| checked.red.as_ref()) {
        Some(Red::Wrong { times, .. }) => *times,
        _ => 0,
    }
}

#[test]
fn what_is_red_at_first_and_then_green_goes_on() {
    play(3, &config(&health(", attempts: 20")), async |stage| {
        stage.adopt().await;
        push(stage, "/health=503 for 180s");
        let most = Cell::new(0);
        let release = stage
            .until(FIRST, 30 * MINUTE, |release| {
                most.set(most.get().max(wrong(release)));
                release.phase.is_ended()
            })
            .await;
        assert!(is_live(&release), "{}", stage.journal(FIRST).await);
        assert!(most.get() >= 2, "it was red at first: {}", most.get());
        assert_eq!(wrong(&release), 0);
    });
}

#[test]
fn an_alarm_that_begins_to_ring_in_the_bake_brings_it_back() {
    play(4, &config("[{ alarm: api-5xx }]"), async |stage| {
        stage.adopt().await;
        stage.push("uapi", "healthy");
        stage.until_phase(FIRST, "baking").await;
        let rang = stage.twin.now();
        set_alarm(
            stage,
            "api-5xx",
            "ALARM",
            "Threshold Crossed: 1 datapoint [17.0] was greater than 5.0",
        );
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back");
        let failure = release.failure.unwrap();
        assert_eq!(failure.cause, "alarm api-5xx began to ring");
        assert!(failure.evidence[1].contains("[17.0] was greater than 5.0"), "{failure}");
        let heard = became(stage, "rolling_back").await.duration_since(rang);
        assert!(heard.as_secs() <= 75, "{heard:#}");
    });
}

#[test]
fn a_composite_alarm_that_begins_to_ring_in_the_bake_brings_it_back() {
    play(8, &config("[{ alarm: shop-is-ill }]"), async |stage| {
        let rule = "ALARM(api-5xx) OR (ALARM(api-slow) AND NOT ALARM(maintenance))";
        let composite = json!({ "AlarmName": "shop-is-ill", "AlarmRule": rule });
        stage.twin.world.with(|cloud, now| {
            cloud.cloudwatch = CloudWatch::new(cloud.place.clone());
            for name in ["api-5xx", "api-slow", "maintenance"] {
                cloud.cloudwatch.seed(name, now);
            }
            cloud.cloudwatch.call("PutCompositeAlarm", &composite, now).unwrap();
        });
        stage.adopt().await;
        let old = ["Rag", "Carousel"].map(|service| stage.digest(service));
        stage.push("uapi", "healthy");
        stage.until_phase(FIRST, "baking").await;
        // What it is made of rings, and what silences that is quiet.
        set_alarm(stage, "api-slow", "ALARM", "p99 was greater than 2 s");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back", "{}", stage.journal(FIRST).await);
        assert_eq!(release.failure.unwrap().cause, "alarm shop-is-ill began to ring");
        assert_eq!(["Rag", "Carousel"].map(|service| stage.digest(service)), old);
    });
}

#[test]
fn an_alarm_that_rang_before_is_said_once_and_not_held_against_it() {
    play(5, &config("[{ alarm: api-5xx }]"), async |stage| {
        stage.adopt().await;
        set_alarm(stage, "api-5xx", "ALARM", "since yesterday");
        stage.push("uapi", "healthy");
        assert!(is_live(&stage.end_of(FIRST).await));
        let journal = stage.journal(FIRST).await;
        assert_eq!(
            journal.matches("alarm api-5xx rang before the release").count(),
            1,
            "{journal}"
        );
    });
}

#[test]
fn an_alarm_that_is_not_there_is_waited_for_by_name_and_ends_with_the_timeout() {
    let text = config("[{ alarm: api-5xx }]").replace("timeout: 10m", "timeout: 5m");
    play(6, &text, async |stage| {
        stage.adopt().await;
        stage.twin.world.with(|cloud, now| {
            cloud.cloudwatch = CloudWatch::new(cloud.place.clone());
            cloud.cloudwatch.seed("api-4xx", now);
        });
        stage.push("uapi", "healthy");
        stage.until(FIRST, 10 * MINUTE, |release| !release.checks.is_empty()).await;
        stage.until_service(PIPELINE, "Rag", "healthy").await;
        let (_, status, _) = stage.tidegate("status").await;
        let said = "check alarm api-5xx: CloudWatch has no alarm of this name here";
        assert!(status.contains(said), "{status}");
        let release = stage.end_of(FIRST).await;
        assert_eq!(release.phase.name(), "rolled_back", "on_timeout: rollback");
        let failure = release.failure.unwrap();
        assert!(failure.cause.starts_with("not green in time: "), "{failure}");
    });
}

#[test]
fn a_tick_asks_for_the_alarms_of_all_pipelines_at_once_and_sleeps_where_none_is_due() {
    let two = "version: 1
defaults: { cluster: live-crons, watch: { bake: 1m }, checks: [{ alarm: api-5xx }] }
pipelines:
  a: { images: { crons: { repository: live_crons, tag: uapi } }, waves: [[Rag]] }
  b:
    images: { crons: { repository: live_crons, tag: uapi } }
    waves: [[Carousel]]
    checks: [{ alarm: api-5xx }, { alarm: api-4xx }]
";
    play(7, two, async |stage| {
        stage.adopt().await;
        stage.push("uapi", "healthy");
        for release in ["a/1", "b/1"] {
            assert!(is_live(&stage.end_of(release).await), "{release}");
        }
        let times = listened(stage);
        assert!(times.len() >= 3, "{times:?}");
        for pair in times.windows(2) {
            let apart = pair[1].duration_since(pair[0]).as_secs();
            assert!(apart >= 55, "one call a tick: {times:?}");
        }
        let most = stage.twin.world.look(|cloud| {
            let ticks = cloud.ended().iter().filter(|it| it.instance.program == "watch");
            ticks.map(|it| it.at.duration_since(it.began).as_secs()).max()
        });
        assert!(most < Some(5), "nothing but a URL keeps a tick awake: {most:?} s");
        assert!(matches!(stage.release("a/1").await.phase, Phase::Live { .. }));
    });
}
