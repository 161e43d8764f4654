//! How much happens at once, and how much of it goes wrong.

/// How likely each number of things is, by weight.
type Odds = &'static [(u32, u32)];

/// What a story is drawn by. Shares are seeds of a hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weather {
    /// Pushes of a pipeline.
    pub(super) pushes: Odds,
    /// Commands that are typed for it.
    pub(super) commands: Odds,
    /// Things that somebody else does to its services.
    pub(super) others: Odds,
    /// The share of pipelines in which two things meet within seconds.
    pub(super) coincidences: u32,
    /// Rules of what goes wrong.
    pub(super) troubles: Odds,
    /// The share that has more than services: tasks, approvals, another region.
    pub(super) extras: u32,
    /// The share of those that has two kinds of it.
    pub(super) second_extra: u32,
    /// Rules of what goes wrong with the calls that only one such kind causes.
    pub(super) extra_troubles: Odds,
    /// The share that ties a knot.
    pub(super) knots: u32,
}

impl Weather {
    /// A bad day: plain stories are most of them, and few things go wrong in each, so that each can be told
    /// from the others.
    pub const USUAL: Self = Self {
        pushes: &[(7, 1), (4, 2), (1, 3), (1, 4)],
        commands: &[(4, 0), (4, 1), (2, 2), (1, 5)],
        others: &[(5, 0), (3, 1), (1, 2), (1, 4)],
        coincidences: 15,
        troubles: &[(2, 0), (3, 1), (3, 2), (2, 3), (1, 6)],
        extras: 40,
        second_extra: 30,
        extra_troubles: &[(1, 0), (2, 1), (1, 2)],
        knots: 8,
    };

    /// All of it at once. A thousand such seeds found as many mistakes as five thousand usual ones.
    pub const STORM: Self = Self {
        pushes: &[(3, 1), (4, 2), (3, 3), (2, 4)],
        commands: &[(2, 0), (3, 1), (3, 3), (2, 6)],
        others: &[(4, 0), (3, 1), (2, 2), (1, 4)],
        coincidences: 40,
        troubles: &[(1, 0), (2, 2), (3, 4), (3, 6), (1, 9)],
        extras: 85,
        second_extra: 60,
        extra_troubles: &[(1, 1), (2, 2), (1, 3)],
        knots: 25,
    };
}
