//! What AWS leaves open, or does only sometimes: each a switch, drawn by the seed where nobody sets it.

use std::time::Duration;

use fastrand::Rng;

/// The switches of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switches {
    /// Whether calls beyond ECS's rates are refused.
    pub throttle: bool,
    /// How far `DescribeServices` may lag behind the truth.
    pub lag: Duration,
    /// What a rollback by ECS looks like.
    pub rollback: RollbackShape,
    /// Which digest of an index `imageDigest` shows.
    pub image_digest: ShownDigest,
}

/// The two ways in which ECS was seen to go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollbackShape {
    /// A new deployment, with a new id, on the old revision.
    NewId,
    /// The old deployment is in progress again, under its old id.
    OldId,
}

/// What `imageDigest` shows of an image for several platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownDigest {
    /// The digest of the index.
    Index,
    /// The digest of the one platform's manifest.
    Platform,
}

impl Switches {
    /// `DescribeServices` was seen up to about five seconds behind.
    const LAG: Duration = Duration::from_secs(5);

    pub(super) fn drawn(dice: &mut Rng) -> Self {
        let rollback = if dice.bool() { RollbackShape::NewId } else { RollbackShape::OldId };
        let image_digest = if dice.bool() { ShownDigest::Index } else { ShownDigest::Platform };
        Self { throttle: true, lag: Self::LAG, rollback, image_digest }
    }
}
