//! A release that waits for a person's word.

use super::LIVE;
use crate::faults::ending::{Ends, Target};
use crate::faults::step::Step;
use crate::faults::story::Story;

const CONFIG: &str = "
version: 1
pipelines:
  shop:
    region: us-west-2
    images: { api: { repository: shop-api, tag: \"{sha}\" } }
    approval: { required: true }
    cluster: live-crons
    waves: [[api]]
    watch: { timeout: 5m, bake: 30s }
";

/// People are asked, one of them approves, and it goes live.
pub const APPROVAL: Story = Story {
    config: CONFIG,
    before: &[
        Step::Adopted,
        Step::Pushes { repository: "shop-api", tag: "1a2b3c4", behaviour: "healthy" },
    ],
    meanwhile: &[
        Step::Told("waiting"),
        Step::Types { line: "approve shop/1 --yes", release: "shop/1", still: "surveying" },
    ],
    about: "shop/1",
    targets: &[Target { name: "api", phase: "healthy", runs: "pushed" }],
    ends: Ends {
        releases: &[("shop/1", "live", &["waiting", "started", "live"])],
        pipelines: &[("shop", LIVE)],
        ..Ends::NOTHING
    },
};
