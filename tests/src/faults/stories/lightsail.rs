//! A Lightsail container service.

use super::{BACK_AT_FIRST, CAME_BACK, LIVE, SECOND_LIVE, STARTED_LIVE};
use crate::faults::ending::{Ends, Target};
use crate::faults::step::Step;
use crate::faults::story::Story;

const CONFIG: &str = "
version: 1
pipelines:
  deml:
    region: us-east-1
    images: { backend: { repository: deml-backend, tag: \"{sha}\" } }
    waves: [[{ lightsail: deml-apps, containers: { backend: backend } }]]
    watch: { timeout: 5m, bake: 30s }
    checks: [{ http: \"https://deml.example.com/health\", attempts: 2 }]
";

const PIPELINE: &str = "deml";
const FIRST: &str = "deml/1";
const SECOND: &str = "deml/2";

/// What its tags meant is known from when its config is put in force.
const APPLIED: Step = Step::Applies { release: FIRST };

const fn pushes(behaviour: &'static str) -> Step {
    Step::Pushes { repository: "deml-backend", tag: "1a2b3c4d", behaviour }
}

/// The new deployment becomes active, and answers as it should.
pub const LIGHTSAIL: Story = Story {
    config: CONFIG,
    before: &[APPLIED, pushes("healthy")],
    meanwhile: &[],
    about: SECOND,
    targets: &[Target { name: "deml-apps", phase: "healthy", runs: "pushed" }],
    ends: Ends {
        releases: &[(FIRST, "live", &[]), (SECOND, "live", STARTED_LIVE)],
        pipelines: &[(PIPELINE, SECOND_LIVE)],
        ..Ends::NOTHING
    },
};

/// Lightsail gives the deployment up; the one before it was never gone.
pub const LIGHTSAIL_FAILED: Story = Story {
    before: &[APPLIED, pushes("crash")],
    targets: &[Target { name: "deml-apps", phase: "returned", runs: "other" }],
    ends: Ends {
        releases: &[(FIRST, "live", &[]), (SECOND, "rolled_back", CAME_BACK)],
        pipelines: &[(PIPELINE, BACK_AT_FIRST)],
        ..Ends::NOTHING
    },
    ..LIGHTSAIL
};

/// It becomes active and answers wrongly: the one before it is stated again.
pub const LIGHTSAIL_RED: Story = Story {
    before: &[
        APPLIED,
        Step::PushesServing { repository: "deml-backend", tag: "1a2b3c4d", answers: "/health=503" },
    ],
    ends: Ends { pipelines: &[(PIPELINE, LIVE)], ..LIGHTSAIL_FAILED.ends },
    ..LIGHTSAIL_FAILED
};
