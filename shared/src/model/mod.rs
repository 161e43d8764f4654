//! What exists: releases, slots, and what was recorded about them.

mod checked;
mod condition;
mod failure;
mod head;
mod id;
mod image;
mod journal;
mod kind;
mod lease;
mod release;
mod scene;
mod slot;
mod targets;

pub use checked::{Checked, Red};
pub use condition::Condition;
pub use failure::{Blame, Failure, TaskFailure, fell};
pub use head::{Freeze, Head, Memory, Retired};
pub use id::{Digest, InvalidId, ReleaseId, TargetId};
pub use image::{ReleaseImage, repository_uri, set_of, short_image};
pub use journal::{Entry, Notice, NoticeKind, Severity, Subject};
pub use kind::TargetKind;
pub use lease::{LEASE, Note};
pub use release::{Approved, Cause, Hold, Phase, Release, moved_last};
pub use scene::{Block, Change, Plan, Push, Rejection, Scene, WaitingOn};
pub use slot::{Action, Asked, Baseline, Done, Intent, Lease, Outcome, Pin, Slot, SlotPhase, Todo};

#[cfg(test)]
mod tests;
