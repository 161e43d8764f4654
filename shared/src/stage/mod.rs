//! The stage of the tests: a table, a deploy and an ECS in memory, small enough to be believed.
//!
//! Stories are played through the shipped decisions alone. Every write is checked as DynamoDB would
//! check it ([`table`]), and against the invariants that hold after each ([`rules`]).

mod build;
mod chance;
mod deploy;
mod ecs;
mod every_order;
mod part;
mod rules;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub(crate) use build::{OPERATOR, arn, at, crash, digest, image, names, pipeline, target};
pub(crate) use chance::Chance;
pub(crate) use deploy::Answer;
pub(crate) use ecs::{Behaviour, Service};
pub(crate) use table::{Refusal, Table};

use crate::command::Refused;
use crate::config::{PipelineConfig, TagPattern};
use crate::decide::{self, Finding, Seen, Sightings};
use crate::model::{
    Change, Digest, NoticeKind, Plan, Release, ReleaseImage, Scene, Slot, TaskFailure,
};
use crate::push::{self, Candidate, Member};
use crate::sighting::Sighting;

/// As many rounds as the functions take before they give up.
const ROUNDS: u32 = 40;

/// One pipeline with its table, its services and its clock.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) now: Timestamp,
    pub(crate) table: Table,
    pub(crate) services: BTreeMap<String, Service>,
    /// How deploy answers, where it does not simply accept.
    pub(crate) answers: BTreeMap<String, Answer>,
    /// What the survey finds, where it is not simply ready.
    pub(crate) findings: BTreeMap<String, Finding>,
    /// How bytes behave, where they are not healthy.
    pub(crate) behaviours: BTreeMap<Digest, Behaviour>,
    tasks: u32,
}

impl Stage {
    /// A pipeline whose services, wave by wave, run the image `app` with bytes `old`; adopted.
    pub(crate) fn of(waves: &[&[&str]]) -> Self {
        Self::with(waves, &[("app", "")])
    }

    /// The same with several images, each run by the services whose names begin with the prefix.
    pub(crate) fn with(waves: &[&[&str]], images: &[(&str, &str)]) -> Self {
        let now = at(0);
        let running = |service: &str| {
            let (name, _) = images.iter().find(|(_, prefix)| service.starts_with(prefix)).unwrap();
            Service::running(service, name, &digest("01d"), now)
        };
        let services = waves.iter().copied().flatten();
        let services = services.map(|&name| (name.to_owned(), running(name))).collect();
        let image_names: Vec<_> = images.iter().map(|(name, _)| *name).collect();
        let mut stage = Self {
            now,
            table: Table::new(pipeline(waves, &image_names)),
            services,
            answers: BTreeMap::new(),
            findings: BTreeMap::new(),
            behaviours: BTreeMap::new(),
            tasks: 0,
        };
        stage.table.adopt(&image_names, now);
        stage
    }

    // ---- what happens ----

    /// Somebody pushes `digest` as `app:prod-…`; recorded and carried on as promote does.
    pub(crate) fn push(&mut self, bytes: &str) {
        // The registry counts whole seconds: two pushes of one second have no order of their own.
        self.now += Duration::from_secs(1);
        let tag = format!("prod-{bytes:0>7}");
        self.push_as("app", &tag, image("app", bytes, &tag, self.now));
    }

    /// A push of `bytes` to an image of the pipeline, under a tag.
    pub(crate) fn push_as(&mut self, name: &str, tag: &str, bytes: ReleaseImage) {
        let mut candidate = candidate(name, tag, bytes, "ecr");
        candidate.pushed.answered = self.table.head.answered.get(name).cloned();
        if let push::Answer::Record(change) =
            push::answer(&self.table.scene(), &candidate, self.now)
        {
            self.write(&change);
        }
        self.advance();
    }

    /// An operator's word, carried on as the CLI does.
    pub(crate) fn command(
        &mut self,
        say: impl Fn(&Scene, &str, Timestamp) -> Result<Change, Refused>,
    ) -> Result<(), Refused> {
        let change = say(&self.table.scene(), OPERATOR, self.now)?;
        self.write(&change);
        self.advance();
        Ok(())
    }

    /// A task of a service's primary stopped, and an event tells of it.
    pub(crate) fn task_stops(&mut self, service: &str, how: impl FnOnce(&mut TaskFailure)) {
        self.tasks += 1;
        let mut failure = build::crash(self.tasks, self.now);
        how(&mut failure);
        let scene = self.table.scene();
        let revision = self.services[service].primary().revision.clone();
        let Some(slot) = scene.slots.get(&target(service)) else { return };
        if let Some(change) = decide::note_task(&scene, slot, &revision, &failure, self.now) {
            self.write(&change);
            self.advance();
        }
    }

    /// Seconds pass: ECS works, deploy answers, tasks stop. Nobody looks.
    pub(crate) fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while self.now < end {
            self.now += Duration::from_secs(10).min(end.duration_since(self.now).unsigned_abs());
            let crashed: Vec<String> = self
                .services
                .iter_mut()
                .filter_map(|(name, service)| {
                    let behaves = self.behaviours.get(&service.running_digest()).copied();
                    service.work(behaves.unwrap_or_default(), self.now).then(|| name.clone())
                })
                .collect();
            for service in crashed {
                self.task_stops(&service, |_| {});
            }
            self.work();
        }
    }

    /// A minute passes, and watch looks at everything.
    pub(crate) fn tick(&mut self) {
        self.pass(60);
        self.look();
    }

    /// Ticks until nothing moves any more, or a person must decide.
    pub(crate) fn play(&mut self) {
        for _ in 0..120 {
            self.tick();
            if !self.table.scene().moving.is_some_and(|release| release.phase.is_moving()) {
                return;
            }
        }
        panic!("still moving after two hours: {:?}", self.table.scene().moving);
    }

    /// Watch looks at every service, and what follows is written.
    pub(crate) fn look(&mut self) -> Vec<String> {
        let sightings = self.sightings();
        self.settle(&sightings)
    }

    /// What watch would see now.
    pub(crate) fn sightings(&self) -> Sightings {
        self.services
            .iter()
            .map(|(name, service)| {
                (target(name), Seen::Service(Box::new(service.sighting(self.now))))
            })
            .collect()
    }

    /// Watch looks at one service and sees it otherwise than it is.
    pub(crate) fn look_and_see(
        &mut self,
        service: &str,
        otherwise: impl FnOnce(&mut Sighting),
    ) -> Vec<String> {
        let mut sighting = self.services[service].sighting(self.now);
        otherwise(&mut sighting);
        let seen = Seen::Service(Box::new(sighting));
        self.settle(&Sightings::from([(target(service), seen)]))
    }

    /// Decides without having looked, as every function does after its own write.
    pub(crate) fn advance(&mut self) -> Vec<String> {
        self.settle(&Sightings::new())
    }

    /// Decides and writes until nothing more follows; what is waited for then.
    pub(crate) fn settle(&mut self, sightings: &Sightings) -> Vec<String> {
        let now = self.now;
        let plan = self.carry_out(|table| decide::decide(&table.scene(), sightings, now));
        let again = decide::decide(&self.table.scene(), sightings, now);
        assert_eq!(plan, again, "the same question has another answer");
        let open = self.table.head.moving.or(self.table.head.waiting);
        assert_eq!(open.is_some(), !plan.waiting_on.is_empty(), "{:?}", plan.waiting_on);
        plan.waiting_on.into_iter().map(|on| on.what).collect()
    }

    fn carry_out(&mut self, decision: impl Fn(&Table) -> Plan) -> Plan {
        for _ in 0..ROUNDS {
            let plan = decision(&self.table);
            if plan.changes.is_empty() {
                return plan;
            }
            for change in &plan.changes {
                self.write(change);
            }
        }
        panic!("no end after {ROUNDS} rounds: {:#?}", decision(&self.table));
    }

    pub(crate) fn write(&mut self, change: &Change) {
        self.table.write(change).unwrap_or_else(|why| panic!("{why:?}: {change:#?}"));
        rules::check(&self.table).unwrap_or_else(|broken| panic!("{broken}"));
    }

    // ---- what is there ----

    pub(crate) fn release(&self, number: u64) -> &Release {
        &self.table.releases[&number]
    }

    pub(crate) fn phase(&self, number: u64) -> &'static str {
        self.release(number).phase.name()
    }

    pub(crate) fn slot(&self, service: &str) -> &Slot {
        &self.table.slots[&target(service)]
    }

    /// A slot, to be made otherwise than the story made it.
    pub(crate) fn slot_mut(&mut self, service: &str) -> &mut Slot {
        Arc::make_mut(self.table.slots.get_mut(&target(service)).unwrap())
    }

    pub(crate) fn config_mut(&mut self) -> &mut PipelineConfig {
        Arc::make_mut(&mut self.table.config)
    }

    /// The phases of all slots, in the order of their services' names.
    pub(crate) fn slots(&self) -> Vec<(&str, &'static str)> {
        let slots = self.table.slots.values();
        slots.map(|slot| (slot.target.name.as_str(), slot.phase.name())).collect()
    }

    pub(crate) fn told(&self) -> Vec<NoticeKind> {
        self.table.notices().map(|notice| notice.kind).collect()
    }

    pub(crate) fn cause(&self, number: u64) -> &str {
        &self.release(number).failure.as_ref().unwrap().cause
    }
}

/// A push as promote hands it over.
pub(crate) fn candidate(name: &str, tag: &str, bytes: ReleaseImage, by: &str) -> Candidate {
    let pattern = ["uapi", "v{semver}", "prod-{sha}", "*"];
    let pattern = pattern.map(|text| text.parse::<TagPattern>().unwrap());
    let pattern = pattern.into_iter().find(|p| p.matches(tag).is_some()).unwrap();
    Candidate::alone(by, name, Member { pattern, tag: tag.to_owned(), bytes, answered: None })
}
