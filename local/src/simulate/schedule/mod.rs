//! A schedule: everything a seed chooses, as plain data. What AWS leaves to chance inside its models
//! follows from the same seed.

mod chance;
mod config;
mod deeds;
mod draw;
mod extras;
mod fleet;
mod troubles;

use std::time::Duration;

use crate::api::Place;
use crate::ecs::{RollbackShape, ShownDigest};
use crate::faults::FaultRule;
use crate::places::{ACCOUNT, REGION};

pub(super) use config::CLUSTER;
pub(super) use extras::Extras;
pub(super) use extras::{CALLS, Elsewhere, MARK, Target, TargetKind, url};
pub use troubles::KINDS;
pub(super) use troubles::kind;

/// One story, before it is played.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// What it is drawn from.
    pub seed: u64,
    /// The pipelines.
    pub pipelines: Vec<Pipeline>,
    /// What AWS leaves open.
    pub open: Open,
    /// What people, builds and chance do, by the time since adoption.
    pub deeds: Vec<(Duration, Deed)>,
    /// What goes wrong, from the adoption on.
    pub troubles: Vec<FaultRule>,
    /// From then on nothing more goes wrong.
    pub until: Duration,
}

/// One pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Its name: `p1`.
    pub name: String,
    /// Its images.
    pub images: Vec<Image>,
    /// Its services, wave by wave.
    pub waves: Vec<Vec<Service>>,
    /// Minutes that ECS may take.
    pub timeout: u64,
    /// Seconds it must hold.
    pub bake: u64,
    /// Tasks that fail a release.
    pub failed_tasks: u32,
    /// `on_failure: freeze`
    pub freezes: bool,
    /// `on_timeout: freeze`
    pub freezes_on_timeout: bool,
    /// What else it has; nothing in most seeds.
    pub extras: Extras,
}

impl Pipeline {
    /// Where its cluster is.
    pub fn place(&self) -> Place {
        match self.extras.elsewhere {
            None => Place::new(ACCOUNT, REGION),
            Some(Elsewhere { by_role: false }) => Place::new(ACCOUNT, Elsewhere::REGION),
            Some(Elsewhere { by_role: true }) => {
                Place::new(&Elsewhere::account(ACCOUNT), Elsewhere::REGION)
            }
        }
    }
}

/// One image of a pipeline; its name in the config is the repository's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The repository.
    pub repository: String,
    /// Which tags count.
    pub tags: Tags,
}

/// Which tags a pipeline listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tags {
    /// `uapi`
    Literal,
    /// `prod-{sha}`
    Pattern,
    /// Both.
    Both,
    /// `*`
    Any,
}

/// What a tag is to a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selected {
    /// A name that is moved from bytes to bytes.
    Literal,
    /// One of many names.
    Pattern,
}

impl Tags {
    /// What `tag` is to whoever listens to these; stated here once more, and not asked of the
    /// patterns under test.
    pub fn select(self, tag: &str) -> Option<Selected> {
        let literal = tag == LITERAL;
        let pattern = tag
            .strip_prefix(PATTERN)
            .is_some_and(|sha| sha.len() >= 7 && sha.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match self {
            Self::Literal | Self::Both if literal => Some(Selected::Literal),
            Self::Pattern | Self::Both if pattern => Some(Selected::Pattern),
            Self::Any if !tag.starts_with("tidegate-") => Some(Selected::Pattern),
            _ => None,
        }
    }
}

/// The tag that is moved.
const LITERAL: &str = "uapi";
/// What the other tags begin with.
const PATTERN: &str = "prod-";

/// One service.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name, unique in the cluster.
    pub name: String,
    /// Desired tasks.
    pub desired: u32,
    /// How ECS brings revisions in.
    pub strategy: Strategy,
    /// Whether a target group stands in front of it.
    pub balanced: bool,
    /// `versionConsistency`
    pub consistent: bool,
    /// Deployed before ECS kept service revisions.
    pub before_revisions: bool,
    /// The containers that matter, as indices of the pipeline's images; empty: all.
    pub images: Vec<usize>,
}

/// How ECS brings a revision in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Task by task, without a breaker.
    Plain,
    /// With the circuit breaker, which trips after so many failures.
    Breaker {
        /// Whether it goes back.
        rollback: bool,
        /// Failures.
        count: u32,
    },
    /// Two fleets.
    BlueGreen,
}

/// The switches for what AWS leaves unverified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Which digest of an index a task shows.
    pub image_digest: ShownDigest,
    /// What a rollback by ECS looks like.
    pub rollback: RollbackShape,
    /// Whether one more tag makes bytes look freshly pushed.
    pub retag_moves_push_time: bool,
    /// How far `DescribeServices` lags.
    pub ecs_lag: Duration,
    /// How far indexes and reads that are not consistent lag.
    pub table_lag: Duration,
}

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

impl Schedule {
    /// When the last of what went wrong arrives: an event may be hours late.
    pub fn calm(&self) -> Duration {
        let delays = self.troubles.iter().map(|rule| rule.fault.delay());
        self.until + delays.max().unwrap_or_default()
    }

    /// The target of this name that is no service.
    pub fn target(&self, name: &str) -> Option<&Target> {
        let mut all = self.pipelines.iter().flat_map(|pipeline| &pipeline.extras.targets);
        all.find(|target| target.name == name)
    }

    /// The pipeline of the target of this name.
    pub fn pipeline_of(&self, target: &str) -> Option<&Pipeline> {
        self.pipelines.iter().find(|pipeline| {
            let services = pipeline.waves.iter().flatten().map(|service| &service.name);
            let targets = pipeline.extras.targets.iter().map(|target| &target.name);
            services.chain(targets).any(|name| name == target)
        })
    }

    /// Its services.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.pipelines.iter().flat_map(|pipeline| pipeline.waves.iter().flatten())
    }
}
