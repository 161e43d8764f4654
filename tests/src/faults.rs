//! The demo's two stories, small, and played with one thing going wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tidegate_local::call::{Call, Caller};
use tidegate_local::cloud::{Cloud, Reply};
use tidegate_local::faults::FaultRule;

use crate::Stage;

/// Someli with three services in two waves and a short bake: the same paths in a third of the calls.
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

const MINUTE: Duration = Duration::from_secs(60);
