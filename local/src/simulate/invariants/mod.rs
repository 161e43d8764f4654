//! The eleven invariants, each a witness of its own: it sees every call leave and land, and every
//! write, and says what must not be. `answers`, `approvals`, `offers` and `sets` are parts of them.

mod always_moving;
mod answers;
mod approvals;
mod baseline_before_change;
mod blocked_stays_out;
mod every_change_is_recorded;
mod freezes;
mod least_power;
mod never_backwards;
mod offers;
mod one_mover;
mod one_release_per_push;
mod only_the_image;
mod rollback_does_not_loop;
mod sets;
mod whole_or_back;

use jiff::{SignedDuration, Timestamp};

use super::pushes::Pushes;
use super::raw::{Table, Written};
use super::runs::Runs;
use super::schedule::Pipeline;
use crate::call::{Call, Noted};
use crate::cloud::Cloud;

/// Looking and then calling are two things: a look is up to 15 s old, `DescribeServices` lags up to 5
/// s behind, and a call may take 10 s to be sent again.
const UNSEEN: SignedDuration = SignedDuration::from_secs(45);

/// What is so at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment<'a> {
    /// When.
    pub(in crate::simulate) at: Timestamp,
    /// AWS.
    pub(in crate::simulate) cloud: &'a Cloud,
    /// What the pipelines were asked to be.
    pub(in crate::simulate) pipelines: &'a [Pipeline],
    /// The table.
    pub(in crate::simulate) table: &'a Table,
    /// What was pushed.
    pub(in crate::simulate) pushes: &'a Pushes,
    /// Which one-off tasks ran.
    pub(in crate::simulate) runs: &'a Runs,
}

impl<'a> Moment<'a> {
    /// The pipeline of a release, `p1/7`, or of its own name.
    fn pipeline(&self, id: &str) -> Option<&'a Pipeline> {
        let name = id.split('/').next().unwrap_or_default();
        self.pipelines.iter().find(|pipeline| pipeline.name == name)
    }
}

/// What must not be, in a sentence each.
pub(super) type Wrongs = Vec<String>;

/// One promise.
pub(super) trait Invariant: Send {
    /// As ARCHITECTURE.md calls it.
    fn name(&self) -> &'static str;

    /// A call leaves its sender.
    fn sent(&mut self, _now: &Moment<'_>, _call: &Call, _wrongs: &mut Wrongs) {}

    /// A call landed, and wrote this into the table, which shows it by now.
    fn landed(&mut self, now: &Moment<'_>, call: &Noted, written: &[Written], wrongs: &mut Wrongs);

    /// Nothing went wrong for long, and nothing moves.
    fn ended(&mut self, _now: &Moment<'_>, _wrongs: &mut Wrongs) {}
}

/// All of them.
pub(super) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(one_release_per_push::OneReleasePerPush::default()),
        Box::new(never_backwards::NeverBackwards::default()),
        Box::new(one_mover::OneMover::default()),
        Box::new(baseline_before_change::BaselineBeforeChange::default()),
        Box::new(only_the_image::OnlyTheImage::default()),
        Box::new(whole_or_back::WholeOrBack::default()),
        Box::new(rollback_does_not_loop::RollbackDoesNotLoop::default()),
        Box::new(blocked_stays_out::BlockedStaysOut::default()),
        Box::new(every_change_is_recorded::EveryChangeIsRecorded::default()),
        Box::new(always_moving::AlwaysMoving),
        Box::new(least_power::LeastPower),
    ]
}
