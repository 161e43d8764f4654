//! A Lightsail container service.

use super::{BACK, BACK_BY_ITSELF, CAME_BACK, LIVE, STARTED_LIVE};
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
";

const CHECKED: &str = "
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

const fn pushes(behaviour: &'static str) -> Step {
    Step::Pushes { repository: "deml-backend", tag: "1a2b3c4d", behaviour }
}

/// The new deployment becomes active.
pub const LIGHTSAIL: Story = Story {
    config: CONFIG,
    before: &[Step::Adopted, pushes("healthy")],
    meanwhile: &[],
    about: FIRST,
    targets: &[Target { name: "deml-apps", phase: "healthy", runs: "pushed" }],
    ends: Ends {
        releases: &[(FIRST, "live", STARTED_LIVE)],
        pipelines: &[(PIPELINE, LIVE)],
        ..Ends::NOTHING
    },
};

/// Lightsail gives the deployment up; the one before it was never gone.
pub const LIGHTSAIL_FAILED: Story = Story {
    before: &[Step::Adopted, pushes("crash")],
    targets: &[Target { name: "deml-apps", phase: "returned", runs: "other" }],
    ends: Ends {
        releases: &[(FIRST, "rolled_back", CAME_BACK)],
        pipelines: &[(PIPELINE, BACK)],
        ..Ends::NOTHING
    },
    ..LIGHTSAIL
};

/// It becomes active and answers wrongly: the one before it is stated again.
pub const LIGHTSAIL_RED: Story = Story {
    config: CHECKED,
    before: &[
        Step::Adopted,
        Step::PushesServing { repository: "deml-backend", tag: "1a2b3c4d", answers: "/health=503" },
    ],
    ends: Ends { pipelines: &[(PIPELINE, BACK_BY_ITSELF)], ..LIGHTSAIL_FAILED.ends },
    ..LIGHTSAIL_FAILED
};
