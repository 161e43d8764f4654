//! The table: the shipped conditions, and the hundred actions of a DynamoDB transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;

use super::build;
use crate::command::apply_config;
use crate::config::PipelineConfig;
use crate::model::{
    Block, Change, Condition, Digest, Entry, Head, Memory, Note, Notice, Push, Rejection, Release,
    Scene, Slot, Subject, TargetId,
};

/// Everything one pipeline has in the table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) head: Head,
    pub(crate) config: Arc<PipelineConfig>,
    pub(crate) releases: BTreeMap<u64, Arc<Release>>,
    pub(crate) slots: BTreeMap<TargetId, Arc<Slot>>,
    /// The copies of slots that later releases took.
    pub(crate) past: Vec<Slot>,
    pub(crate) blocks: BTreeMap<Digest, Block>,
    pub(crate) rejected: BTreeMap<String, Rejection>,
    pub(crate) journal: Vec<Arc<Entry>>,
    pub(crate) pushes: Vec<Push>,
    pub(crate) seen: BTreeMap<Digest, Timestamp>,
}

/// What a decision can read: the audit trail and copies of the past are not.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        (&self.head, &self.releases, &self.slots, &self.blocks, &self.rejected)
            == (&other.head, &other.releases, &other.slots, &other.blocks, &other.rejected)
    }
}

impl Eq for Table {}

impl Hash for Table {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.head, &self.releases, &self.slots, &self.blocks, &self.rejected).hash(state);
    }
}

/// DynamoDB's limit for one transaction.
const ACTIONS: usize = 100;

impl Table {
    pub(super) fn new(config: PipelineConfig) -> Self {
        let head = Head {
            pipeline: config.name.clone(),
            step: 0,
            next: 1,
            moving: None,
            waiting: None,
            live: None,
            answered: BTreeMap::new(),
            freeze: None,
            retired: None,
            back_since: None,
            config: 0,
        };
        Self {
            head,
            config: Arc::new(config),
            releases: BTreeMap::new(),
            slots: BTreeMap::new(),
            past: Vec::new(),
            blocks: BTreeMap::new(),
            rejected: BTreeMap::new(),
            journal: Vec::new(),
            pushes: Vec::new(),
            seen: BTreeMap::new(),
        }
    }

    /// What runs now is live: release 1.
    pub(super) fn adopt(&mut self, images: &[&str], now: Timestamp) {
        let runs = |name: &str| build::image(name, "01d", "uapi", now);
        let runs: BTreeMap<_, _> =
            images.iter().map(|name| ((*name).to_owned(), runs(name))).collect();
        let answered = runs.iter().map(|(name, image)| (name.clone(), Memory::of(image))).collect();
        let change =
            apply_config(None, &self.config, runs, answered, build::OPERATOR, now).unwrap();
        self.write(&change).unwrap();
    }

    pub(crate) fn scene(&self) -> Scene {
        let release =
            |number: Option<u64>| number.map(|number| Release::clone(&self.releases[&number]));
        let moving = release(self.head.moving);
        let targets: BTreeSet<_> = moving.iter().flat_map(Release::targets).cloned().collect();
        let slots = self.slots.iter().filter(|(target, _)| targets.contains(target));
        Scene {
            head: self.head.clone(),
            config: PipelineConfig::clone(&self.config),
            waiting: release(self.head.waiting),
            live: release(self.head.live),
            moving,
            slots: slots.map(|(target, slot)| (target.clone(), Slot::clone(slot))).collect(),
            blocked: self.blocks.clone(),
            rejected: self.rejected.clone(),
        }
    }

    pub(crate) fn notices(&self) -> impl Iterator<Item = &Notice> {
        self.journal.iter().filter_map(|entry| entry.notice.as_ref())
    }

    /// Writes all of a change, or says which condition did not hold.
    pub(crate) fn write(&mut self, change: &Change) -> Result<(), Refusal> {
        self.write_where(change, Condition::holds)
    }

    /// The same with another idea of when a condition holds.
    pub(crate) fn write_where(&mut self, change: &Change, holds: Holds) -> Result<(), Refusal> {
        self.check(change, holds)?;
        let actions = actions(change);
        if actions > ACTIONS {
            return Err(Refusal::Broken(format!("{actions} actions")));
        }
        let Change { head, releases, slots, blocks, rejections, unblocks, journal, pushes, seen } =
            change.clone();
        self.head = head.unwrap_or_else(|| self.head.clone());
        let releases = releases.into_iter().map(|release| (release.id.number, Arc::new(release)));
        self.releases.extend(releases);
        for (before, after) in slots {
            let target = after.target.clone();
            let after = after.over(before.as_ref(), self.slots.get(&target).map(|slot| &**slot));
            self.past.extend(before.filter(|before| before.release != after.release));
            self.slots.insert(target, Arc::new(after));
        }
        self.blocks.extend(blocks.into_iter().map(|block| (block.digest.clone(), block)));
        self.rejected.extend(rejections.into_iter().map(|it| (it.set.clone(), it)));
        self.blocks.retain(|digest, _| !unblocks.contains(digest));
        self.journal.extend(journal.into_iter().map(Arc::new));
        self.pushes.extend(pushes);
        for (digest, at) in seen {
            self.seen.entry(digest).or_insert(at);
        }
        Ok(())
    }

    /// One of deploy's own writes.
    pub(crate) fn note(&mut self, target: &TargetId, note: Note) {
        let slot = self.slots.get_mut(target).unwrap();
        *slot = Arc::new(note.over(slot));
    }

    fn check(&self, change: &Change, holds: Holds) -> Result<(), Refusal> {
        let Change { head, releases, slots, journal, .. } = change;
        let demand = |what: &str, condition: Condition, step: Option<u64>, done: Option<u64>| {
            let why = || format!("{what} is at {step:?}, {done:?}, not at {condition:?}");
            let held = holds(condition, step, done);
            held.then_some(()).ok_or_else(|| Refusal::Superseded(why()))
        };
        if let Some(head) = head {
            let step = Some(self.head.step).filter(|step| *step > 0);
            demand("the head", head.condition(), step, None)?;
        }
        for release in releases {
            let step = self.releases.get(&release.id.number).map(|release| release.step);
            demand(&release.id.to_string(), release.condition(), step, None)?;
            self.says_so(release, journal)?;
        }
        for (before, after) in slots {
            let now = self.slots.get(&after.target);
            let (step, done) = (now.map(|slot| slot.step), now.map(|slot| slot.done.step));
            demand(&after.target.name, after.condition(before.as_ref()), step, done)?;
        }
        let mut keys: BTreeSet<_> = self.journal.iter().map(|entry| key(entry)).collect();
        match journal.iter().find(|entry| !keys.insert(key(entry))) {
            Some(entry) => {
                let twice = format!("every_change_is_recorded: {:?} is written twice", key(entry));
                Err(Refusal::Broken(twice))
            }
            None => Ok(()),
        }
    }

    /// A release that moves on says so in the same write; that it is looked at again it does not.
    fn says_so(&self, release: &Release, journal: &[Entry]) -> Result<(), Refusal> {
        let before = self.releases.get(&release.id.number);
        let moved = before.is_none_or(|before| before.phase.name() != release.phase.name());
        let own = (release.id.number, &Subject::Release, release.step);
        if moved && !journal.iter().any(|entry| key(entry) == own) {
            let what = format!("{} became {}", release.id, release.phase.name());
            return Err(Refusal::Broken(format!("every_change_is_recorded: {what}")));
        }
        Ok(())
    }
}

/// Whether a condition holds of an item at these steps: of itself, of deploy's record in it.
pub(crate) type Holds = fn(Condition, Option<u64>, Option<u64>) -> bool;

/// Why a change was not written.
#[derive(Debug)]
#[expect(dead_code, reason = "a test that fails shows why")]
pub(crate) enum Refusal {
    /// Somebody else wrote first: an ordinary outcome.
    Superseded(String),
    /// DynamoDB would refuse it for ever.
    Broken(String),
}

fn key(entry: &Entry) -> (u64, &Subject, u64) {
    (entry.release.number, &entry.subject, entry.step)
}

/// What a change costs of them.
fn actions(change: &Change) -> usize {
    let Change { head, releases, slots, blocks, rejections, unblocks, journal, pushes, seen } =
        change;
    let copies = slots.iter().filter(|(before, after)| {
        before.as_ref().is_some_and(|before| before.release != after.release)
    });
    usize::from(head.is_some())
        + releases.len()
        + slots.len()
        + copies.count()
        + blocks.len()
        + rejections.len()
        + unblocks.len()
        + journal.len()
        + pushes.len()
        + seen.len()
}
