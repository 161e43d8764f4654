//! The world between the programs: the time, ECS, what is on its way.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::program::{At, Hand, Task};
use super::{EveryOrder, HANDS, Happens, Limits, promise};
use crate::decide::Sightings;
use crate::model::{Change, Note, Phase, Slot, TaskFailure, Todo};
use crate::stage::ecs::Service;
use crate::stage::part::Part;
use crate::stage::rules::Kept;
use crate::stage::table::{Holds, Refusal, Table};
use crate::stage::{arn, build};

/// Time is told so finely: a lease is one of these, a minute three, what may still land three.
pub(super) const STEP: Duration = Duration::from_secs(20);

/// Silence becomes a verdict after two ticks.
pub(super) const TIMEOUT: Duration = Duration::from_secs(120);

/// A call whose sender gave up after its timeout of 10 s lands within another 30 s.
const LATEST: Duration = Duration::from_secs(40);

/// Somebody else's revision.
const FOREIGN: u32 = 99;

/// Both releases, each with its timeout, its rollback, a look that could not be taken and the
/// patience with what may still land, end well within; past it something hangs.
const HORIZON: Duration = Duration::from_secs(45 * 60);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    /// Since the beginning.
    pub(super) seconds: u16,
    pub(super) table: Part<Table>,
    pub(super) services: Vec<Part<Service>>,
    /// What becomes of each service's newest deployment.
    pub(super) fates: Vec<Fate>,
    /// Records of the table's stream that wait for deploy.
    pub(super) records: BTreeSet<Task>,
    /// Pushes, and the events of tasks that stopped: each comes once, whenever it likes; what
    /// comes a step too late is lost.
    pub(super) events: BTreeSet<Task>,
    /// The minute is over, and watch was not woken yet.
    pub(super) ticks: bool,
    pub(super) calls: Vec<Call>,
    pub(super) hands: Vec<Hand>,
    pub(super) left: Limits,
    /// The invariant that does not hold, and what breaks it.
    pub(super) broken: Option<String>,
}

/// What becomes of a deployment, twenty seconds after it was made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Fate {
    /// Not decided, or complete.
    Open,
    /// Neither fails nor becomes steady.
    Hangs,
    /// A task of it fell.
    Falls(Part<TaskFailure>),
}

/// A table after a write, and what it breaks.
pub(super) type Written = (Part<Table>, Kept);

/// A call on its way, whose sender gave up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Call {
    pub(super) target: usize,
    pub(super) revision: String,
    pub(super) sent: u16,
}

impl State {
    pub(super) fn new(table: Table, services: impl Iterator<Item = Service>, left: Limits) -> Self {
        let services: Vec<_> = services.map(Part::new).collect();
        Self {
            seconds: 0,
            table: Part::new(table),
            fates: vec![Fate::Open; services.len()],
            services,
            records: BTreeSet::new(),
            events: (0..left.pushes).map(Task::Push).collect(),
            ticks: false,
            calls: Vec::new(),
            hands: Vec::new(),
            left,
            broken: None,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        build::at(self.seconds.into())
    }

    /// The first invariant that breaks stays.
    pub(super) fn keep(&mut self, kept: Kept) {
        if let Err(broken) = kept {
            self.broken.get_or_insert(broken);
        }
    }

    /// Something is open that the time moves on.
    pub(super) fn is_open(&self) -> bool {
        let Table { head, .. } = &*self.table;
        let moves = head.moving.is_some_and(|n| self.table.releases[&n].phase.is_moving());
        moves || (head.moving.is_none() && head.waiting.is_some() && head.freeze.is_none())
    }

    /// Whether the newest deployment of a service is due to succeed or to fail.
    fn is_due(&self, target: usize) -> bool {
        self.fates[target] == Fate::Open && self.services[target].is_due(self.now())
    }

    fn is_asleep(&self, hand: &Hand) -> bool {
        matches!(hand.at, At::Sleeping { until } if self.now() < until)
    }

    /// Somebody could act now: time passes only by a stall.
    fn is_busy(&self) -> bool {
        self.hands.iter().any(|hand| !self.is_asleep(hand))
            || self.ticks
            || self.records.iter().any(|record| self.may_arrive(record))
            || (0..self.services.len()).any(|target| self.is_due(target))
    }

    fn may_pass(&self) -> bool {
        let overdue =
            |call: &Call| Duration::from_secs(u64::from(self.seconds - call.sent)) + STEP > LATEST;
        // A call is sent as soon as it is written down: within the lease that was renewed for it.
        let sends = self.hands.iter().any(|hand| matches!(hand.at, At::Sending(..)));
        let matters = self.is_open() || !self.hands.is_empty() || !self.calls.is_empty();
        let late = self.calls.iter().any(overdue);
        matters && !sends && !late && (self.left.stalls > 0 || !self.is_busy())
    }

    /// An item's records come one after the other.
    fn may_arrive(&self, task: &Task) -> bool {
        self.has_room() && !self.hands.iter().any(|hand| hand.task == *task)
    }

    fn has_room(&self) -> bool {
        self.hands.len() < HANDS
    }

    /// A new invocation, under the first name that nothing remembers.
    fn begin(&mut self, task: Task) {
        let held = |name: &str| {
            let mut leases = self.table.slots.values().filter_map(|slot| slot.lease.as_ref());
            self.hands.iter().any(|hand| hand.owner == name) || leases.any(|l| l.owner == name)
        };
        let owner = ["one", "two", "three", "four", "five", "six"];
        let owner = owner.into_iter().find(|name| !held(name)).unwrap();
        self.hands.push(Hand::new(task, owner));
        self.hands.sort_by(|a, b| (&a.task, a.owner).cmp(&(&b.task, b.owner)));
    }

    /// `UpdateService`, as ECS carries it out.
    pub(super) fn update(&mut self, target: usize, revision: &str) -> Option<String> {
        let (mut made, now) = (None, self.now());
        self.services[target] =
            self.services[target].with(|service| made = service.update(revision, now));
        if made.is_some() {
            self.fates[target] = Fate::Open;
        }
        made
    }
}

impl EveryOrder {
    pub(super) fn possible(&self, state: &State, happens: &mut Vec<Happens>) {
        let State { left, .. } = state;
        let arrives = state.records.iter().chain(&state.events);
        let ticks = state.ticks.then_some(Task::Tick);
        let arrives = arrives.chain(&ticks).filter(|task| state.may_arrive(task));
        happens.extend(arrives.cloned().map(Happens::Arrives));
        for (index, hand) in state.hands.iter().enumerate() {
            let twice = state.hands.iter().filter(|other| other.task == hand.task).count() > 1;
            if left.again > 0 && hand.task.is_of_deploy() && state.has_room() && !twice {
                happens.push(Happens::ArrivesAgain(hand.task.clone()));
            }
            if left.crashes > 0 {
                happens.push(Happens::Dies(index));
            }
            if !state.is_asleep(hand) {
                let ways = hand.ways(state).into_iter();
                happens.extend(ways.map(|how| Happens::Steps(index, how)));
            }
        }
        happens.extend((0..state.calls.len()).map(Happens::Lands));
        for target in 0..state.services.len() {
            if state.is_due(target) {
                happens.push(Happens::Becomes(target, Fate::Open));
                let [old, foreign] = [1, FOREIGN].map(|n| arn(&self.targets[target].name, n));
                let revision = &state.services[target].primary().revision;
                if left.bad > 0 && *revision != foreign {
                    happens.push(Happens::Becomes(target, Fate::Hangs));
                    // What ran before falls no more than it did.
                    let fell = Part::new(build::crash(u32::from(state.seconds), state.now()));
                    let falls = Happens::Becomes(target, Fate::Falls(fell));
                    happens.extend((*revision != old).then_some(falls));
                }
            }
            if left.breaker > 0 && matches!(state.fates[target], Fate::Falls(_)) {
                happens.push(Happens::GivesUp(target));
            }
            if left.foreign > 0 && state.is_open() {
                happens.push(Happens::Meddles(target));
            }
        }
        if state.may_pass() {
            happens.push(Happens::Time);
        }
    }

    pub(super) fn happen(&self, state: &mut State, happens: Happens) {
        match happens {
            Happens::Arrives(task) => {
                state.ticks &= task != Task::Tick;
                state.records.remove(&task);
                state.events.remove(&task);
                state.begin(task);
            }
            Happens::ArrivesAgain(task) => {
                self.note("a record came to two at once");
                state.left.again -= 1;
                state.left.fault();
                state.begin(task);
            }
            Happens::Steps(index, how) => self.step(state, index, how),
            Happens::Dies(index) => {
                self.note("a program died");
                state.left.crashes -= 1;
                state.left.fault();
                let hand = state.hands.remove(index);
                state.comes_back(hand.task);
            }
            Happens::Lands(index) => {
                let Call { target, revision, .. } = state.calls.remove(index);
                let made = state.update(target, &revision);
                if made.is_some() {
                    self.note("a call landed late");
                }
            }
            Happens::Becomes(target, fate) => self.becomes(state, target, fate),
            Happens::GivesUp(target) => {
                self.note("ECS rolled back by itself");
                state.left.breaker -= 1;
                let now = state.now();
                state.services[target] =
                    state.services[target].with(|service| service.roll_back_by_itself(false, now));
                state.fates[target] = Fate::Open;
            }
            Happens::Meddles(target) => {
                self.note("somebody else deployed");
                state.left.foreign -= 1;
                let revision = arn(&self.targets[target].name, FOREIGN);
                let _ = state.update(target, &revision);
            }
            Happens::Time => self.pass(state),
        }
    }

    fn becomes(&self, state: &mut State, target: usize, fate: Fate) {
        match &fate {
            Fate::Open => state.services[target] = state.services[target].with(Service::complete),
            Fate::Hangs => {
                self.note("a deployment hung");
                state.left.bad -= 1;
            }
            Fate::Falls(task) => {
                self.note("a task fell");
                state.left.bad -= 1;
                state.services[target] =
                    state.services[target].with(|service| service.deployments[0].failed_tasks += 1);
                let revision = state.services[target].primary().revision.clone();
                state.events.insert(Task::Fell(target, revision, task.clone()));
            }
        }
        state.fates[target] = fate;
    }

    fn pass(&self, state: &mut State) {
        if state.is_busy() {
            self.note("time passed over somebody who could act");
            state.left.stalls -= 1;
            state.left.fault();
        }
        state.seconds += u16::try_from(STEP.as_secs()).unwrap();
        // An event that is a step late tells nothing that the next look does not.
        state.events.retain(|event| !matches!(event, Task::Fell(..)));
        state.ticks |= state.seconds.is_multiple_of(60) && state.is_open();
        let ended = u64::from(state.seconds) < HORIZON.as_secs();
        state.keep(promise::keep("always_moving", ended, || "it still moves".to_owned()));
    }

    /// Writes a change, if its conditions hold; its records are on their way then.
    pub(super) fn commit(&self, state: &mut State, change: &Part<Change>) -> bool {
        let asked = (&state.table, change);
        let holds = self.guards.write;
        let write = || written(&state.table, change, holds);
        let Some((table, kept)) = self.writes.of(asked, write) else {
            self.note("a write was superseded");
            return false;
        };
        state.table = table;
        state.keep(kept);
        for (_, slot) in change.slots.iter().filter(|(_, slot)| slot.todo == Some(Todo::Deploy)) {
            state.records.insert(Task::Target(self.index(&slot.target)));
        }
        for release in &change.releases {
            self.note(release.phase.name());
            if release.todo.is_some() {
                state.records.insert(Task::Survey(release.id.number));
            }
        }
        true
    }

    /// One of deploy's writes: the slot as it is held then, if the condition holds.
    pub(super) fn write(&self, state: &mut State, held: &Slot, note: Note) -> Option<Part<Slot>> {
        if !(self.guards.note)(&note, &state.table.slots[&held.target]) {
            self.note("deploy was overtaken");
            return None;
        }
        let asked = (&state.table, &held.target, &note);
        let write = || state.table.with(|table| table.note(&held.target, note.clone()));
        state.table = self.notes.of(asked, write);
        if state.table.slots[&held.target].todo == Some(Todo::Deploy) {
            state.records.insert(Task::Target(self.index(&held.target)));
        }
        Some(Part::new(note.over(held)))
    }
}

impl State {
    /// What woke a program that died wakes it again, except for the tick: the next one comes.
    pub(super) fn comes_back(&mut self, task: Task) {
        match task {
            Task::Survey(_) | Task::Target(_) => self.records.insert(task),
            Task::Push(_) | Task::Fell(..) => self.events.insert(task),
            Task::Tick => true,
        };
    }

    /// What watch sees, or what was there before the newest call.
    pub(super) fn sighting(&self, target: usize, lags: bool) -> crate::sighting::Sighting {
        let mut sighting = self.services[target].sighting(self.now());
        if lags {
            sighting.deployments.remove(0);
            sighting.deployments[0].primary = true;
        }
        sighting
    }

    /// A call so young that a look may not show it.
    pub(super) fn may_lag(&self, target: usize) -> bool {
        let deployments = &self.services[target].deployments;
        self.left.lags > 0 && deployments.len() > 1 && deployments[0].created_at == self.now()
    }

    pub(super) fn nothing_seen() -> Part<Sightings> {
        Part::new(Sightings::new())
    }

    /// Nothing can happen any more, unless something comes from outside.
    pub(super) fn rests(&self) -> bool {
        !self.is_open()
            && self.hands.is_empty()
            && self.records.is_empty()
            && self.calls.is_empty()
            && !self.ticks
    }

    pub(super) fn is_to_survey(&self, number: u64) -> bool {
        let scene = self.table.scene();
        scene.moving.is_some_and(|release| {
            release.id.number == number
                && release.todo.is_some()
                && matches!(release.phase, Phase::Surveying { .. })
        })
    }
}

/// What is in the table after a change, and whether that keeps what is promised; `None`: superseded.
fn written(table: &Part<Table>, change: &Change, holds: Holds) -> Option<Written> {
    let mut refusal = None;
    let after = table.with(|table| refusal = table.write_where(change, holds).err());
    match refusal {
        Some(Refusal::Superseded(_)) => None,
        Some(Refusal::Broken(why)) => Some((after, Err(why))),
        None => {
            let kept = promise::of_write(table, change, &after);
            Some((after, kept))
        }
    }
}
