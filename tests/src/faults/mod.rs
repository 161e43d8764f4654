//! The demo's two stories, small, each call of which can go wrong; and how they end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_core::model::Slot;
use tidegate_local::call::{Call, Caller, Noted};
use tidegate_local::cloud::{Cloud, Rival};
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
const AFTERWARDS: Duration = Duration::from_secs(70);

/// One of the two stories: a push, and what its image does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    /// A good image goes live.
    Good,
    /// An image that crashes on start; everything comes back.
    Bad,
}

/// What goes wrong from the push on.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// Decides everything that AWS leaves to chance.
    pub seed: u64,
    /// Faults of the local AWS.
    pub rules: Vec<FaultRule>,
    /// Somebody who is quicker.
    pub rivalry: Option<Rivalry>,
    /// How long the world goes on after the end.
    pub afterwards: Duration,
}

impl Default for Trouble {
    fn default() -> Self {
        Self { seed: 7, rules: Vec::new(), rivalry: None, afterwards: AFTERWARDS }
    }
}

impl From<FaultRule> for Trouble {
    fn from(rule: FaultRule) -> Self {
        vec![rule].into()
    }
}

impl From<Vec<FaultRule>> for Trouble {
    fn from(rules: Vec<FaultRule>) -> Self {
        Self { rules, ..Self::default() }
    }
}

impl From<Rivalry> for Trouble {
    fn from(rivalry: Rivalry) -> Self {
        Self { rivalry: Some(rivalry), ..Self::default() }
    }
}

impl Trouble {
    /// How often it must strike to have struck at all.
    pub fn strikes(&self) -> u64 {
        self.rules.len() as u64 + u64::from(self.rivalry.is_some())
    }
}

/// Somebody else writes the item first, as another invocation would have.
#[derive(Debug, Clone)]
pub struct Rivalry {
    program: String,
    action: String,
    number: u64,
    write: Call,
}

impl Rivalry {
    /// Makes a conditional write, its caller's `number`th of this action, come too late.
    pub fn of(noted: &Noted, number: u64) -> Option<Self> {
        let Caller::Function(instance) = &noted.call.caller else { return None };
        let input = &noted.call.input;
        let input = match noted.call.action.as_str() {
            "TransactWriteItems" => {
                let writes = input["TransactItems"].as_array()?.iter();
                let mut updates = writes.filter_map(|write| write.get("Update"));
                decided(updates.find(|update| condition(update).contains("#step"))?)
            }
            "UpdateItem" if condition(input).contains("#lease") => claimed(input, noted.at),
            "UpdateItem" if condition(input).contains("#until") => registering(input, noted.at),
            "UpdateItem" if condition(input).contains("#revision") => registered(input),
            _ => return None,
        };
        let (service, action) = ("dynamodb".to_owned(), "UpdateItem".to_owned());
        let write = Call { caller: Caller::Operator, service, action, input };
        let (program, action) = (instance.program.clone(), noted.call.action.clone());
        Some(Self { program, action, number, write })
    }

    /// Lands the write just before the call.
    fn begin(self, cloud: &mut Cloud) {
        let mut seen = 0;
        cloud.rival = Some(Rival::new(move |call| {
            if call.caller.to_string() != self.program || call.action != self.action {
                return Vec::new();
            }
            seen += 1;
            if seen == self.number { vec![self.write.clone()] } else { Vec::new() }
        }));
    }
}

fn condition(update: &Value) -> &str {
    update["ConditionExpression"].as_str().unwrap_or_default()
}

/// An update of the same item as `update`, without a condition.
fn beside(update: &Value, expression: &str, names: &Value, values: &Value) -> Value {
    json!({
        "TableName": update["TableName"],
        "Key": update["Key"],
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    })
}

/// Another decider wrote the item's next step.
fn decided(update: &Value) -> Value {
    let (names, values) = (json!({ "#step": "step" }), json!({ ":one": { "N": "1" } }));
    beside(update, "SET #step = #step + :one", &names, &values)
}

/// Another invocation of deploy claimed the slot, and died: its lease runs out.
fn claimed(update: &Value, now: Timestamp) -> Value {
    let names = json!({ "#done": "done", "#step": "step", "#lease": "lease" });
    let lease = json!({ "owner": { "S": "another" }, "until": { "S": until(now) } });
    let values = json!({ ":one": { "N": "1" }, ":lease": { "M": lease } });
    beside(update, "SET #done.#step = #done.#step + :one, #lease = :lease", &names, &values)
}

/// Another survey began to register the revision, and died.
fn registering(update: &Value, now: Timestamp) -> Value {
    let names = json!({ "#owner": "owner", "#until": "until" });
    let values = json!({ ":owner": { "S": "another" }, ":until": { "S": until(now) } });
    beside(update, "SET #owner = :owner, #until = :until", &names, &values)
}

/// Another survey wrote the revision down.
fn registered(update: &Value) -> Value {
    let values = json!({ ":revision": update["ExpressionAttributeValues"][":revision"] });
    beside(update, "SET #revision = :revision", &json!({ "#revision": "revision" }), &values)
}

/// When a lease that was taken now runs out.
fn until(now: Timestamp) -> String {
    (now + Duration::from_secs(20)).to_string()
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
    /// How it ends when nothing goes wrong, and when something does.
    pub fn ending(self) -> Ending {
        let texts = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect();
        let (phase, targets, runs, notices, pipeline) = match self {
            Self::Good => (
                "live",
                ["healthy", "healthy", "healthy"],
                "pushed",
                &["started", "live"][..],
                "moving None, waiting None, live Some(1), frozen false, blocked []",
            ),
            Self::Bad => (
                "rolled_back",
                ["untouched", "untouched", "returned"],
                "other",
                &["started", "rollback_started", "rolled_back"][..],
                "moving None, waiting None, live None, frozen false, blocked [\"pushed\"]",
            ),
        };
        let services = SERVICES.map(str::to_owned);
        Ending {
            releases: vec![format!("{RELEASE} {phase}")],
            targets: services.iter().cloned().zip(targets.map(str::to_owned)).collect(),
            runs: services.into_iter().map(|service| (service, [runs].into())).collect(),
            notices: texts(notices),
            told: notices.iter().map(|it| (*it).to_owned()).collect(),
            pipeline: pipeline.to_owned(),
            parked: BTreeMap::new(),
        }
    }

    /// Plays it, with this going wrong from the push on.
    pub fn play(self, trouble: Trouble) -> Played {
        play(trouble.seed, SMALL, async move |stage| {
            stage.adopt().await;
            let behaviour = if self == Self::Good { "healthy" } else { "crash" };
            let pushed = stage.twin.push("live_crons", &["uapi"], behaviour).expect("a push");
            let before = stage.twin.world.with(|cloud, _| {
                trouble.rules.into_iter().for_each(|rule| cloud.faults.add(rule));
                if let Some(rivalry) = trouble.rivalry {
                    rivalry.begin(cloud);
                }
                cloud.calls().len()
            });
            // In vain is an ending too: one that differs.
            let _ = stage.twin.run_until(LONGEST, |cloud| is_over(&phase(cloud))).await;
            stage.twin.run_for(trouble.afterwards).await;
            let (calls, struck) = stage.twin.world.look(|cloud| {
                let since = &cloud.calls()[before..];
                let faults: u64 = cloud.faults.fired().iter().map(|it| it.fired).sum();
                let by_functions = |noted: &&Noted| noted.call.caller != Caller::Operator;
                (since.iter().filter(by_functions).cloned().collect(), faults + races_lost(since))
            });
            let ending = ending(stage, &pushed).await;
            Played { ending, calls, struck, journal: stage.journal(RELEASE).await }
        })
    }
}

/// How many conditional writes came too late.
fn races_lost(calls: &[Noted]) -> u64 {
    let lost = ["ConditionalCheckFailedException", "TransactionCanceledException"];
    let refused = calls.iter().filter_map(|noted| noted.refusal.as_deref());
    refused.filter(|refusal| lost.contains(refusal)).count() as u64
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
fn digests(cloud: &mut Cloud, service: &str, now: Timestamp) -> BTreeSet<String> {
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
