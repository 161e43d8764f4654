//! The demo's two stories, small, each call of which can go wrong; and how they end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_core::model::Slot;
use tidegate_local::call::{Call, Caller, Noted};
use tidegate_local::cloud::Cloud;
use tidegate_local::faults::FaultRule;

use crate::{Stage, play};

/// Someli with three services in two waves and a short bake: the same paths, a third of the calls.
pub const SMALL: &str = "
version: 1
pipelines:
  someli-production:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi] } }
    cluster: live-crons
    waves: [[Rag], [AI_CONTENT, Carousel]]
    watch: { timeout: 5m, bake: 30s, failed_tasks: 2, on_timeout: rollback }
    on_failure: rollback
";

const PIPELINE: &str = "someli-production";
const RELEASE: &str = "someli-production/1";
const SERVICES: [&str; 3] = ["AI_CONTENT", "Carousel", "Rag"];

/// More than the slowest way to an end: a timeout, a rollback's, and what is asked again between.
const LONGEST: Duration = Duration::from_secs(20 * 60);
/// After the end: a call that was given up has landed, and a notification is tried again.
const AFTERWARDS: Duration = Duration::from_secs(100);

/// One of the two stories: a push, and what its image does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    /// A good image goes live.
    Good,
    /// An image that crashes on start; everything comes back.
    Bad,
}

/// What goes wrong with the functions' calls.
#[derive(Default)]
pub struct Trouble {
    /// Faults of the local AWS.
    pub rules: Vec<FaultRule>,
    /// Does something else to the world when the image was pushed.
    pub prepare: Option<Box<dyn FnOnce(&mut Cloud)>>,
}

/// How a story ended, as services, people and operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The releases' phases, by number.
    pub releases: Vec<String>,
    /// Where each target stands: its phase, and whether somebody still has to do something.
    pub targets: BTreeMap<String, String>,
    /// What the running tasks of each service run: the pushed bytes, or others.
    pub runs: BTreeMap<String, BTreeSet<&'static str>>,
    /// What the audit trail wants people to know, in order.
    pub notices: Vec<String>,
    /// What people were told, each kind once however often it was said.
    pub told: BTreeSet<String>,
    /// The pipeline: what moves, waits, is frozen or blocked.
    pub pipeline: String,
    /// What was given up, by queue.
    pub parked: BTreeMap<String, usize>,
}

/// A story that was played.
#[derive(Debug)]
pub struct Played {
    /// How it ended.
    pub ending: Ending,
    /// The functions' calls since the push, in order of arrival.
    pub calls: Vec<Noted>,
    /// How often the rules struck.
    pub struck: u64,
    /// The audit trail, for whoever must find out why.
    pub journal: String,
}

impl Story {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Good, Self::Bad];

    /// Plays it, with this going wrong from the push on.
    pub fn play(self, trouble: Trouble) -> Played {
        play(7, SMALL, async move |stage| {
            stage.adopt().await;
            let behaviour = if self == Self::Good { "healthy" } else { "crash" };
            let pushed = stage.twin.push("live_crons", &["uapi"], behaviour).expect("a push");
            let before = stage.twin.world.with(|cloud, _| {
                trouble.rules.into_iter().for_each(|rule| cloud.faults.add(rule));
                if let Some(prepare) = trouble.prepare {
                    prepare(cloud);
                }
                cloud.calls().len()
            });
            // In vain is an ending too: one that differs.
            let _ = stage.twin.run_until(LONGEST, |cloud| is_over(&phase(cloud))).await;
            stage.twin.run_for(AFTERWARDS).await;
            let (calls, struck) = stage.twin.world.look(|cloud| {
                let by_functions = |noted: &&Noted| noted.call.caller != Caller::Operator;
                let calls = cloud.calls()[before..].iter().filter(by_functions).cloned();
                (calls.collect(), cloud.faults.fired().iter().map(|it| it.fired).sum())
            });
            let ending = ending(stage, &pushed).await;
            Played { ending, calls, struck, journal: stage.journal(RELEASE).await }
        })
    }
}

/// The phase of the release, by looking at the table and not by asking it: it is asked often.
fn phase(cloud: &Cloud) -> String {
    let key =
        json!({ "pk": { "S": "pipeline#someli-production" }, "sk": { "S": "release#00000001" } });
    let item = cloud.dynamodb.item(cloud.table(), &key).unwrap_or_default();
    item["phase"]["M"]["name"]["S"].as_str().unwrap_or_default().to_owned()
}

fn is_over(phase: &str) -> bool {
    !["", "waiting", "surveying", "rolling", "baking", "rolling_back"].contains(&phase)
}

async fn ending(stage: &Stage, pushed: &str) -> Ending {
    let scene = stage.scene(PIPELINE).await;
    let releases = stage.table.releases(PIPELINE, 10).await.expect("readable releases");
    let newest = releases.first().expect("a release");
    let slots = stage.table.rollouts(newest).await.expect("readable slots");
    let head = &scene.head;
    let pipeline = format!(
        "moving {:?}, waiting {:?}, live {:?}, frozen {}, blocked {:?}",
        head.moving,
        head.waiting,
        head.live,
        head.freeze.is_some(),
        scene.blocked.keys().map(|it| whose(it.as_str(), pushed)).collect::<Vec<_>>(),
    );
    let notices = stage.notices(RELEASE).await;
    stage.twin.world.with(|cloud, now| Ending {
        releases: releases.iter().map(|it| format!("{} {}", it.id, it.phase.name())).collect(),
        targets: slots.iter().map(|slot| (slot.target.service.clone(), standing(slot))).collect(),
        runs: SERVICES
            .iter()
            .map(|service| {
                let digests = digests(cloud, service, now);
                let whose = digests.iter().map(|digest| whose(digest, pushed));
                ((*service).to_owned(), whose.collect())
            })
            .collect(),
        notices: notices.iter().map(|notice| notice.kind.name().to_owned()).collect(),
        told: cloud.sns.published().iter().map(|it| text(&it.attributes["kind"])).collect(),
        pipeline,
        parked: cloud.queues.parked().iter().map(|(queue, it)| (queue.clone(), it.len())).collect(),
    })
}

fn whose(digest: &str, pushed: &str) -> &'static str {
    if digest == pushed { "pushed" } else { "other" }
}

fn standing(slot: &Slot) -> String {
    let open = match (&slot.todo, &slot.lease) {
        (None, None) => String::new(),
        open => format!(", {open:?}"),
    };
    format!("{}{open}", slot.phase.name())
}

/// What the tasks of a service run that ECS wants to run, asked of ECS itself.
fn digests(cloud: &mut Cloud, service: &str, now: jiff::Timestamp) -> BTreeSet<String> {
    let mut ask = |action: &str, input: Value| {
        let answer = cloud.ecs.call(action, &input, now, &cloud.ecr);
        answer.expect("ECS answers a person")
    };
    let tasks = ask("ListTasks", json!({ "cluster": "live-crons", "serviceName": service }));
    if tasks["taskArns"].as_array().is_none_or(Vec::is_empty) {
        return BTreeSet::new();
    }
    let input = json!({ "cluster": "live-crons", "tasks": tasks["taskArns"] });
    let tasks = ask("DescribeTasks", input);
    let containers = tasks["tasks"].as_array().into_iter().flatten();
    let containers =
        containers.flat_map(|task| task["containers"].as_array().into_iter().flatten());
    let released = containers.filter(|container| container["name"] == "crons");
    released.map(|container| text(&container["imageDigest"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A call in a few words: `deploy ecs:UpdateService Rag`.
pub fn said(call: &Call) -> String {
    let input = &call.input;
    let of = [&input["service"], &input["Key"]["pk"]["S"], &input["family"], &input["startedBy"]];
    let of = of.iter().find_map(|it| it.as_str()).unwrap_or_default();
    format!("{} {} {of}", call.caller, call.name())
}

/// Whether a call changes something at AWS; another one that is lost is lost on both ways alike.
pub fn is_write(call: &Call) -> bool {
    let reads = ["Describe", "List", "Get", "BatchGet", "Query"];
    !reads.iter().any(|prefix| call.action.starts_with(prefix))
}
