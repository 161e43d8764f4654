//! The eleven invariants, each a witness of its own: it sees every call leave and land, and every
//! write, and says what must not be.

mod always_moving;
mod baseline_before_change;
mod blocked_stays_out;
mod every_change_is_recorded;
mod least_power;
mod never_backwards;
mod one_mover;
mod one_release_per_push;
mod only_the_image;
mod rollback_does_not_loop;
mod whole_or_back;

use jiff::Timestamp;

use super::pushes::Pushes;
use super::raw::{Table, Written, text};
use crate::call::{Call, Caller, Noted};
use crate::cloud::Cloud;
use crate::ecs::ServiceName;

/// What is so at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment<'a> {
    /// When.
    pub(in crate::simulate) at: Timestamp,
    /// AWS.
    pub(in crate::simulate) cloud: &'a Cloud,
    /// The table.
    pub(in crate::simulate) table: &'a Table,
    /// What was pushed.
    pub(in crate::simulate) pushes: &'a Pushes,
}

/// What must not be, in a sentence each.
pub(super) type Wrongs = Vec<String>;

/// One promise.
pub(super) trait Invariant: Send {
    /// As DESIGN and ARCHITECTURE.md call it.
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
        Box::new(baseline_before_change::BaselineBeforeChange),
        Box::new(only_the_image::OnlyTheImage),
        Box::new(whole_or_back::WholeOrBack::default()),
        Box::new(rollback_does_not_loop::RollbackDoesNotLoop::default()),
        Box::new(blocked_stays_out::BlockedStaysOut::default()),
        Box::new(every_change_is_recorded::EveryChangeIsRecorded::default()),
        Box::new(always_moving::AlwaysMoving),
        Box::new(least_power::LeastPower),
    ]
}

/// The service that a call of deploy's changes, where the call names one.
fn changed_service(call: &Call) -> Option<ServiceName> {
    let [cluster, service] = ["cluster", "service"].map(|it| text(&call.input[it]));
    let named = changes_a_service(call) && !service.is_empty();
    named.then(|| ServiceName::new(cluster, service))
}

/// A call of deploy's that changes a service.
fn changes_a_service(call: &Call) -> bool {
    let by_deploy = matches!(&call.caller, Caller::Function(it) if it.program == "deploy");
    by_deploy && ["UpdateService", "StopServiceDeployment"].contains(&call.action.as_str())
}
