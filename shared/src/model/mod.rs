//! What exists: releases, slots, and what was recorded about them.

mod id;
mod image;
mod head;
mod release;
mod slot;
mod targets;
mod failure;
mod journal;
mod scene;

pub use failure::{Blame, Failure, TaskFailure, fell};
pub use head::{Freeze, Head, Memory};
pub use id::{Digest, InvalidId, ReleaseId, TargetId};
pub use image::{ReleaseImage, repository_uri};
pub use journal::{Entry, Notice, NoticeKind, Severity, Subject};
pub use release::{Cause, Hold, Phase, Release};
pub use scene::{Block, Change, Plan, Push, Scene, WaitingOn};
pub use slot::{
    Action, Asked, Baseline, Done, Intent, Lease, Outcome, Pin, Slot, SlotPhase, Todo,
};
