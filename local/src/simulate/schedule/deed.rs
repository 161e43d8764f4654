//! What can be done: by builds, by operators, and by others.

/// One thing that is done.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// A build pushes new bytes under these tags.
    Push {
        /// Where.
        repository: String,
        /// The tags, in order.
        tags: Vec<String>,
        /// What the image does.
        behaviour: String,
        /// What its tasks answer to URLs; 200 where nothing is said.
        answers: Option<String>,
        /// For two platforms, as an index.
        index: bool,
    },
    /// One more tag on bytes that were pushed, or a tag moved back to them.
    Tag {
        /// Where.
        repository: String,
        /// Which of its pushes, modulo their number.
        push: usize,
        /// The tag.
        tag: String,
    },
    /// What was pushed to a repository by now arrives in the other region.
    Copies {
        /// Where.
        repository: String,
    },
    /// A tag on the newest bytes of every image of a pipeline: a person's word, where it is taken so.
    Stamp {
        /// The pipeline.
        pipeline: String,
        /// The tag.
        tag: String,
    },
    /// The alarm of a pipeline changes.
    Alarm {
        /// The pipeline.
        pipeline: String,
        /// To what.
        state: String,
    },
    /// An operator types.
    Command {
        /// The pipeline.
        pipeline: String,
        /// The verb.
        verb: Verb,
    },
    /// Somebody or something else acts on a target.
    Other {
        /// Its name.
        service: String,
        /// What it does.
        act: Act,
    },
}

/// Every verb that writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    Apply { bake: u64 },
    Retire,
    Start,
    StartImage { push: usize },
    StartWithoutWayBack,
    Rollback { no_block: bool, no_freeze: bool, include_drifted: bool },
    Undo,
    RollbackTo { number: u64 },
    Approve,
    Reject,
    Accept,
    Abandon,
    Freeze,
    Unfreeze,
    Block { push: usize },
    Unblock { push: usize },
}

/// What a foreign actor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A console or Terraform brings another revision in; with which bytes.
    Deploys {
        /// The registry's newest ones, instead of those that run.
        newest: bool,
    },
    /// `forceNewDeployment`
    Forces,
    /// The console switches a schedule off.
    Disables,
    /// Autoscaling.
    Scales(u32),
    /// Spot takes a task.
    TakesSpot,
    /// A person stops a task.
    StopsTask,
    /// The next tasks find no place.
    FindsNoPlace(u32),
    /// One task exits by itself.
    Exits(i64),
    /// The revision that runs is deregistered.
    Deregisters,
}
