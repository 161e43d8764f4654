//! A cluster of another region, reached by a role.

use super::{BACK, CAME_BACK, LIVE, STARTED_LIVE};
use crate::faults::ending::{Ends, Target};
use crate::faults::step::Step;
use crate::faults::story::Story;

const CONFIG: &str = "
version: 1
pipelines:
  shop-web:
    region: eu-west-1
    role: arn:aws:iam::123456789012:role/tidegate-target
    external_id: shop-2026
    images: { web: { repository: shop-web, tag: \"prod-{sha}\", registry: { region: us-west-2 } } }
    cluster: shop
    waves: [[web]]
    watch: { timeout: 5m, bake: 30s }
";

const PIPELINE: &str = "shop-web";
const FIRST: &str = "shop-web/1";

const fn pushes(behaviour: &'static str) -> Step {
    Step::Pushes { repository: "shop-web", tag: "prod-1111111", behaviour }
}

/// What is pushed at home goes live there.
pub const PLACE: Story = Story {
    config: CONFIG,
    before: &[Step::Adopted, pushes("healthy")],
    meanwhile: &[],
    about: FIRST,
    targets: &[Target { name: "web", phase: "healthy", runs: "pushed" }],
    ends: Ends {
        releases: &[(FIRST, "live", STARTED_LIVE)],
        pipelines: &[(PIPELINE, LIVE)],
        ..Ends::NOTHING
    },
};

/// It crashes there, and comes back.
pub const PLACE_BAD: Story = Story {
    before: &[Step::Adopted, pushes("crash")],
    targets: &[Target { name: "web", phase: "returned", runs: "other" }],
    ends: Ends {
        releases: &[(FIRST, "rolled_back", CAME_BACK)],
        pipelines: &[(PIPELINE, BACK)],
        ..Ends::NOTHING
    },
    ..PLACE
};
