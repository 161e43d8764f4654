//! A target's slot: the one item that says which release owns the target, what deploy is asked
//! to do there, what deploy did, and what was seen.
//!
//! Two writers share it. Whoever decides writes everything but `done` and `lease`, on condition
//! that neither its own `step` nor deploy's `done.step` moved since it looked; deploy writes
//! `done`, `lease` and the end of `todo`, on condition that it holds the lease. So a fact that
//! deploy wrote is never lost, and a decision is never made on facts that are out of date.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Digest, Failure, ReleaseId, TargetId, TaskFailure};
use crate::sighting::{RunningImage, Sighting, Strategy};

/// What one release does to one target.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// The target.
    pub target: TargetId,
    /// Counts the decider's writes of this item.
    pub step: u64,
    /// The release that owns the target.
    pub release: ReleaseId,
    /// The config version that names the target.
    pub config: u64,
    /// That config names a role to reach the target by: only there may deploy read which.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_role: bool,
    /// Index of its wave.
    pub wave: usize,
    /// Where the rollout stands.
    pub phase: SlotPhase,
    /// The images this release wants in its containers.
    pub wanted: Vec<Pin>,
    /// What the target ran before, recorded before anything was changed.
    pub baseline: Baseline,
    /// What deploy is asked to do.
    pub asked: Asked,
    /// What deploy did.
    #[serde(default)]
    pub done: Done,
    /// Who holds the right to call AWS for this target now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Set while deploy must act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub todo: Option<Todo>,
    /// Failing tasks of our revision, by task id; at most [`Slot::MOST_TASKS`].
    #[serde(default)]
    pub tasks: BTreeMap<String, TaskFailure>,
    /// When the target was last seen on its baseline. Before it is touched: deploy looks again when
    /// this is old, so that somebody else's change is never overwritten. After: only a later look
    /// may say that our revision has vanished.
    pub seen_at: Timestamp,
    /// When ECS told that its deployment is complete: worth a look, never a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// Looks that showed the baseline although ours was accepted (lag, late calls).
    #[serde(default)]
    pub puzzled: u32,
    /// How often a call that landed late was repaired.
    #[serde(default)]
    pub repairs: u32,
    /// Counts repeated requests, so that asking again is a change the stream carries.
    #[serde(default)]
    pub nudge: u32,
    /// Digests that are live here when the release ended, by container: the next baseline's last resort.
    #[serde(default)]
    pub live: BTreeMap<String, Digest>,
}

impl Slot {
    /// Enough to show a pattern; a crash loop must not grow the item.
    pub const MOST_TASKS: usize = 20;

    /// The revision made for this release, once registered.
    pub fn ours(&self) -> Option<&str> {
        self.done.revision.as_deref()
    }

    /// Whether `revision` is the one that ran before, or its pinned twin.
    pub fn is_baseline(&self, revision: &str) -> bool {
        revision == self.baseline.revision
            || revision == self.baseline.running
            || self.done.copy.as_deref() == Some(revision)
    }

    /// The revision that brings the baseline back.
    pub fn way_back(&self) -> &str {
        self.done.copy.as_deref().unwrap_or(&self.baseline.revision)
    }

    /// What AWS called the thing that the accepted request made: a deployment's id, a task's ARN.
    pub fn made(&self) -> Option<&str> {
        // A one-off task is called for once, under one token, whatever is asked since.
        let task = self.done.outcome.as_ref().filter(|_| self.target.is_task());
        match task.or(self.answer()) {
            Some(Outcome::Accepted { deployment, .. }) => deployment.as_deref(),
            _ => None,
        }
    }

    /// AWS refused all that was asked for it: nothing was changed there.
    pub fn was_refused_whole(&self) -> bool {
        let Done { intent, called, lost, .. } = &self.done;
        let sent = intent.is_some() || called.is_some() || lost.is_some();
        !sent && matches!(self.answer(), Some(Outcome::Refused { .. }))
    }

    /// A call for a one-off task went out, and nobody knows what came of it.
    pub fn is_lost(&self) -> bool {
        let open = self.done.lost.is_some() || self.done.intent.is_some();
        self.target.is_task() && open && self.made().is_none()
    }

    /// A one-off task ran, or may have: AWS took its call, or nobody saw the answer.
    pub fn ran(&self) -> bool {
        let called = self.made().is_some() || self.is_lost();
        self.target.is_task() && called && self.phase != SlotPhase::Untouched
    }

    /// Deploy has answered what is asked now.
    pub fn answer(&self) -> Option<&Outcome> {
        let current = self.done.generation == self.asked.generation;
        self.done.outcome.as_ref().filter(|_| current)
    }
}

/// Where a rollout stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum SlotPhase {
    /// Surveyed; its wave is not open.
    Queued,
    /// No container runs an image of this release: it stays as it is.
    Unaffected,
    /// Deploy is asked to apply.
    Applying {
        /// Since when.
        since: Timestamp,
    },
    /// ECS accepted it; watch judges.
    Settling {
        /// Since when ECS accepted.
        since: Timestamp,
        /// When silence becomes a verdict.
        deadline: Timestamp,
    },
    /// The call for a one-off task was withdrawn unanswered, as its release goes back: ECS is asked
    /// whether it runs.
    Sought {
        /// Since when.
        since: Timestamp,
        /// From when on a task that ECS does not show never ran.
        until: Timestamp,
    },
    /// Runs ours, completed, enough tasks, targets healthy.
    Healthy {
        /// Since when.
        at: Timestamp,
        /// Nothing ran that could prove it (desired count 0).
        #[serde(default)]
        unproven: bool,
    },
    /// It failed; the release decides what follows.
    Failed {
        /// What happened.
        failure: Failure,
    },
    /// Deploy is asked to bring the baseline back.
    Returning {
        /// Since when.
        since: Timestamp,
        /// When silence becomes a failed rollback.
        deadline: Timestamp,
    },
    /// Runs its baseline again.
    Returned {
        /// Since when.
        at: Timestamp,
    },
    /// The rollback did not hold.
    ReturnFailed {
        /// What happened.
        failure: Failure,
    },
    /// Somebody else changed it; left alone.
    Drifted {
        /// What was seen.
        seen: String,
        /// Since when.
        at: Timestamp,
    },
    /// Never touched by this release.
    Untouched,
    /// A person took Tidegate's hands off it.
    Left,
}

impl SlotPhase {
    /// The state's name, as the table and the CLI write it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Unaffected => "unaffected",
            Self::Applying { .. } => "applying",
            Self::Settling { .. } => "settling",
            Self::Sought { .. } => "sought",
            Self::Healthy { .. } => "healthy",
            Self::Failed { .. } => "failed",
            Self::Returning { .. } => "returning",
            Self::Returned { .. } => "returned",
            Self::ReturnFailed { .. } => "return_failed",
            Self::Drifted { .. } => "drifted",
            Self::Untouched => "untouched",
            Self::Left => "left",
        }
    }

    /// This release changed the target, or may have.
    pub fn was_touched(&self) -> bool {
        !matches!(self, Self::Queued | Self::Unaffected | Self::Untouched)
    }
}

/// Deploy's to-do mark: the attribute the stream's filter looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Todo {
    /// Deploy must act.
    Deploy,
    /// Deploy is at it: its own writes do not wake it again.
    Claimed,
}

/// An image in one container.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pin {
    /// The container's name.
    pub container: String,
    /// The repository with its registry host, as the running revision names it.
    pub repository: String,
    /// The bytes.
    pub digest: Digest,
    /// The digest and its children.
    pub accepts: BTreeSet<Digest>,
}

impl Pin {
    /// The bytes a container really runs; `None` where they are not known.
    pub fn of_running(image: &RunningImage) -> Option<Self> {
        let digest = image.digest.clone()?;
        Some(Self {
            container: image.container.clone(),
            repository: image.repository.clone(),
            accepts: [digest.clone()].into(),
            digest,
        })
    }

    /// `repository@sha256:…`, the form a task definition takes.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.repository, self.digest)
    }
}

/// What the target really ran before: the rollback's goal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Baseline {
    /// When it was recorded.
    pub at: Timestamp,
    /// The revision that ran.
    pub running: String,
    /// The revision to go back to: `running` where it is pinned, else its pinned twin.
    pub revision: String,
    /// The revision a new one is made from (`base: family` takes the newest active one).
    pub base: String,
    /// What ran in the containers that change.
    pub images: Vec<RunningImage>,
    /// Desired tasks then.
    pub desired: u32,
    /// Running tasks then.
    pub ran: u32,
    /// How ECS brings revisions in.
    pub strategy: Strategy,
    /// Minutes that ECS itself adds by its bake times and steps.
    #[serde(default)]
    pub native_minutes: u32,
    /// Said to people: unprotected images, lifecycle rules, already failing, mixed digests.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Baseline {
    /// What the target was seen to run: `running`, which is its own way back until more is known.
    pub fn of(sighting: &Sighting, running: &str) -> Self {
        Self {
            at: sighting.at,
            running: running.to_owned(),
            revision: running.to_owned(),
            base: running.to_owned(),
            images: Vec::new(),
            desired: sighting.desired,
            ran: sighting.running,
            strategy: sighting.strategy,
            native_minutes: sighting.native_minutes,
            notes: Vec::new(),
        }
    }

    /// One can come back to it: every container that changes has a known digest.
    pub fn has_way_back(&self) -> bool {
        self.images.iter().all(|image| image.digest.is_some())
    }
}

/// What deploy is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Asked {
    /// Grows with each request, over all releases of the target.
    pub generation: u64,
    /// What.
    pub action: Action,
    /// When it was asked.
    pub at: Timestamp,
    /// An operator said so: also over somebody else's change.
    #[serde(default)]
    pub over_drift: bool,
}

/// Everything deploy can be asked to do to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    None,
    /// Bring the release's images in.
    Apply,
    /// Bring the baseline back.
    RollBack,
    /// Run what undoes a one-off task.
    Undo,
}

/// What deploy did; written by deploy alone, under its lease.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Done {
    /// Counts deploy's writes of this item.
    #[serde(default)]
    pub step: u64,
    /// The newest generation that was claimed.
    #[serde(default)]
    pub generation: u64,
    /// The mutating call that was about to be sent and is not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// When the newest mutating call was written down: `DescribeServices` lags behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<Timestamp>,
    /// When a call was written down whose answer nobody saw: it may still land.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Timestamp>,
    /// The revision made for this release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// A copy of the baseline's revision, registered because that one had become INACTIVE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<String>,
    /// The answer to `generation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// A mutating call, written down before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Intent {
    /// The AWS action and what it is given.
    pub call: String,
    /// When it was written.
    pub at: Timestamp,
    /// When the call before it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Timestamp>,
}

impl Done {
    /// With the answer to what is asked. A call that AWS refused was none.
    #[must_use]
    pub fn answered(self, outcome: Outcome) -> Self {
        let refused = matches!(outcome, Outcome::Refused { .. } | Outcome::Throttled { .. });
        let called = match &self.intent {
            Some(intent) if refused => intent.after,
            _ => self.called,
        };
        Self { intent: None, called, outcome: Some(outcome), ..self }
    }
}

/// How a request ended for deploy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// ECS accepted the call.
    Accepted {
        /// `ecs-svc/…` of the deployment it made, where ECS says so; a one-off task's ARN.
        deployment: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// The target already was as asked: no call was made.
    Already {
        /// When.
        at: Timestamp,
    },
    /// AWS refused: action, resource, and AWS's words.
    Refused {
        /// The sentence for people.
        why: String,
        /// When.
        at: Timestamp,
    },
    /// AWS asked to come back later.
    Throttled {
        /// Not before then.
        until: Timestamp,
    },
    /// The target runs what is neither ours nor its baseline; nothing was called.
    Drifted {
        /// What was seen.
        seen: String,
        /// When.
        at: Timestamp,
    },
}

/// The right to call AWS for a target, for a short time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lease {
    /// The invocation that holds it.
    pub owner: String,
    /// It ends by itself then.
    pub until: Timestamp,
}
