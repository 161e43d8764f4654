//! Plays one schedule in virtual time, until nothing moves, and a while longer.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tidegate_core::config::{Config, PipelineConfig};
use tidegate_core::guard::{self, Guard};
use tokio::task::JoinHandle;

use super::acts::Hands;
use super::court::{Court, Shared, Violation};
use super::schedule::{CALLS, Schedule, kind};
use crate::api::Place;
use crate::lambda::in_process::Handlers;
use crate::places::{self, ACCOUNT, REGION, parameters};
use crate::seed::Fleet;
use crate::twin::{self, Setting, Twin};

const TEMPLATE: &str = include_str!("../../../template.yaml");
const BEGINS: &str = "2026-11-21T09:00:00Z";

/// A sweep (five minutes apart, and up to one late) finds what no event told of; then a release may
/// begin.
const SWEPT: Duration = Duration::from_secs(7 * 60);

/// The slowest way to an end: a lost survey, nudges that nobody answers (ten, a minute and a half
/// apart), a deadline, five ticks that see nothing, and the same on the way back.
const SLOWEST: Duration = Duration::from_secs(90 * 60);

/// Two ticks, and what follows from the second.
const QUIET: Duration = Duration::from_secs(130);

/// How often it is asked whether the story is over.
const LOOK: Duration = Duration::from_secs(10);

/// How a story went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// Its seed.
    pub seed: u64,
    /// Calls and writes.
    pub steps: u64,
    /// What all of them come to: the same for the same seed.
    pub hash: u64,
    /// How long it lasted, in its own time.
    pub lasted: Duration,
    /// How often each kind of trouble struck.
    pub struck: BTreeMap<&'static str, u64>,
    /// How often each call was struck that only some seeds make.
    pub calls: BTreeMap<&'static str, u64>,
    /// Where the releases ended.
    pub ends: Vec<&'static str>,
    /// What must not have been.
    pub violations: Vec<Violation>,
    /// What was seen, if it was to be kept.
    pub trace: Vec<String>,
}

/// Why a story cannot be played: a mistake in the simulation itself.
#[derive(Debug, thiserror::Error)]
#[error("seed {seed} cannot be played: {why}")]
pub struct Unplayable {
    pub(super) seed: u64,
    pub(super) why: String,
}

/// Plays a schedule, without one guard if it is said.
pub(super) fn play(
    schedule: &Schedule,
    sabotage: Option<Guard>,
    trace: bool,
) -> Result<Played, Unplayable> {
    guard::fell(sabotage);
    let played = perform(schedule, trace);
    guard::fell(None);
    played.map_err(|error| Unplayable { seed: schedule.seed, why: error.to_string() })
}

type Failure = Box<dyn std::error::Error>;

/// How often, by name.
type Counts = BTreeMap<&'static str, u64>;

fn perform(schedule: &Schedule, trace: bool) -> Result<Played, Failure> {
    let config = Config::parse("tidegate.yaml", &schedule.config())?;
    let pipelines = config.resolve(ACCOUNT, REGION)?;
    let seed = schedule.seed;
    let setting = Setting {
        seed,
        template: TEMPLATE,
        parameters: parameters(&pipelines),
        place: Place::new(ACCOUNT, REGION),
        begins: BEGINS.parse()?,
    };
    twin::run(
        &setting,
        |twin| Box::new(Handlers::new(twin, seed)),
        async |twin| Stage::set(schedule, &pipelines, twin, trace)?.perform().await,
    )?
}

struct Stage<'a> {
    schedule: &'a Schedule,
    twin: Twin,
    court: Shared,
    hands: Hands,
}

impl<'a> Stage<'a> {
    /// The services run, and nothing is adopted yet.
    fn set(
        schedule: &'a Schedule,
        pipelines: &[PipelineConfig],
        twin: Twin,
        trace: bool,
    ) -> Result<Self, Failure> {
        let court = Shared::new(schedule, twin.now(), trace);
        let refit = |seed: &mut crate::ecs::SeedService| schedule.refit(seed);
        let fleet = Fleet { refit: &refit, ..Fleet::default() };
        twin.world.with(|cloud, now| {
            places::open(cloud, pipelines)?;
            for pipeline in &schedule.pipelines {
                let (ecs, _) = cloud.ecs_at(&pipeline.place());
                ecs.switches.image_digest = schedule.open.image_digest;
                ecs.switches.rollback = schedule.open.rollback;
                ecs.switches.lag = schedule.open.ecs_lag;
            }
            cloud.ecr.retag_moves_push_time = schedule.open.retag_moves_push_time;
            cloud.dynamodb.lag = schedule.open.table_lag;
            cloud.witness = Some(Box::new(court.clone()));
            fleet.launch(cloud, pipelines, now)?;
            Ok::<_, Failure>(())
        })?;
        let hands = Hands::new(&twin, schedule.seed);
        Ok(Self { schedule, twin, court, hands })
    }

    async fn perform(mut self) -> Result<Played, Failure> {
        let begins = self.twin.now();
        self.hands.adopt(&self.schedule.config()).await?;
        let adopted = self.twin.now();
        let rules = self.schedule.troubles.iter().cloned();
        self.twin.world.with(|cloud, _| rules.for_each(|rule| cloud.faults.add(rule)));
        let mut typing = Vec::new();
        for (at, deed) in &self.schedule.deeds {
            self.wait_until(adopted + *at).await;
            let now = self.twin.now();
            self.court.with(|court| court.say(|| format!("{now} DEED {deed:?}")));
            typing.extend(self.hands.does(self.schedule, deed));
        }
        self.wait_until(adopted + self.schedule.until).await;
        let (struck, calls) = self.calm_down();
        self.wait_until(adopted + self.schedule.calm()).await;
        self.settle(typing).await;
        let now = self.twin.now();
        self.twin.world.look(|cloud| self.court.with(|court| court.end(cloud, now)));
        Ok(self.court.with(|court| Played {
            seed: self.schedule.seed,
            steps: court.steps(),
            hash: court.hash(),
            lasted: now.duration_since(begins).unsigned_abs(),
            struck,
            calls,
            ends: court.ends(),
            violations: court.violations.clone(),
            trace: court.take_trace(),
        }))
    }

    async fn wait_until(&self, at: Timestamp) {
        let left = Duration::try_from(at.duration_since(self.twin.now())).unwrap_or_default();
        self.twin.run_for(left).await;
    }

    /// From here on nothing goes wrong; what did, by its kind and by the call, and how often.
    fn calm_down(&self) -> (Counts, Counts) {
        self.twin.world.with(|cloud, _| {
            let (mut struck, mut calls) = (Counts::new(), Counts::new());
            for fired in cloud.faults.fired() {
                *struck.entry(kind(&fired.rule)).or_default() += fired.fired;
                let action = fired.rule.action.as_deref();
                for call in CALLS.into_iter().filter(|call| Some(*call) == action) {
                    *calls.entry(call).or_default() += fired.fired;
                }
            }
            struck.insert("lagging_read", cloud.dynamodb.lagged);
            let lagged = cloud.places().map(|place| cloud.ecs_of(place).lagged);
            struck.insert("lagging_look", lagged.sum());
            cloud.faults.clear();
            (struck, calls)
        })
    }

    /// Everything comes to an end or a named wait; then deciding again changes nothing.
    async fn settle(&self, typing: Vec<JoinHandle<()>>) {
        for typed in typing {
            // A command that panicked would have ended the story; there is nothing else to hear.
            let _ = typed.await;
        }
        self.twin.run_for(SWEPT).await;
        let deadline = self.twin.now() + SLOWEST;
        while !self.court.with(|court| rests(court, self.twin.now())) && self.twin.now() < deadline
        {
            self.twin.run_for(LOOK).await;
        }
        // A run that ended meanwhile is news: then once more, and its next one is minutes away.
        let mut moves_on = true;
        for _ in 0..=self.schedule.runs() {
            moves_on = moves_on && self.moves_on().await;
        }
        if moves_on {
            self.court.with(|court| {
                let what = "deciding again changed something, though nothing was left to do";
                court.object("always_moving", court.moved, what.to_owned());
            });
        }
    }

    /// Whether one more decision about everything changes anything.
    async fn moves_on(&self) -> bool {
        let before = self.court.with(|court| court.moved);
        for (program, event) in [("watch", "tick"), ("promote", "sweep")] {
            let answer = self.twin.world.invoke(program, json!({ "kind": event })).await;
            if let Err(error) = answer {
                let what = format!("{program} failed though nothing was wrong: {error}");
                self.court.with(|court| court.object("always_moving", self.twin.now(), what));
            }
        }
        self.twin.run_for(LOOK).await;
        self.court.with(|court| court.moved > before && !asks_each_minute(court))
    }
}

/// Nothing moves, and nothing follows.
fn rests(court: &Court, now: Timestamp) -> bool {
    court.is_calm() && (now > court.moved + QUIET || asks_each_minute(court))
}

/// A release waits for somebody else's deployment, or for copies: it is surveyed again with each tick.
fn asks_each_minute(court: &Court) -> bool {
    court.ends().iter().any(|end| ["held_busy", "held_awaited", "held_withdrawn"].contains(end))
}
