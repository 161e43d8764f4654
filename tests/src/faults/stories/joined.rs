//! Two images of one commit, joined into one release.

use super::{LIVE, STARTED_LIVE};
use crate::faults::ending::{Ends, Target};
use crate::faults::step::Step;
use crate::faults::story::Story;

const CONFIG: &str = "
version: 1
pipelines:
  shop:
    region: us-west-2
    images:
      api: { repository: shop-api, tag: \"{sha}\" }
      web: { repository: shop-web, tag: \"{sha}\" }
    join_on: sha
    cluster: live-crons
    waves: [[{ service: api, containers: { api: api } }, { service: web, containers: { web: web } }]]
    watch: { timeout: 5m, bake: 30s }
";

const fn pushes(repository: &'static str) -> Step {
    Step::Pushes { repository, tag: "1a2b3c4", behaviour: "healthy" }
}

/// Both are pushed at once, and are one release.
pub const JOINED: Story = Story {
    config: CONFIG,
    before: &[Step::Adopted, pushes("shop-api"), pushes("shop-web")],
    meanwhile: &[],
    about: "shop/1",
    targets: &[
        Target { name: "api", phase: "healthy", runs: "pushed" },
        Target { name: "web", phase: "healthy", runs: "pushed" },
    ],
    ends: Ends {
        releases: &[("shop/1", "live", STARTED_LIVE)],
        pipelines: &[("shop", LIVE)],
        ..Ends::NOTHING
    },
};
