//! The guards that the invariants rest on, by name.
//!
//! Each stands at the place that it guards. Only the simulation, built with the feature `sabotage`,
//! can let one fall, to show that it bears: then an invariant breaks. Without the feature
//! [`stands`] is the constant `true`, and the compiler takes it out.

/// Load-bearing guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// An item is written only at the step it was read at.
    ConditionalWrite,
    /// A decision falls when deploy wrote beside it.
    DoneStep,
    /// One invocation of deploy at a time acts on a target.
    Lease,
    /// Deploy answers what is asked now, not what was asked when it looked.
    Generation,
    /// A call is written down before it is sent.
    IntentFirst,
    /// A late push never replaces a newer one.
    PushOrder,
    /// Every target's baseline is known before the first wave opens.
    BaselineFirst,
    /// Nothing moves that could not come back.
    WayBack,
    /// What named a tag goes back to its bytes, not to its tag.
    PinnedTwin,
    /// Healthy is what runs our revision, not what is stable.
    OwnRevision,
    /// Somebody else's change is left alone.
    Drift,
    /// One release moves in a pipeline.
    OneMover,
    /// A rollback that failed is not tried again by itself.
    RollbackOnce,
    /// What an operator's rollback breaks is for a person.
    RollbackOfRollback,
    /// Bytes to blame are not released again.
    Block,
    /// Bytes to blame are no way back.
    BlockedBaseline,
    /// A frozen pipeline starts nothing.
    Freeze,
    /// A release that stops for a person freezes its pipeline.
    FreezeOnStop,
    /// Tidegate's own tags are no pushes.
    ReservedTags,
    /// A change and its line of the audit trail are one write.
    JournalTogether,
    /// After a rollback by ECS the bytes are compared.
    BreakerAdoption,
    /// What may still land is waited for.
    LateCall,
    /// What deploy did not answer is asked again.
    Nudge,
    /// The registry itself is asked for pushes that no event told of.
    Sweep,
    /// Only containers of the release's own repository change.
    OwnRepository,
    /// A one-off task's call has the name of its release, so that no second one runs.
    RunToken,
    /// A person's word is good for the plan that was shown, and no other.
    ApprovedPlan,
    /// Joined images are released when all of a set are there.
    WholeSet,
}

impl Guard {
    /// All of them.
    pub const ALL: [Self; 28] = [
        Self::ConditionalWrite,
        Self::DoneStep,
        Self::Lease,
        Self::Generation,
        Self::IntentFirst,
        Self::PushOrder,
        Self::BaselineFirst,
        Self::WayBack,
        Self::PinnedTwin,
        Self::OwnRevision,
        Self::Drift,
        Self::OneMover,
        Self::RollbackOnce,
        Self::RollbackOfRollback,
        Self::Block,
        Self::BlockedBaseline,
        Self::Freeze,
        Self::FreezeOnStop,
        Self::ReservedTags,
        Self::JournalTogether,
        Self::BreakerAdoption,
        Self::LateCall,
        Self::Nudge,
        Self::Sweep,
        Self::OwnRepository,
        Self::RunToken,
        Self::ApprovedPlan,
        Self::WholeSet,
    ];

    /// Its name, as `--sabotage` takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConditionalWrite => "conditional_write",
            Self::DoneStep => "done_step",
            Self::Lease => "lease",
            Self::Generation => "generation",
            Self::IntentFirst => "intent_first",
            Self::PushOrder => "push_order",
            Self::BaselineFirst => "baseline_first",
            Self::WayBack => "way_back",
            Self::PinnedTwin => "pinned_twin",
            Self::OwnRevision => "own_revision",
            Self::Drift => "drift",
            Self::OneMover => "one_mover",
            Self::RollbackOnce => "rollback_once",
            Self::RollbackOfRollback => "rollback_of_rollback",
            Self::Block => "block",
            Self::BlockedBaseline => "blocked_baseline",
            Self::Freeze => "freeze",
            Self::FreezeOnStop => "freeze_on_stop",
            Self::ReservedTags => "reserved_tags",
            Self::JournalTogether => "journal_together",
            Self::BreakerAdoption => "breaker_adoption",
            Self::LateCall => "late_call",
            Self::Nudge => "nudge",
            Self::Sweep => "sweep",
            Self::OwnRepository => "own_repository",
            Self::RunToken => "run_token",
            Self::ApprovedPlan => "approved_plan",
            Self::WholeSet => "whole_set",
        }
    }

    /// The invariant that breaks when it falls.
    pub const fn bears(self) -> &'static str {
        match self {
            Self::ReservedTags | Self::Sweep | Self::WholeSet => "one_release_per_push",
            Self::PushOrder => "never_backwards",
            Self::Lease
            | Self::Generation
            | Self::IntentFirst
            | Self::OneMover
            | Self::RunToken => "one_mover",
            Self::BaselineFirst | Self::WayBack | Self::ApprovedPlan => "baseline_before_change",
            Self::OwnRepository => "only_the_image",
            Self::DoneStep
            | Self::PinnedTwin
            | Self::OwnRevision
            | Self::Drift
            | Self::Freeze
            | Self::FreezeOnStop
            | Self::BreakerAdoption
            | Self::LateCall => "whole_or_back",
            Self::RollbackOnce | Self::RollbackOfRollback => "rollback_does_not_loop",
            Self::Block | Self::BlockedBaseline => "blocked_stays_out",
            Self::ConditionalWrite | Self::JournalTogether => "every_change_is_recorded",
            Self::Nudge => "always_moving",
        }
    }
}

/// Whether `guard` does its work.
#[cfg(not(feature = "sabotage"))]
pub const fn stands(_guard: Guard) -> bool {
    true
}

#[cfg(feature = "sabotage")]
pub use fallen::{fell, stands};

#[cfg(feature = "sabotage")]
mod fallen {
    use std::cell::Cell;

    use super::Guard;

    thread_local! {
        static FALLEN: Cell<Option<Guard>> = const { Cell::new(None) };
    }

    /// Lets a guard fall on this thread, or puts all of them up again.
    pub fn fell(guard: Option<Guard>) {
        FALLEN.set(guard);
    }

    /// Whether `guard` does its work.
    pub fn stands(guard: Guard) -> bool {
        FALLEN.get() != Some(guard)
    }
}
