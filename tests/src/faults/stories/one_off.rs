//! A one-off task before the first wave.

use super::{CAME_BACK, LIVE, STARTED_LIVE, TAKEN_BACK, someli_pushes};
use crate::faults::ending::{Ends, Target};
use crate::faults::step::Step;
use crate::faults::story::Story;

const CONFIG: &str = r#"
version: 1
pipelines:
  someli-production:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi] } }
    cluster: live-crons
    pre_deploy:
      - { name: migrate, task_definition: rag-migrate, container: api, command: [alembic, upgrade, head],
          network_from: Rag, timeout: 2m, down: [alembic, downgrade, "-1"] }
    waves: [[Rag]]
    watch: { timeout: 5m, bake: 30s }
"#;

const PIPELINE: &str = "someli-production";
const FIRST: &str = "someli-production/1";
const SECOND: &str = "someli-production/2";
const THIRD: &str = "someli-production/3";
const FOURTH: &str = "someli-production/4";

/// It runs once, and the service follows.
pub const MIGRATION: Story = Story {
    config: CONFIG,
    before: &[Step::Adopted, someli_pushes("healthy")],
    meanwhile: &[],
    about: FIRST,
    targets: &[
        Target { name: "migrate", phase: "healthy", runs: "" },
        Target { name: "Rag", phase: "healthy", runs: "pushed" },
    ],
    ends: Ends {
        releases: &[(FIRST, "live", STARTED_LIVE)],
        one_offs: &[("migrate", 1)],
        pipelines: &[(PIPELINE, LIVE)],
        ..Ends::NOTHING
    },
};

/// It fails: it is not run again, and no service is touched.
pub const MIGRATION_FAILED: Story = Story {
    before: &[Step::Adopted, someli_pushes("exit=3")],
    targets: &[
        Target { name: "migrate", phase: "failed", runs: "" },
        Target { name: "Rag", phase: "untouched", runs: "other" },
    ],
    ends: Ends {
        releases: &[(FIRST, "rolled_back", CAME_BACK)],
        pipelines: &[(
            PIPELINE,
            // What a migration meets is often mended in the database.
            "moving None, waiting None, live None, frozen false, blocked []",
        )],
        ..MIGRATION.ends
    },
    ..MIGRATION
};

/// An operator went back, and undoes what it did: once.
pub const DOWN: Story = Story {
    before: &[
        Step::Applies { release: FIRST },
        someli_pushes("healthy"),
        Step::Until { release: SECOND, phase: "live" },
        Step::AMinute,
        Step::Types { line: "rollback someli-production --yes", release: THIRD, still: "" },
        Step::Until { release: THIRD, phase: "live" },
        Step::AMinute,
    ],
    meanwhile: &[Step::Types {
        line: "rollback someli-production --down --yes",
        release: FOURTH,
        still: "",
    }],
    about: FOURTH,
    targets: &[
        Target { name: "migrate", phase: "healthy", runs: "" },
        Target { name: "Rag", phase: "", runs: "other" },
    ],
    ends: Ends {
        releases: &[
            (FIRST, "live", &[]),
            (SECOND, "live", STARTED_LIVE),
            (THIRD, "live", STARTED_LIVE),
            (FOURTH, "rolled_back", &["started", "rolled_back"]),
        ],
        one_offs: &[("migrate", 2)],
        pipelines: &[(PIPELINE, TAKEN_BACK)],
        ..Ends::NOTHING
    },
    ..MIGRATION
};
