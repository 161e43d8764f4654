//! Load: many pipelines, many releases at once, much that is past. Figures are counts of calls, and
//! virtual time.

#![expect(clippy::expect_used, reason = "a story whose stage breaks has failed")]
#![expect(clippy::print_stdout, reason = "the figures of docs/proof.md")]

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tidegate_core::model::ReleaseId;
use tidegate_local::ecs::ServiceName;
use tidegate_local::seed::Fleet;
use tidegate_tests::Stage;
use tidegate_tests::fleet::is_live;
use tidegate_tests::invocations::Invocation;
use tidegate_tests::load::{IMAGE, PARAMETERS, SERVICES, TAG, adopt_what_runs, config, pipeline};
use tidegate_tests::play_with;

/// An image that takes long enough for ticks to look at many services at once: what settles sooner is
/// told by events.
const SLOW: &str = "slow=300s";

/// A tick works for so long: its function ends after 60 s, and it begins nothing in the last ten.
const TICK: Duration = Duration::from_secs(50);

/// How long the slowest of so many releases may take, all of them pushed in one moment.
///
/// What they share is ECS's rates for an account: `RegisterTaskDefinition` 20 and then one a second,
/// `UpdateService` 50 and then five a second. Nothing runs pinned bytes yet, so each service needs two
/// revisions: the release's, and the pinned way back.
fn bound(releases: u64) -> Duration {
    let services = releases * SERVICES as u64;
    let registering = (2 * services).saturating_sub(20);
    let updating = services.saturating_sub(50) / 5;
    // Of one release alone, from here. What was throttled, or was told by nobody, is found by a tick,
    // at most 75 s later: after the survey, and in each wave when it is applied and when it settles.
    const FOUND: u64 = 75;
    // Somebody who is throttled comes back within 45 s.
    const PATIENCE: u64 = 45;
    // A task is provisioned in 10 s, pulled in 20 and the image's own 300, healthy after 40; the old
    // one ends in 8.
    const SETTLES: u64 = 10 + 20 + 300 + 40 + 8;
    const WAVES: u64 = 2;
    const BAKE: u64 = 120;
    let alone = FOUND + WAVES * (PATIENCE + FOUND + SETTLES + FOUND) + BAKE + FOUND;
    Duration::from_secs(registering + updating + alone)
}

fn play<T>(pipelines: usize, story: impl AsyncFnOnce(&Stage) -> T) -> T {
    const TEMPLATE: &str = include_str!("../template.yaml");
    let text = config(pipelines);
    play_with(TEMPLATE, &PARAMETERS, Fleet::default(), 1, &text, story).expect("a twin that begins")
}

async fn adopt(stage: &Stage) {
    let sdk = stage.twin.sdk_config("OPERATOR");
    adopt_what_runs(&stage.table, &sdk, &stage.pipelines, stage.twin.now()).await;
}

/// So many of the pipelines get a push in one moment; all of them must end live.
fn at_once(pipelines: usize, releases: usize) {
    play(pipelines, async |stage| {
        adopt(stage).await;
        let began = stage.twin.now();
        let step = pipelines / releases;
        let pushed: Vec<String> = (0..pipelines).step_by(step).map(pipeline).collect();
        for repository in &pushed {
            stage.twin.push(repository, &[TAG], SLOW).expect("a push");
        }
        let limit = bound(releases as u64);
        for name in &pushed {
            let left = (began + limit).duration_since(stage.twin.now()).try_into();
            let id = format!("{name}/2");
            let ended = stage.until(&id, left.unwrap_or_default(), |it| it.phase.is_ended()).await;
            assert!(is_live(&ended), "{ended:#?}");
        }
        let took = stage.twin.now().duration_since(began).unsigned_abs();
        println!("{releases} releases: the slowest took {took:?}, {limit:?} were allowed");
        stage.twin.world.look(|cloud| {
            let own =
                || cloud.calls().iter().filter(|it| it.call.action == "RegisterTaskDefinition");
            let refused = own().filter(|it| it.refusal.is_some()).count();
            println!("{refused} of {} RegisterTaskDefinition calls were throttled", own().count());
        });
        stage.twin.run_for(Duration::from_secs(10)).await;
        nothing_is_lost(stage, &pushed).await;
        ticks_keep_to_their_calls(&stage.scheduled("tick"), releases);
    });
}

/// One release for each push, and none without one; every service runs the bytes of its pipeline's
/// tag; everybody was told twice; nothing was given up.
async fn nothing_is_lost(stage: &Stage, pushed: &[String]) {
    for config in &stage.pipelines {
        let head = stage.table.head_of(&config.name).await.expect("a table").expect("a head");
        let releases = 1 + u64::from(pushed.contains(&config.name));
        assert_eq!((head.live, head.next), (Some(releases), releases + 1), "{head:#?}");
        let shown = stage.shown(&config.name, TAG).expect("an image");
        for target in config.waves.iter().flatten() {
            let name = ServiceName::new(&config.cluster, target.name.parts().1);
            let running = stage.twin.world.look(|cloud| cloud.ecs.running_images(&name));
            let own = running.iter().filter(|(container, _)| container == IMAGE);
            let digests: BTreeSet<_> = own.map(|(_, digest)| digest).collect();
            assert_eq!(digests, BTreeSet::from([&shown]), "{target:?}");
        }
    }
    for name in pushed {
        let id: ReleaseId = format!("{name}/2").parse().expect("a release id");
        let kinds: Vec<_> = stage.kinds(&id.to_string()).await;
        assert_eq!(kinds.len(), 2, "{id}: {kinds:?}");
    }
    assert_eq!(stage.kinds_published().len(), 2 * pushed.len());
    let parked = stage.twin.world.look(|cloud| cloud.queues.parked().clone());
    assert!(parked.values().all(Vec::is_empty), "{parked:#?}");
}

/// `DescribeServices` for ten services a call, and nothing else: no task failed, no target group is
/// there, and what a tick does not find is not asked about.
fn ticks_keep_to_their_calls(ticks: &[Invocation], releases: usize) {
    let most = releases * SERVICES.div_ceil(10);
    let busiest = ticks.iter().max_by_key(|tick| tick.calls("ecs")).expect("a tick");
    println!("the busiest of {} ticks: {:?}, {:#?}", ticks.len(), busiest.took, busiest.asked);
    let longest = ticks.iter().map(|tick| tick.took).max().unwrap_or_default();
    println!("the longest tick: {longest:?}");
    assert!(longest <= TICK, "{longest:?}");
    for tick in ticks {
        let describe = tick.asked.get("ecs:DescribeServices").copied().unwrap_or_default();
        assert!(tick.answered && describe.calls <= most, "{tick:#?}");
        assert_eq!(tick.calls("ecs"), describe.calls, "{tick:#?}");
        assert_eq!(tick.calls("dynamodb") + describe.calls, total(tick), "{tick:#?}");
    }
    assert!(busiest.calls("ecs") * 2 > most, "too few at once to show anything: {busiest:#?}");
}

fn total(invocation: &Invocation) -> usize {
    invocation.asked.values().map(|asked| asked.calls).sum()
}

#[test]
fn ten_releases_at_once_among_a_hundred_pipelines() {
    at_once(100, 10);
}

#[test]
#[ignore = "a minute of processor time"]
fn fifty_releases_at_once_among_a_thousand_pipelines() {
    at_once(1_000, 50);
}

/// No sweep reaches all of them within its minute; three after each other do, in a quarter of an hour.
#[test]
fn three_sweeps_reach_a_thousand_pipelines() {
    const PIPELINES: usize = 1_000;
    play(PIPELINES, async |stage| {
        adopt(stage).await;
        stage.twin.run_for(Duration::from_secs(26 * 60)).await;
        let sweeps = stage.scheduled("sweep");
        // The first one may come while they are adopted.
        let sweeps = &sweeps[1..];
        assert!(sweeps.len() >= 4, "{}", sweeps.len());
        for sweep in sweeps {
            println!("{} pipelines in {:?}", sweep.repositories.len(), sweep.took);
            assert!(sweep.answered && sweep.repositories.len() < PIPELINES, "{sweep:#?}");
        }
        for three in sweeps.windows(3) {
            let swept: BTreeSet<_> = three.iter().flat_map(|sweep| &sweep.repositories).collect();
            assert_eq!(swept.len(), PIPELINES);
        }
    });
}

/// What a tick and a sweep ask and read while two pipelines are open, where so many releases of ten
/// pipelines have ended.
fn asked_with(finished: u64) -> [Invocation; 2] {
    const PIPELINES: usize = 10;
    play(PIPELINES, async |stage| {
        adopt(stage).await;
        for number in 0..PIPELINES {
            stage.add_past(&pipeline(number), finished / PIPELINES as u64).await;
        }
        let next = finished / PIPELINES as u64 + 1;
        for number in [0, 1] {
            stage.twin.push(&pipeline(number), &[TAG], SLOW).expect("a push");
        }
        for number in [0, 1] {
            let name = pipeline(number);
            stage.until_phase(&format!("{name}/{next}"), "rolling").await;
            stage.until_service(&name, &format!("{name}-0"), "settling").await;
        }
        // Until ECS may have told of it in vain: then each tick looks.
        stage.twin.run_for(Duration::from_secs(90)).await;
        let tick = stage.invoke("watch", json!({ "kind": "tick" })).await;
        [tick, stage.invoke("promote", json!({ "kind": "sweep" })).await]
    })
}

#[test]
fn what_is_past_costs_a_tick_and_a_sweep_nothing() {
    let (few, many) = (asked_with(10), asked_with(10_000));
    for (few, many) in few.iter().zip(&many) {
        println!("{:?}", many.asked);
        assert_eq!(few.asked, many.asked);
    }
    let [tick, sweep] = few;
    assert_eq!(tick.calls("ecs"), 2, "{tick:#?}");
    assert_eq!(sweep.calls("ecr"), 10, "{sweep:#?}");
}
