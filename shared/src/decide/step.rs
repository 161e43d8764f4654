//! The next version of an item, together with its line in the audit trail.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::{
    Action, Asked, Entry, Head, Hold, Notice, Phase, Release, ReleaseId, Slot, SlotPhase, Subject,
    Todo,
};

/// Who acts when no person does.
pub(super) const TIDEGATE: &str = "tidegate";

/// Deploy's invocation ends after 90 s: what it said nothing of by then was lost.
pub(super) const LOST: Duration = Duration::from_secs(100);

/// So much longer than its deadline a slot that nobody saw, or a check that nobody asked, is waited
/// for: five ticks in a row that did not come to it. A verdict without a look may be wrong, and no
/// verdict at all would hang the release.
pub(super) const BLIND: Duration = Duration::from_secs(5 * 60);

/// At most this many slots in one transaction: 30 x (slot, past copy, journal entry) plus release,
/// its entry and blocks stay below DynamoDB's 100 actions.
pub(super) const CHUNK: usize = 30;

/// At most this many slots where each is one action: what is left of DynamoDB's 100 beside the head,
/// the release and its entry.
pub(super) const SINGLES: usize = 97;

impl Release {
    /// The release's next version: whatever ends or moves it beside this write loses, or has won.
    pub(crate) fn stepped(&self) -> Self {
        let mut next = self.clone();
        next.step += 1;
        next
    }

    /// The release in its next phase.
    pub(super) fn becomes(&self, phase: Phase) -> Self {
        let mut next = self.stepped();
        next.phase = phase;
        next.todo = None;
        next
    }

    /// The release, for deploy to survey anew; what held it may hold it still.
    pub(crate) fn surveyed_again(&self, held: Option<Hold>, now: Timestamp) -> Self {
        let mut next = self.becomes(Phase::Surveying { since: now, held });
        next.nudge += 1;
        next.todo = Some(Todo::Deploy);
        next
    }
}

impl Slot {
    /// The slot's next version: whatever judges the target beside this write loses, or has won.
    pub(crate) fn stepped(&self) -> Self {
        let mut next = self.clone();
        next.step += 1;
        next
    }

    /// The slot in its next phase. In most of them nothing is asked of deploy: what it has not
    /// answered by then is withdrawn, or it would be done after the verdict.
    pub(super) fn becomes(&self, phase: SlotPhase) -> Self {
        let mut next = self.stepped();
        next.phase = phase;
        next.puzzled = 0;
        next.told_at = None;
        let asks = matches!(next.phase, SlotPhase::Applying { .. } | SlotPhase::Returning { .. });
        if next.asks_deploy() && !asks { next.asks_nothing() } else { next }
    }

    /// The slot with what deploy did not answer withdrawn.
    pub(super) fn asks_nothing(mut self) -> Self {
        let generation = self.asked.generation + 1;
        self.asked = Asked { generation, action: Action::None, ..self.asked };
        self.todo = None;
        self
    }

    /// The slot with a new request to deploy.
    pub(super) fn asks(mut self, action: Action, now: Timestamp) -> Self {
        let generation = self.asked.generation + 1;
        self.asked = Asked { generation, action, at: now, over_drift: false };
        self.todo = Some(Todo::Deploy);
        self
    }

    /// The slot with its request made anew: what came of it is not what was asked.
    pub(super) fn asks_again(&self, now: Timestamp) -> Self {
        // Whoever began it may have a clock that is ahead: by the time a rollback tells its own failures.
        let at = now.max(self.asked.at);
        let mut next = self.becomes(self.phase.clone()).asks(self.asked.action, at);
        next.asked.over_drift = self.asked.over_drift;
        next
    }

    /// The same request once more, as a change that the stream carries.
    pub(super) fn nudged(&self, now: Timestamp) -> Self {
        let mut next = self.stepped();
        next.nudge += 1;
        next.todo = Some(Todo::Deploy);
        next.asked.at = now;
        next
    }
}

impl Head {
    /// The head's next version.
    pub(crate) fn stepped(&self) -> Self {
        let mut next = self.clone();
        next.step += 1;
        next
    }
}

/// The audit trail's line for a release that goes from `before` to `after`.
pub fn release_entry(
    before: &Release,
    after: &Release,
    actor: &str,
    reason: String,
    notice: Option<Notice>,
    now: Timestamp,
) -> Entry {
    Entry {
        release: after.id.clone(),
        subject: Subject::Release,
        step: after.step,
        at: now,
        actor: actor.to_owned(),
        from: before.phase.name().to_owned(),
        to: after.phase.name().to_owned(),
        reason,
        evidence: after.failure.iter().flat_map(|failure| failure.evidence.clone()).collect(),
        notice,
    }
}

/// The audit trail's line for a slot that goes from `before` to `after`.
pub(super) fn slot_entry(
    before: &Slot,
    after: &Slot,
    reason: String,
    evidence: Vec<String>,
    now: Timestamp,
) -> Entry {
    Entry {
        release: after.release.clone(),
        subject: Subject::Target { target: after.target.clone() },
        step: after.step,
        at: now,
        actor: TIDEGATE.to_owned(),
        from: before.phase.name().to_owned(),
        to: after.phase.name().to_owned(),
        reason,
        evidence,
        notice: None,
    }
}

/// The audit trail's line for the pipeline itself: a freeze, a block, a refused push.
pub fn pipeline_entry(
    head: &Head,
    actor: &str,
    to: &str,
    reason: String,
    notice: Option<Notice>,
    now: Timestamp,
) -> Entry {
    Entry {
        release: ReleaseId::new(head.pipeline.clone(), 0),
        subject: Subject::Pipeline,
        step: head.step,
        at: now,
        actor: actor.to_owned(),
        from: String::new(),
        to: to.to_owned(),
        reason,
        evidence: Vec::new(),
        notice,
    }
}
