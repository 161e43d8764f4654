//! The table: conditions as DynamoDB checks them, and the hundred actions of a transaction.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{build, rules};
use crate::command::apply_config;
use crate::config::PipelineConfig;
use crate::model::{
    Block, Change, Digest, Entry, Head, Memory, Notice, Push, Release, Scene, Slot, TargetId,
};

/// Everything one pipeline has in the table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) head: Head,
    pub(crate) config: PipelineConfig,
    pub(crate) releases: BTreeMap<u64, Release>,
    pub(crate) slots: BTreeMap<TargetId, Slot>,
    /// The copies of slots that later releases took.
    pub(crate) past: Vec<Slot>,
    pub(crate) blocks: BTreeMap<Digest, Block>,
    pub(crate) journal: Vec<Entry>,
    pub(crate) pushes: Vec<Push>,
    pub(crate) seen: BTreeMap<Digest, Timestamp>,
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
            config: 0,
        };
        Self {
            head,
            config,
            releases: BTreeMap::new(),
            slots: BTreeMap::new(),
            past: Vec::new(),
            blocks: BTreeMap::new(),
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
        let memory = |(name, image): (&String, &crate::model::ReleaseImage)| {
            let (digest, tag) = (image.digest.clone(), "uapi".to_owned());
            (name.clone(), Memory { digest, pushed_at: image.pushed_at, tag })
        };
        let answered = runs.iter().map(memory).collect();
        let change =
            apply_config(None, &self.config, runs, answered, build::OPERATOR, now).unwrap();
        self.write(&change).unwrap();
    }

    pub(crate) fn scene(&self) -> Scene {
        let release = |number: Option<u64>| number.map(|number| self.releases[&number].clone());
        let moving = release(self.head.moving);
        let targets: BTreeSet<_> = moving.iter().flat_map(Release::targets).cloned().collect();
        let mut slots = self.slots.clone();
        slots.retain(|target, _| targets.contains(target));
        Scene {
            head: self.head.clone(),
            config: self.config.clone(),
            waiting: release(self.head.waiting),
            live: release(self.head.live),
            moving,
            slots,
            blocked: self.blocks.clone(),
        }
    }

    pub(crate) fn notices(&self) -> impl Iterator<Item = &Notice> {
        self.journal.iter().filter_map(|entry| entry.notice.as_ref())
    }

    /// Writes all of a change, or says which condition did not hold.
    pub(crate) fn write(&mut self, change: &Change) -> Result<(), String> {
        let actions = actions(change);
        if actions > ACTIONS {
            return Err(format!("{actions} actions"));
        }
        self.check(change)?;
        let Change { head, releases, slots, blocks, unblocks, journal, push, seen } =
            change.clone();
        self.head = head.unwrap_or_else(|| self.head.clone());
        self.releases.extend(releases.into_iter().map(|release| (release.id.number, release)));
        for (before, mut after) in slots {
            match (before, self.slots.get(&after.target)) {
                // Taken for a release: a clean record, and the old one is kept.
                (Some(before), _) if before.done.step != after.done.step => self.past.push(before),
                // Deploy's own attributes are never the decider's to write.
                (Some(_), Some(now)) => {
                    (after.done, after.lease) = (now.done.clone(), now.lease.clone());
                }
                _ => {}
            }
            self.slots.insert(after.target.clone(), after);
        }
        self.blocks.extend(blocks.into_iter().map(|block| (block.digest.clone(), block)));
        self.blocks.retain(|digest, _| !unblocks.contains(digest));
        self.journal.extend(journal);
        self.pushes.extend(push);
        for (digest, at) in seen {
            self.seen.entry(digest).or_insert(at);
        }
        rules::check(self);
        Ok(())
    }

    fn check(&self, change: &Change) -> Result<(), String> {
        let Change { head, releases, slots, journal, .. } = change;
        let follows = |what: &str, before: Option<u64>, after: u64| {
            let holds = before.unwrap_or_default() + 1 == after;
            holds
                .then_some(())
                .ok_or_else(|| format!("{what} is at {before:?}, not before {after}"))
        };
        if let Some(head) = head {
            follows("the head", Some(self.head.step), head.step)?;
        }
        for release in releases {
            let before = self.releases.get(&release.id.number).map(|release| release.step);
            follows(&release.id.to_string(), before, release.step)?;
        }
        for (before, after) in slots {
            let now = self.slots.get(&after.target);
            follows(&after.target.service, now.map(|slot| slot.step), after.step)?;
            if before.as_ref().map(|slot| slot.done.step) != now.map(|slot| slot.done.step) {
                return Err(format!("deploy wrote {} meanwhile", after.target.service));
            }
        }
        let mut keys: BTreeSet<_> = self.journal.iter().map(key).collect();
        match journal.iter().find(|entry| !keys.insert(key(entry))) {
            Some(entry) => Err(format!("the audit trail has {:?} already", key(entry))),
            None => Ok(()),
        }
    }
}

fn key(entry: &Entry) -> (u64, crate::model::Subject, u64) {
    (entry.release.number, entry.subject.clone(), entry.step)
}

/// What a change costs of them.
fn actions(change: &Change) -> usize {
    let Change { head, releases, slots, blocks, unblocks, journal, push, seen } = change;
    let copies = slots.iter().filter(|(before, after)| {
        before.as_ref().is_some_and(|before| before.release != after.release)
    });
    let single = [head.is_some(), push.is_some()];
    releases.len()
        + slots.len()
        + copies.count()
        + blocks.len()
        + unblocks.len()
        + journal.len()
        + seen.len()
        + single.into_iter().filter(|is| *is).count()
}
