//! Deploy's own writes of a slot: the lease, the intent before each call, the fact after it.
//!
//! Like [`super::Condition`], each is data: the table renders it for DynamoDB, the tests evaluate it.

use std::time::Duration;

use jiff::Timestamp;

use super::{Done, Intent, Lease, Slot, Todo};
use crate::guard::{Guard, stands};

/// One AWS call with its 10 s operation timeout fits twice. Where a change takes more, another invocation
/// may take over meanwhile: it finds the intent, and looks before it calls.
pub const LEASE: Duration = Duration::from_secs(20);

/// One write of deploy's. Everything else in the slot stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Note {
    /// Deploy's record afterwards. It must still be at the step before.
    pub done: Done,
    /// The lease afterwards; `None` lets it go, and ends `todo`.
    pub lease: Option<Lease>,
    /// Who must hold the lease; `None`: nobody. A lease that has run out is held until it is taken.
    pub holder: Option<String>,
    /// The generation that must still be the one asked for, where a newer one matters.
    pub generation: Option<u64>,
}

impl Slot {
    /// Whether anything is asked of deploy here.
    pub fn asks_deploy(&self) -> bool {
        match self.todo {
            Some(Todo::Deploy) => true,
            // Claimed, and the claimer died: a redelivered record finds it so.
            Some(Todo::Claimed) => self.answer().is_none(),
            None => false,
        }
    }

    /// Takes the lease for what is asked now; `Err`: another holds it until then.
    pub fn claim(&self, owner: &str, now: Timestamp) -> Result<Note, Timestamp> {
        let held = |lease: &&Lease| lease.until > now && lease.owner != owner;
        if let Some(lease) = self.lease.as_ref().filter(held).filter(|_| stands(Guard::Lease)) {
            return Err(lease.until);
        }
        let mut done = self.done.clone();
        // A call of an invocation that died: it may still land, so the slot must not close soon.
        if let Some(intent) = done.intent.take() {
            done.lost = Some(done.lost.map_or(intent.at, |lost| lost.max(intent.at)));
        }
        if done.generation != self.asked.generation {
            done.generation = self.asked.generation;
            done.outcome = None;
        }
        let lease = Lease { owner: owner.to_owned(), until: now + LEASE };
        Ok(self.note(done, Some(lease), true))
    }

    /// Renews the lease and writes down the call that is about to be sent; `None` without a lease.
    pub fn intend(&self, call: String, now: Timestamp) -> Option<Note> {
        let owner = self.lease.as_ref()?.owner.clone();
        let intent = Intent { call, at: now, after: self.done.called };
        let intent = stands(Guard::IntentFirst).then_some(intent);
        let done = Done { intent, called: Some(now), ..self.done.clone() };
        Some(self.note(done, Some(Lease { owner, until: now + LEASE }), true))
    }

    /// Writes the answer down and lets the lease go, unless something newer is asked.
    pub fn finish(&self, done: Done) -> Note {
        self.note(done, None, true)
    }

    /// Writes a fact down, whatever is asked by now, and keeps the lease.
    pub fn keep(&self, done: Done) -> Note {
        self.note(done, self.lease.clone(), false)
    }

    fn note(&self, done: Done, lease: Option<Lease>, same_generation: bool) -> Note {
        Note {
            done: Done { step: self.done.step + 1, ..done },
            lease,
            holder: self.lease.as_ref().map(|lease| lease.owner.clone()),
            generation: (same_generation && stands(Guard::Generation))
                .then_some(self.asked.generation),
        }
    }
}

impl Note {
    /// Whether the slot as it is now lets it be written.
    pub fn holds(&self, now: &Slot) -> bool {
        let Self { done, lease: _, holder, generation } = self;
        now.done.step + 1 == done.step
            && generation.is_none_or(|asked| now.asked.generation == asked)
            && now.lease.as_ref().map(|lease| &lease.owner) == holder.as_ref()
    }

    /// Whether it marks the request as taken up.
    pub fn takes_up(&self) -> bool {
        self.lease.is_some() && self.generation.is_some()
    }

    /// The slot once it is written.
    #[must_use]
    pub fn over(self, now: &Slot) -> Slot {
        let todo = match &self.lease {
            Some(_) if self.takes_up() => Some(Todo::Claimed),
            Some(_) => now.todo,
            None => None,
        };
        Slot { done: self.done, lease: self.lease, todo, ..now.clone() }
    }
}
