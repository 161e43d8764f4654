//! A schedule: everything a seed chooses, as plain data. What AWS leaves to chance inside its models
//! follows from the same seed.

mod chance;
mod config;
mod deed;
mod deeds;
mod draw;
mod extras;
mod fleet;
mod knots;
mod pipeline;
mod retired;
mod taken_back;
mod troubles;
mod weather;

use std::time::Duration;

use crate::ecs::{RollbackShape, ShownDigest};
use crate::faults::FaultRule;

use extras::Extras;
use pipeline::{LITERAL, Strategy, Tags};

pub(super) use config::CLUSTER;
pub(super) use deed::{Act, Deed, Verb};
pub(super) use extras::{CALLS, Elsewhere, MARK, Target, TargetKind, url};
pub(super) use pipeline::{Image, Pipeline, Service};
pub(super) use pipeline::{PATTERN, Selected};
pub use troubles::KINDS;
pub(super) use troubles::kind;
pub use weather::Weather;

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

    /// How many targets run by the clock, whatever anybody does.
    pub fn runs(&self) -> usize {
        let all = self.pipelines.iter().flat_map(|pipeline| &pipeline.extras.targets);
        all.filter(|target| matches!(target.kind, TargetKind::Schedule | TargetKind::Rule)).count()
    }

    /// Its services.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.pipelines.iter().flat_map(|pipeline| pipeline.waves.iter().flatten())
    }
}
