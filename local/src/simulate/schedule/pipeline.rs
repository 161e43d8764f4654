//! Pipelines: their images, and the services that run them.

use super::extras::{Elsewhere, Extras};
use crate::api::Place;
use crate::places::{ACCOUNT, REGION};

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

    /// Whose registry its images are read from.
    pub fn registry(&self) -> Place {
        Place::new(ACCOUNT, if self.extras.reads_copies() { Elsewhere::REGION } else { REGION })
    }

    /// Whether one of its services takes this image.
    pub fn runs(&self, repository: &str) -> bool {
        let place = self.images.iter().position(|image| image.repository == repository);
        let takes = |service: &Service| {
            service.images.is_empty() || place.is_some_and(|it| service.images.contains(&it))
        };
        self.waves.iter().flatten().any(takes)
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
pub(super) const LITERAL: &str = "uapi";
/// What the other tags begin with.
pub(in crate::simulate) const PATTERN: &str = "prod-";

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
