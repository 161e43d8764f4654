//! A release: one set of image digests on its way through one pipeline.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Checked, Failure, ReleaseId, ReleaseImage, TargetId, Todo};

/// One release, as the table holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Release {
    /// `someli-production/42`
    pub id: ReleaseId,
    /// Counts the writes of this item; numbers its journal entries.
    pub step: u64,
    /// What made it.
    pub cause: Cause,
    /// Who: the ARN of a person, `ecr` for a push, `sweep` for one that the sweep found.
    pub by: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// The config version that rules it.
    pub config: u64,
    /// The images it brings, by their name in the config.
    pub images: BTreeMap<String, ReleaseImage>,
    /// Its targets, wave by wave, from the config version.
    pub waves: Vec<Vec<TargetId>>,
    /// Where it stands.
    pub phase: Phase,
    /// An operator said: go on even where no way back is known.
    #[serde(default)]
    pub without_way_back: bool,
    /// Who let it move, where a person's word is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approved>,
    /// What went wrong, once something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What its checks have answered; empty until the first of them did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Checked>,
    /// Set while deploy must survey it, or mark what it made live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub todo: Option<Todo>,
    /// Counts repeated requests, so that asking again is a change the stream carries.
    #[serde(default)]
    pub nudge: u32,
}

impl Release {
    /// A release as it is recorded first, without images and targets: nothing has been said of it.
    pub fn recorded(id: ReleaseId, cause: Cause, by: &str, at: Timestamp, phase: Phase) -> Self {
        Self {
            id,
            step: 1,
            cause,
            by: by.to_owned(),
            at,
            config: 0,
            images: BTreeMap::new(),
            waves: Vec::new(),
            phase,
            without_way_back: false,
            approved: None,
            failure: None,
            checks: Vec::new(),
            todo: None,
            nudge: 0,
        }
    }

    /// The images in a person's words.
    pub fn label(&self) -> String {
        self.images.values().map(ReleaseImage::label).collect::<Vec<_>>().join(", ")
    }

    /// How people count the wave at this index: services' waves from 1, the one-off tasks before them
    /// as 0.
    pub fn wave_number(&self, wave: usize) -> usize {
        (wave + 1).saturating_sub(self.task_waves())
    }

    /// How people name the wave at this index: `wave 2 of 3`, or `pre-deploy` for a one-off task.
    pub fn stage(&self, wave: usize) -> String {
        match self.wave_number(wave) {
            0 => "pre-deploy".to_owned(),
            number => format!("wave {number} of {}", self.waves.len() - self.task_waves()),
        }
    }

    fn task_waves(&self) -> usize {
        self.waves.iter().filter(|wave| wave.iter().any(TargetId::is_task)).count()
    }

    /// What keeps it before anything moved.
    pub fn held(&self) -> Option<&Hold> {
        match &self.phase {
            Phase::Surveying { held, .. } => held.as_ref(),
            _ => None,
        }
    }

    /// Whether a person may say no to it: it waits for their word, or its own pipeline went back from it.
    pub fn can_be_rejected(&self) -> bool {
        matches!(self.held(), Some(Hold::Approval { .. } | Hold::Withdrawn { .. }))
    }

    /// The plan that people were asked to approve, and until when they are.
    pub fn approval_asked(&self) -> Option<(&str, Timestamp)> {
        match self.held() {
            Some(Hold::Approval { plan, until, .. }) => Some((plan, *until)),
            _ => None,
        }
    }

    /// The word that was given for the very plan that it waits with: it goes on as soon as nothing
    /// else is in the way.
    pub fn approval_given(&self) -> Option<&Approved> {
        let (plan, _) = self.approval_asked()?;
        self.approved.as_ref().filter(|given| given.plan == plan)
    }

    /// Whether a person's word was given for this plan.
    pub fn is_approved(&self, plan: &str) -> bool {
        self.approved.as_ref().is_some_and(|given| given.plan == plan)
    }

    /// All its targets, in the order of the waves.
    pub fn targets(&self) -> impl Iterator<Item = &TargetId> {
        self.waves.iter().flatten()
    }
}

/// A person's word for a release, or a tag's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Approved {
    /// Who: the ARN of a person, `ecr` for a tag that arrived.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The plan that it was given for: a hash over digests, targets and differences, in hex.
    pub plan: String,
}

impl Approved {
    /// Enough of a plan's name for a person: the first 12 hex digits.
    pub fn short(plan: &str) -> &str {
        plan.get(..12).unwrap_or(plan)
    }
}

/// The release that moved services last: by time, for one that waits may move after one with a higher
/// number.
pub fn moved_last<'a>(releases: impl IntoIterator<Item = &'a Release>) -> Option<&'a Release> {
    let moved = releases.into_iter().filter(|release| !release.cause.undoes());
    let ended = moved.filter_map(|release| Some((release.phase.ended_after_moving()?, release)));
    ended.max_by_key(|(at, release)| (*at, release.id.number)).map(|(_, release)| release)
}

/// What made a release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// A push to a repository of the pipeline.
    Push,
    /// `config apply` found these images running: nothing was moved.
    Adopted,
    /// An operator went back to an earlier release.
    Rollback {
        /// Its number.
        to: u64,
    },
    /// An operator started it.
    Start,
    /// An operator runs what undoes the one-off tasks of an earlier release, and nothing else.
    Undo {
        /// Its number.
        of: u64,
    },
    /// It became live in another pipeline: the same digests.
    Promoted {
        /// There.
        from: ReleaseId,
    },
}

impl Cause {
    /// A person goes back: neither a freeze nor a newer push stops that, and when it fails a person
    /// decides.
    pub fn goes_back(&self) -> bool {
        matches!(self, Self::Rollback { .. } | Self::Undo { .. })
    }

    /// It runs one-off tasks and changes no service.
    pub fn undoes(&self) -> bool {
        matches!(self, Self::Undo { .. })
    }

    /// No operator asked for it: what is live or was rejected does not come again.
    pub fn is_by_itself(&self) -> bool {
        matches!(self, Self::Push | Self::Promoted { .. })
    }
}

/// Where a release stands. Each state holds what is true in it, and no more.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Phase {
    /// Recorded; its turn has not come, or the pipeline is frozen.
    Waiting {
        /// Since when.
        since: Timestamp,
    },
    /// Deploy reads every target's baseline; nothing moves.
    Surveying {
        /// Since when.
        since: Timestamp,
        /// What the last survey found in the way.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<Hold>,
    },
    /// Wave `wave` (from 0) is open.
    Rolling {
        /// Index of the open wave.
        wave: usize,
        /// Since when.
        since: Timestamp,
    },
    /// Everything is stable; it must hold until then.
    Baking {
        /// When it becomes live.
        until: Timestamp,
    },
    /// The targets go back to their baselines.
    RollingBack {
        /// Since when.
        since: Timestamp,
    },
    /// On all targets.
    Live {
        /// Since when.
        at: Timestamp,
        /// No task ran that could prove it (desired count 0 everywhere).
        #[serde(default)]
        unproven: bool,
        /// A person accepted it as it stands.
        #[serde(default)]
        accepted: bool,
    },
    /// All targets are back on their baselines.
    RolledBack {
        /// Since when.
        at: Timestamp,
    },
    /// It failed and the config says to touch nothing: a person decides.
    Frozen {
        /// Since when.
        at: Timestamp,
    },
    /// A rollback failed: a person decides.
    RollbackFailed {
        /// Since when.
        at: Timestamp,
    },
    /// Somebody else changed a target in mid-release: a person decides.
    Drifted {
        /// Since when.
        at: Timestamp,
    },
    /// A person took Tidegate's hands off: targets stay as they are.
    Abandoned {
        /// Since when.
        at: Timestamp,
    },
    /// A newer release took its place before it moved anything.
    Superseded {
        /// Since when.
        at: Timestamp,
        /// The release that came instead.
        by: u64,
    },
    /// Nobody approved it in time.
    Expired {
        /// Since when.
        at: Timestamp,
    },
    /// A person said no: its set of images is not released here again.
    Rejected {
        /// Since when.
        at: Timestamp,
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// It may not start: blocked, rejected, already live, nothing to change.
    Refused {
        /// Since when.
        at: Timestamp,
        /// Why.
        why: String,
    },
}

impl Phase {
    /// The state's name, as the table, the CLI and the notifications write it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Surveying { .. } => "surveying",
            Self::Rolling { .. } => "rolling",
            Self::Baking { .. } => "baking",
            Self::RollingBack { .. } => "rolling_back",
            Self::Live { .. } => "live",
            Self::RolledBack { .. } => "rolled_back",
            Self::Frozen { .. } => "frozen",
            Self::RollbackFailed { .. } => "rollback_failed",
            Self::Drifted { .. } => "drifted",
            Self::Abandoned { .. } => "abandoned",
            Self::Superseded { .. } => "superseded",
            Self::Expired { .. } => "expired",
            Self::Rejected { .. } => "rejected",
            Self::Refused { .. } => "refused",
        }
    }

    /// Tidegate works on it by itself: it needs ticks.
    pub fn is_moving(&self) -> bool {
        matches!(
            self,
            Self::Surveying { .. }
                | Self::Rolling { .. }
                | Self::Baking { .. }
                | Self::RollingBack { .. }
        )
    }

    /// It stopped where only a person decides, and still owns its targets.
    pub fn is_stuck(&self) -> bool {
        matches!(self, Self::Frozen { .. } | Self::RollbackFailed { .. } | Self::Drifted { .. })
    }

    /// When it ended, if it had moved targets or was about to: what was refused, rejected, expired or
    /// superseded changed nothing.
    pub fn ended_after_moving(&self) -> Option<Timestamp> {
        match self {
            Self::Live { at, .. } | Self::RolledBack { at } | Self::Abandoned { at } => Some(*at),
            _ => None,
        }
    }

    /// Nothing follows.
    pub fn is_ended(&self) -> bool {
        !self.is_moving() && !self.is_stuck() && !matches!(self, Self::Waiting { .. })
    }
}

/// What keeps a surveyed release from opening its first wave.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Hold {
    /// For these targets no way back is known; each with the reason.
    NoWayBack {
        /// `service: reason`
        targets: Vec<String>,
    },
    /// These targets are in the middle of somebody else's deployment; each with what was seen.
    Busy {
        /// `service: what was seen`
        targets: Vec<String>,
        /// Since when one after the other was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
        /// People were told that it takes long.
        #[serde(default)]
        told: bool,
    },
    /// A promoted image has not arrived yet in the registry that these targets pull it from.
    Awaited {
        /// `service: which image, and where`
        targets: Vec<String>,
        /// Since when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
        /// People were told that it takes long.
        #[serde(default)]
        told: bool,
    },
    /// A target cannot be released as it is (missing, refused controller, no such container).
    Unfit {
        /// `service: why, and what to do`
        targets: Vec<String>,
    },
    /// The pipeline that it was promoted from went back from it, or blocked bytes of it.
    Withdrawn {
        /// Which bytes, where and since when, and what to do.
        why: String,
    },
    /// The pipeline was frozen before the survey was answered.
    Frozen,
    /// A person must approve it first.
    Approval {
        /// The plan: a hash over digests, targets and differences, in hex.
        plan: String,
        /// What would change, a line each.
        changes: Vec<String>,
        /// When it expires.
        until: Timestamp,
    },
}

impl Hold {
    /// Nobody needs to do anything: it is asked again until it is over.
    pub fn ends_by_itself(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Awaited { .. } | Self::Frozen => true,
            Self::NoWayBack { .. }
            | Self::Unfit { .. }
            | Self::Withdrawn { .. }
            | Self::Approval { .. } => false,
        }
    }
}

impl std::fmt::Display for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, targets) = match self {
            Self::NoWayBack { targets } => ("no way back is known for", targets),
            Self::Busy { targets, .. } => ("another deployment is in flight on", targets),
            Self::Awaited { targets, .. } => ("images have not arrived yet for", targets),
            Self::Unfit { targets } => ("these targets cannot be released", targets),
            Self::Withdrawn { why } => return f.write_str(why),
            Self::Frozen => return f.write_str("its pipeline is frozen"),
            Self::Approval { plan, until, .. } => {
                return write!(
                    f,
                    "plan {} waits for an approval until {until:.0}",
                    Approved::short(plan)
                );
            }
        };
        write!(f, "{what}: {}", targets.join("; "))
    }
}
