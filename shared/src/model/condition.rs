//! Under which condition an item's next version is written, and what the write leaves to deploy.
//!
//! The table renders these for DynamoDB, the tests evaluate them: nobody states them twice.

use super::{Head, Release, Slot};

/// What must still hold of an item for its next version to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// The step it must be at; `None`: it must not exist.
    pub step: Option<u64>,
    /// The step that deploy's record in it must be at, where the decision rests on that record.
    pub done: Option<u64>,
}

impl Condition {
    /// The version before `step`, which counts from 1.
    fn before(step: u64) -> Self {
        Self { step: (step > 1).then(|| step - 1), done: None }
    }

    /// Whether it holds of an item at these steps.
    pub fn holds(self, step: Option<u64>, done: Option<u64>) -> bool {
        self.step == step && self.done.is_none_or(|before| done == Some(before))
    }
}

impl Head {
    /// When this version may be written.
    pub fn condition(&self) -> Condition {
        Condition::before(self.step)
    }
}

impl Release {
    /// When this version may be written.
    pub fn condition(&self) -> Condition {
        Condition::before(self.step)
    }
}

impl Slot {
    /// The attributes that are deploy's alone, from one taking of the target to the next.
    pub const OF_DEPLOY: [&'static str; 2] = ["done", "lease"];

    /// When this version may be written, decided on `before`: neither its own step nor deploy's
    /// record has moved.
    pub fn condition(&self, before: Option<&Self>) -> Condition {
        Condition { done: before.map(|before| before.done.step), ..Condition::before(self.step) }
    }

    /// Whether this version takes the target for a release: then deploy's record begins anew.
    pub fn takes(&self, before: Option<&Self>) -> bool {
        before.is_none_or(|before| before.done.step != self.done.step)
    }

    /// What the table holds once this version, decided on `before`, is written over `now`.
    #[must_use]
    pub fn over(self, before: Option<&Self>, now: Option<&Self>) -> Self {
        match now {
            Some(now) if !self.takes(before) => {
                Self { done: now.done.clone(), lease: now.lease.clone(), ..self }
            }
            _ => self,
        }
    }
}
