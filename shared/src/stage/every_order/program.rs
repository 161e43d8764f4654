//! The programs, one step at a time: each reads, or writes, or calls.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::EveryOrder;
use super::world::{Fate, State};
use crate::decide::{self, Finding, Seen, Sightings};
use crate::model::{Change, Outcome, Plan, Slot, SlotPhase, TargetId, TaskFailure};
use crate::push::{self, Answer};
use crate::stage::build;
use crate::stage::part::Part;
use crate::stage::table::Table;

/// What woke a program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Task {
    /// Deploy surveys a release.
    Survey(u64),
    /// Deploy acts at a target.
    Target(usize),
    /// Watch looks at what is open.
    Tick,
    /// Watch hears of a task of a revision that fell.
    Fell(usize, String, Fallen),
    /// Promote answers a push.
    Push(usize),
}

/// How a task fell; there is one for each deployment, so their order is of no interest.
pub(super) type Fallen = Part<TaskFailure>;

impl PartialOrd for Fallen {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fallen {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (&self.task, self.at).cmp(&(&other.task, other.at))
    }
}

impl Task {
    pub(super) fn is_of_deploy(&self) -> bool {
        matches!(self, Self::Survey(_) | Self::Target(_))
    }
}

/// An invocation under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Hand {
    pub(super) task: Task,
    pub(super) owner: &'static str,
    /// Deploy waits another's lease out once.
    pub(super) waited: bool,
    pub(super) at: At,
}

/// The step that is next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum At {
    /// Deploy reads the slot: is anything asked?
    Asked { again: bool },
    /// Deploy writes its lease.
    Claiming(Part<Slot>),
    /// Deploy waits for another's lease to end.
    Sleeping { until: Timestamp },
    /// Deploy holds the lease and looks, to decide what to do.
    Holding(Part<Slot>),
    /// Deploy writes down the call to this revision.
    Intending(Part<Slot>, String),
    /// Deploy sends it.
    Sending(Part<Slot>, String),
    /// Deploy writes the answer down.
    Recording(Part<Slot>, Outcome),
    /// Deploy reads whether a survey is asked for, and finds out what runs.
    Surveying,
    /// Watch reads the scene; what is due is looked at.
    Reading,
    /// Watch looks at what was due in the scene that it read, and judges it by that scene.
    Looking(Part<Table>),
    /// Watch reads the scene and judges the task that fell.
    Noting,
    /// Promote reads the scene and answers the push.
    Answering,
    /// Watch or promote writes what it has to say; superseded, it reads again.
    Saying(Part<Change>),
    /// Reads, decides, writes one change after the other, until nothing changes.
    Advancing(Aim, VecDeque<Part<Change>>),
}

/// What is decided when a program advances a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Aim {
    /// What follows from a survey.
    Conclude(Part<BTreeMap<TargetId, Finding>>),
    /// What follows from what was seen.
    Decide(Part<Sightings>),
}

/// How a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum How {
    Well,
    /// The look shows what was before the newest call.
    Lagging,
    /// The call lands, and its answer is lost.
    AnswerLost,
    /// The call is lost on its way.
    NeverSent,
    /// The call lands when nobody waits for it any more.
    Late,
}

impl Hand {
    pub(super) fn new(task: Task, owner: &'static str) -> Self {
        let at = match task {
            Task::Survey(_) => At::Surveying,
            Task::Target(_) => At::Asked { again: false },
            Task::Tick => At::Reading,
            Task::Fell(..) => At::Noting,
            Task::Push(_) => At::Answering,
        };
        Self { task, owner, waited: false, at }
    }

    #[expect(clippy::unnecessary_wraps, reason = "a step leaves a program at another, or ends it")]
    pub(super) fn goes(self, at: At) -> Option<Self> {
        Some(Self { at, ..self })
    }

    /// The last thing that every program does.
    pub(super) fn advances(self, seen: Part<Sightings>) -> Option<Self> {
        self.goes(At::Advancing(Aim::Decide(seen), VecDeque::new()))
    }

    /// The ways in which its next step may go.
    pub(super) fn ways(&self, state: &State) -> Vec<How> {
        let mut ways = vec![How::Well];
        let lags = match (&self.at, &self.task) {
            (At::Holding(_), Task::Target(target)) => state.may_lag(*target),
            (At::Looking(_), _) => (0..state.services.len()).any(|target| state.may_lag(target)),
            _ => false,
        };
        ways.extend(lags.then_some(How::Lagging));
        if matches!(self.at, At::Sending(..)) {
            let lost = [How::AnswerLost, How::NeverSent];
            ways.extend(lost.into_iter().filter(|_| state.left.lost > 0));
            ways.extend((state.left.late > 0).then_some(How::Late));
        }
        ways
    }
}

impl EveryOrder {
    /// One step of the program at `index`.
    pub(super) fn step(&self, state: &mut State, index: usize, how: How) {
        let hand = state.hands.remove(index);
        if how == How::Lagging {
            self.note("a look lagged");
            state.left.lags -= 1;
            state.left.fault();
        }
        if let Some(next) = self.steps(state, hand, how) {
            state.hands.insert(index, next);
        }
    }

    fn steps(&self, state: &mut State, mut hand: Hand, how: How) -> Option<Hand> {
        let now = state.now();
        let at = std::mem::replace(&mut hand.at, At::Answering);
        match at {
            At::Surveying => self.surveys(state, hand),
            At::Reading if decide::due(&state.table.scene(), now).is_empty() => {
                hand.advances(State::nothing_seen())
            }
            At::Reading => hand.goes(At::Looking(state.table.clone())),
            At::Looking(read) => {
                let due = decide::due(&read.scene(), now);
                let seen = due.into_iter().map(|target| {
                    let seen = self.look(state, &read, &target, how == How::Lagging);
                    (target, seen)
                });
                let aim = Aim::Decide(Part::new(seen.collect()));
                self.plans(hand, aim, &read, state.seconds)
            }
            At::Noting => {
                let Task::Fell(target, revision, task) = &hand.task else { unreachable!() };
                let scene = state.table.scene();
                let slot = scene.slots.get(&self.targets[*target])?;
                let change = decide::note_task(&scene, slot, revision, task, now)?;
                hand.goes(At::Saying(Part::new(change)))
            }
            At::Answering => {
                let Task::Push(number) = hand.task else { unreachable!() };
                match push::answer(&state.table.scene(), &self.pushes[number], now) {
                    Answer::Known(_) | Answer::Outdated => None,
                    Answer::Record(change) => hand.goes(At::Saying(Part::new(*change))),
                }
            }
            At::Saying(change) => {
                if self.commit(state, &change) {
                    return hand.advances(State::nothing_seen());
                }
                let begin = Hand::new(hand.task.clone(), hand.owner).at;
                hand.goes(begin)
            }
            At::Advancing(aim, mut changes) => {
                if let Some(change) = changes.pop_front() {
                    self.commit(state, &change);
                    return hand.goes(At::Advancing(aim, changes));
                }
                self.plans(hand, aim, &state.table, state.seconds)
            }
            at => self.deploys(state, hand, at, how),
        }
    }

    /// What is to be written, decided by what was read.
    fn plans(&self, hand: Hand, aim: Aim, read: &Part<Table>, seconds: u16) -> Option<Hand> {
        let asked = (read, seconds, &hand.task, &aim);
        let changes =
            self.plans.of(asked, || plan(read, build::at(seconds.into()), &hand.task, &aim));
        match aim {
            _ if !changes.is_empty() => hand.goes(At::Advancing(aim, changes)),
            Aim::Conclude(_) => hand.advances(State::nothing_seen()),
            Aim::Decide(_) => None,
        }
    }

    fn surveys(&self, state: &mut State, hand: Hand) -> Option<Hand> {
        let Task::Survey(number) = hand.task else { unreachable!() };
        if !state.is_to_survey(number) {
            return None;
        }
        let (now, table) = (state.now(), state.table.clone());
        let image = &table.releases[&number].images["app"];
        let find = |(index, target): (usize, &TargetId)| {
            let service = &mut state.services[index];
            let finding = if service.sighting(now).settled() {
                let baseline = Box::new(service.baseline(now));
                let mut revision = String::new();
                *service = service.with(|it| revision = it.register(number, &image.digest));
                let (pins, difference) = (vec![build::pin(image)], Vec::new());
                Finding::Ready { baseline, pins, revision, difference }
            } else {
                Finding::Busy("another deployment".to_owned())
            };
            (target.clone(), finding)
        };
        let found: BTreeMap<_, _> = self.targets.iter().enumerate().map(find).collect();
        hand.goes(At::Advancing(Aim::Conclude(Part::new(found)), VecDeque::new()))
    }

    /// One look of watch's, with the stopped tasks where a verdict hangs on them.
    pub(super) fn look(&self, state: &State, read: &Table, target: &TargetId, lags: bool) -> Seen {
        let index = self.index(target);
        let lags = lags && state.may_lag(index);
        let mut sighting = state.sighting(index, lags);
        let slot = &read.slots[target];
        let settling = matches!(slot.phase, SlotPhase::Settling { .. });
        if let Fate::Falls(task) = &state.fates[index]
            && settling
            && !lags
            && slot.tasks.is_empty()
        {
            sighting.failures.push(TaskFailure::clone(task));
        }
        Seen::Service(Box::new(sighting))
    }
}

fn plan(read: &Table, now: Timestamp, task: &Task, aim: &Aim) -> VecDeque<Part<Change>> {
    let scene = read.scene();
    let plan = match (aim, task) {
        (Aim::Decide(seen), _) => decide::decide(&scene, seen, now),
        // Only what this survey was asked for: a newer release wants a survey of its own.
        (Aim::Conclude(found), Task::Survey(number)) if scene.head.moving == Some(*number) => {
            decide::conclude(&scene, found, now)
        }
        (Aim::Conclude(_), _) => Plan::default(),
    };
    plan.changes.into_iter().map(Part::new).collect()
}
