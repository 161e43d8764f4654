//! Every order in which things can happen, within limits: checked with stateright.
//!
//! Pushes meet a pipeline of two targets. Programs read, decide and write one step at a time, two
//! at once: between any two steps the other may act, ECS may choose, a program may die, and time
//! may pass. What they decide ([`crate::decide`], [`crate::push`], [`crate::turn`]) and the
//! conditions of what they write ([`Condition`], [`Note`]) is the shipped code. The order of
//! deploy's steps (claim, look, intend, send, record, read again) is not: it follows
//! `functions/deploy/src/{turn,call}.rs` by hand.
//!
//! Time goes in steps of twenty seconds, when nobody can act, or over somebody who could: then it
//! counts as a fault. So do deaths, lost and late calls, records that come twice, looks that lag.
//!
//! Not here, but in the simulation: throttling, torn reads of a scene (one read is one step), native
//! blue/green, tags in task definitions, operators, and that an invocation gives up after 90 s.

mod deploy;
mod program;
mod promise;
mod stories;
mod world;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use jiff::Timestamp;
use stateright::{Model, Property};

use super::ecs::Service;
use super::part::{Memo, Part};
use super::table::Holds;
use super::{Table, build};
use crate::config::OnFailure;
use crate::model::{Change, Condition, Note, Slot, TargetId};
use crate::push::Candidate;
use program::{How, Task};
use world::{Fate, State, Written};

/// Both in one wave: most can happen at once.
const SERVICES: [&str; 2] = ["a", "b"];

/// Programs at once. A third one adds states, and nothing that two do not do to each other.
const HANDS: usize = 2;

/// What is told.
#[derive(Debug, Clone, Copy)]
struct Story {
    /// How many seconds after a minute's tick it may begin.
    begins: &'static [u16],
    /// What the config says of failures.
    on_failure: OnFailure,
    limits: Limits,
}

/// How much happens in one story, at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Limits {
    /// Different bytes that are pushed.
    pushes: usize,
    /// Deployments that crash or hang.
    bad: u8,
    /// Rollbacks by ECS itself.
    breaker: u8,
    /// Deployments by somebody else.
    foreign: u8,
    /// Faults in all, of the kinds below.
    faults: u8,
    /// Programs that die between two steps.
    crashes: u8,
    /// Calls that land after their sender gave up.
    late: u8,
    /// Calls whose answer is lost, or that are never sent.
    lost: u8,
    /// Records that come to two invocations at once.
    again: u8,
    /// Times that pass although somebody could act: a slow program, a late record.
    stalls: u8,
    /// Looks that show what was before the last call.
    lags: u8,
}

impl Limits {
    /// One fault less; after the last one there is none of any kind.
    fn fault(&mut self) {
        self.faults -= 1;
        if self.faults == 0 {
            let Self { pushes, bad, breaker, foreign, .. } = *self;
            *self = Self { pushes, bad, breaker, foreign, ..Self::default() };
        }
    }
}

/// What stands between the programs: the shipped, unless a test shows that one of them bears.
#[derive(Clone, Copy)]
struct Guards {
    /// When a change is written.
    write: Holds,
    /// When one of deploy's notes is written.
    note: fn(&Note, &Slot) -> bool,
    /// Who may act at a target.
    claim: fn(&Slot, &str, Timestamp) -> Result<Note, Timestamp>,
    /// What is written before a call is sent.
    intend: fn(&Slot, String, Timestamp) -> Option<Note>,
}

const SHIPPED: Guards =
    Guards { write: Condition::holds, note: Note::holds, claim: Slot::claim, intend: Slot::intend };

/// What can happen next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Happens {
    /// A record, an event, a push or the minute's tick reaches its program.
    Arrives(Task),
    /// A record reaches a second invocation at once.
    ArrivesAgain(Task),
    /// A program takes its next step.
    Steps(usize, How),
    /// A program dies.
    Dies(usize),
    /// A call that nobody waits for any more lands.
    Lands(usize),
    /// ECS decides what becomes of a service's newest deployment.
    Becomes(usize, Fate),
    /// ECS gives the newest deployment of a service up.
    GivesUp(usize),
    /// Somebody else deploys to a service.
    Meddles(usize),
    /// Twenty seconds pass.
    Time,
}

/// The pipeline, what may happen to it, and what did.
struct EveryOrder {
    targets: Vec<TargetId>,
    pushes: Vec<Candidate>,
    story: Story,
    guards: Guards,
    happened: Mutex<BTreeMap<&'static str, u64>>,
    plans: Memo<VecDeque<Part<Change>>>,
    writes: Memo<Option<Written>>,
    notes: Memo<Part<Table>>,
}

impl EveryOrder {
    fn new(story: Story, guards: Guards) -> Self {
        let push = |(seconds, bytes): (i64, &str)| {
            let tag = format!("prod-{bytes:0>7}");
            let image = build::image("app", bytes, &tag, build::at(seconds));
            super::candidate("app", &tag, image, "ecr")
        };
        Self {
            targets: SERVICES.map(build::target).into(),
            pushes: [(-2, "b2"), (-1, "b3")].map(push).into(),
            story,
            guards,
            happened: Mutex::default(),
            plans: Memo::new(),
            writes: Memo::new(),
            notes: Memo::new(),
        }
    }

    /// Notes that something happened: what never does proves nothing.
    fn note(&self, what: &'static str) {
        *self.happened.lock().unwrap().entry(what).or_default() += 1;
    }

    fn index(&self, target: &TargetId) -> usize {
        self.targets.iter().position(|it| it == target).unwrap()
    }
}

impl Model for EveryOrder {
    type State = State;
    type Action = Happens;

    fn init_states(&self) -> Vec<State> {
        let mut config = build::pipeline(&[&SERVICES], &["app"]);
        config.watch.timeout = world::TIMEOUT;
        config.watch.bake = world::STEP;
        config.on_failure = self.story.on_failure;
        let long_ago = build::at(-3600);
        let mut table = Table::new(config);
        table.adopt(&["app"], long_ago);
        let service = |target: &TargetId| {
            Service::running(&target.name, "app", &build::digest("01d"), long_ago)
        };
        let services = self.targets.iter().map(service);
        let first = State::new(table, services, self.story.limits);
        let begin = |seconds: &u16| State { seconds: *seconds, ..first.clone() };
        self.story.begins.iter().map(begin).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Happens>) {
        if state.broken.is_none() {
            self.possible(state, actions);
        }
    }

    fn next_state(&self, last: &State, happens: Happens) -> Option<State> {
        let mut next = last.clone();
        self.happen(&mut next, happens);
        if next.rests() {
            next.keep(promise::at_rest(self, &next));
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        macro_rules! kept {
            ($($name:literal),*) => {
                vec![$(Property::always($name, |_, state: &State| {
                    !state.broken.as_deref().is_some_and(|what| what.starts_with($name))
                })),*]
            };
        }
        kept![
            "one_release_per_push",
            "never_backwards",
            "one_mover",
            "baseline_before_change",
            "whole_or_back",
            "rollback_does_not_loop",
            "blocked_stays_out",
            "every_change_is_recorded",
            "always_moving"
        ]
    }
}
