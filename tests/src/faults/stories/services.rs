//! ECS services, of someli.

use super::{BACK, CAME_BACK, LIVE, STARTED_LIVE, TAKEN_BACK, someli_pushes};
use crate::faults::ending::{Ends, Target};
use crate::faults::step::Step;
use crate::faults::story::Story;

/// Someli with three services in two waves and a short bake: the same paths, a third of the calls.
pub const SMALL: &str = "
version: 1
pipelines:
  someli-production:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi] } }
    cluster: live-crons
    waves: [[Rag], [AI_CONTENT, Carousel]]
    watch: { timeout: 5m, bake: 30s, failed_tasks: 2, on_timeout: rollback }
    on_failure: rollback
";

/// Its waves.
pub(in crate::faults) const WAVES: &str = "[[Rag], [AI_CONTENT, Carousel]]";

const PIPELINE: &str = "someli-production";
const FIRST: &str = "someli-production/1";
const SECOND: &str = "someli-production/2";
const THIRD: &str = "someli-production/3";

/// A good image goes live.
pub const GOOD: Story = Story {
    config: SMALL,
    before: &[Step::Adopted, someli_pushes("healthy")],
    meanwhile: &[],
    about: FIRST,
    targets: &[
        Target { name: "Rag", phase: "healthy", runs: "pushed" },
        Target { name: "AI_CONTENT", phase: "healthy", runs: "pushed" },
        Target { name: "Carousel", phase: "healthy", runs: "pushed" },
    ],
    ends: Ends {
        releases: &[(FIRST, "live", STARTED_LIVE)],
        pipelines: &[(PIPELINE, LIVE)],
        ..Ends::NOTHING
    },
};

/// An image that crashes on start; everything comes back.
pub const BAD: Story = Story {
    before: &[Step::Adopted, someli_pushes("crash")],
    targets: &[
        Target { name: "Rag", phase: "returned", runs: "other" },
        Target { name: "AI_CONTENT", phase: "untouched", runs: "other" },
        Target { name: "Carousel", phase: "untouched", runs: "other" },
    ],
    ends: Ends {
        releases: &[(FIRST, "rolled_back", CAME_BACK)],
        pipelines: &[(PIPELINE, BACK)],
        ..Ends::NOTHING
    },
    ..GOOD
};

/// A config is put in force over what runs; nothing moves.
pub const ADOPTION: Story = Story {
    before: &[],
    meanwhile: &[Step::Applies { release: FIRST }],
    targets: &[
        Target { name: "Rag", phase: "", runs: "other" },
        Target { name: "Carousel", phase: "", runs: "other" },
    ],
    ends: Ends {
        releases: &[(FIRST, "live", &[])],
        pipelines: &[(PIPELINE, LIVE)],
        ..Ends::NOTHING
    },
    ..GOOD
};

/// Somebody else deploys to a service while the release bakes; it stops for a person.
pub const DRIFT: Story = Story {
    meanwhile: &[Step::Until { release: FIRST, phase: "baking" }, Step::Meddles { service: "Rag" }],
    targets: &[
        Target { name: "Rag", phase: "drifted", runs: "other" },
        Target { name: "Carousel", phase: "healthy", runs: "pushed" },
    ],
    ends: Ends {
        releases: &[(FIRST, "drifted", &["started", "drifted"])],
        pipelines: &[(
            PIPELINE,
            "moving Some(1), waiting None, live None, frozen true, blocked []",
        )],
        ..Ends::NOTHING
    },
    ..GOOD
};

/// An operator brings a live release back to what ran before.
pub const ROLLBACK: Story = Story {
    before: &[
        Step::Applies { release: FIRST },
        someli_pushes("healthy"),
        Step::Until { release: SECOND, phase: "live" },
        Step::AMinute,
    ],
    meanwhile: &[Step::Types {
        line: "rollback someli-production --yes",
        release: THIRD,
        still: "",
    }],
    about: THIRD,
    targets: &[
        Target { name: "Rag", phase: "healthy", runs: "other" },
        Target { name: "Carousel", phase: "healthy", runs: "other" },
    ],
    ends: Ends {
        releases: &[
            (FIRST, "live", &[]),
            (SECOND, "live", STARTED_LIVE),
            (THIRD, "live", STARTED_LIVE),
        ],
        pipelines: &[(PIPELINE, TAKEN_BACK)],
        ..Ends::NOTHING
    },
    ..GOOD
};
