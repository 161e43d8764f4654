//! What is live in one pipeline, offered to the next.

use super::{LIVE, STARTED_LIVE};
use crate::faults::ending::{Ends, Target};
use crate::faults::step::Step;
use crate::faults::story::Story;

const CONFIG: &str = "
version: 1
defaults: { region: us-west-2, watch: { timeout: 5m, bake: 30s } }
pipelines:
  shop-staging:
    images: { api: { repository: shop-api, tag: \"{sha}\" } }
    cluster: staging
    waves: [[api-staging]]
  shop-production:
    promote_from: shop-staging
    approval: { required: true }
    retag: production-latest
    cluster: production
    waves: [[api]]
";

const STAGED: &str = "shop-staging/1";
const OFFER: &str = "shop-production/1";

/// A release becomes live in staging, is offered to production, approved, live there, and marked.
pub const PROMOTION: Story = Story {
    config: CONFIG,
    before: &[
        Step::Adopted,
        Step::Pushes { repository: "shop-api", tag: "1a2b3c4", behaviour: "healthy" },
        Step::Until { release: STAGED, phase: "baking" },
    ],
    meanwhile: &[
        Step::Told("waiting"),
        Step::Types { line: "approve shop-production/1 --yes", release: OFFER, still: "surveying" },
    ],
    about: OFFER,
    targets: &[
        Target { name: "api-staging", phase: "healthy", runs: "pushed" },
        Target { name: "api", phase: "healthy", runs: "pushed" },
    ],
    ends: Ends {
        releases: &[
            (STAGED, "live", STARTED_LIVE),
            (OFFER, "live", &["waiting", "started", "live"]),
        ],
        retagged: &[("shop-api", "pushed")],
        pipelines: &[("shop-staging", LIVE), ("shop-production", LIVE)],
        ..Ends::NOTHING
    },
};
