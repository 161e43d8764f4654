//! A schedule and a rule that run a task.

use super::{CAME_BACK, STARTED_LIVE};
use crate::faults::ending::{Ends, Target};
use crate::faults::step::Step;
use crate::faults::story::Story;

const CONFIG: &str = "
version: 1
pipelines:
  someli-production:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi] } }
    cluster: live-crons
    waves: [[{ schedule: nightly }], [{ rule: hourly }]]
    watch: { timeout: 5m, bake: 30s }
";

/// The bake is longer than the five minutes from one run to the next.
const LONG_BAKE: &str = "
version: 1
pipelines:
  someli-production:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi] } }
    cluster: live-crons
    waves: [[{ schedule: nightly }], [{ rule: hourly }]]
    watch: { timeout: 5m, bake: 10m }
";

const PIPELINE: &str = "someli-production";
const FIRST: &str = "someli-production/1";
const SECOND: &str = "someli-production/2";

/// What no task runs yet is known from when its config is put in force.
const APPLIED: Step = Step::Applies { release: FIRST };

const fn pushes(behaviour: &'static str) -> Step {
    Step::Pushes { repository: "live_crons", tag: "uapi", behaviour }
}

/// Both name the release's revision.
pub const SCHEDULED: Story = Story {
    config: CONFIG,
    before: &[APPLIED, pushes("exit=0")],
    meanwhile: &[],
    about: SECOND,
    targets: &[
        Target { name: "nightly", phase: "healthy", runs: "pushed" },
        Target { name: "hourly", phase: "healthy", runs: "pushed" },
    ],
    ends: Ends {
        releases: &[(FIRST, "live", &[]), (SECOND, "live", STARTED_LIVE)],
        pipelines: &[(
            PIPELINE,
            "moving None, waiting None, live Some(2), frozen false, blocked []",
        )],
        ..Ends::NOTHING
    },
};

/// A run fails in the bake; both name the revision before again.
pub const RUN_FAILED: Story = Story {
    config: LONG_BAKE,
    before: &[APPLIED, pushes("exit=3")],
    targets: &[
        Target { name: "nightly", phase: "returned", runs: "other" },
        Target { name: "hourly", phase: "returned", runs: "other" },
    ],
    ends: Ends {
        releases: &[(FIRST, "live", &[]), (SECOND, "rolled_back", CAME_BACK)],
        pipelines: &[(
            PIPELINE,
            "moving None, waiting None, live Some(1), frozen false, blocked [\"pushed\"]",
        )],
        ..Ends::NOTHING
    },
    ..SCHEDULED
};
