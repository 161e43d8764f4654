//! A schedule and a rule that run a task.

use super::{BACK_AT_FIRST, CAME_BACK, SECOND_LIVE, STARTED_LIVE, someli_pushes};
use crate::faults::ending::{Ends, Target};
use crate::faults::step::Step;
use crate::faults::story::Story;

/// The bake is longer than the five minutes from one run to the next.
const CONFIG: &str = "
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

/// Both name the release's revision, and a run of each proves it.
pub const SCHEDULED: Story = Story {
    config: CONFIG,
    before: &[APPLIED, someli_pushes("exit=0")],
    meanwhile: &[],
    about: SECOND,
    targets: &[
        Target { name: "nightly", phase: "healthy", runs: "pushed" },
        Target { name: "hourly", phase: "healthy", runs: "pushed" },
    ],
    ends: Ends {
        releases: &[(FIRST, "live", &[]), (SECOND, "live", STARTED_LIVE)],
        pipelines: &[(PIPELINE, SECOND_LIVE)],
        ..Ends::NOTHING
    },
};

/// A run fails in the bake; both name the revision before again.
pub const RUN_FAILED: Story = Story {
    before: &[APPLIED, someli_pushes("exit=3")],
    targets: &[
        Target { name: "nightly", phase: "returned", runs: "other" },
        Target { name: "hourly", phase: "returned", runs: "other" },
    ],
    ends: Ends {
        releases: &[(FIRST, "live", &[]), (SECOND, "rolled_back", CAME_BACK)],
        pipelines: &[(PIPELINE, BACK_AT_FIRST)],
        ..Ends::NOTHING
    },
    ..SCHEDULED
};
