//! Many pipelines, and much that is past.

use std::fmt::Write as _;

use aws_types::SdkConfig;
use jiff::Timestamp;
use tidegate_aws::registry::{Registry, Repository, released};
use tidegate_aws::{Reach, Table};
use tidegate_core::command::apply_config;
use tidegate_core::config::PipelineConfig;
use tidegate_core::decide::release_entry;
use tidegate_core::model::{Change, Memory, Phase, ReleaseId};

use crate::Stage;

/// The services of each pipeline.
pub const SERVICES: usize = 10;
/// The name of each pipeline's only image, and of the container that runs it.
pub const IMAGE: &str = "app";
/// The tag whose pushes count.
pub const TAG: &str = "live";
/// ECS takes 5,000 services a cluster.
const CLUSTERS: usize = 10;
/// A transaction takes 100 writes: each release is three, and the head is one.
const RELEASES_A_WRITE: usize = 33;

/// With thousands of services nobody lists them: a parameter of a stack holds 4,096 characters.
pub const PARAMETERS: [(&str, &str); 4] = [
    ("ServiceArns", "arn:aws:ecs:us-west-2:123456789012:service/*"),
    ("TaskDefinitionArns", "arn:aws:ecs:us-west-2:123456789012:task-definition/app*"),
    ("RepositoryArns", "arn:aws:ecr:us-west-2:123456789012:repository/app*"),
    ("TaskRoleArns", "arn:aws:iam::123456789012:role/fleet*"),
];

/// The name of a pipeline, and of the repository that only it looks at.
pub fn pipeline(number: usize) -> String {
    format!("app{number:04}")
}

/// A config of so many pipelines, each of ten services in two waves.
pub fn config(pipelines: usize) -> String {
    let mut text = String::from("version: 1\npipelines:\n");
    for number in 0..pipelines {
        let (name, cluster) = (pipeline(number), number % CLUSTERS);
        let others: Vec<_> = (1..SERVICES).map(|service| format!("{name}-{service}")).collect();
        let others = others.join(", ");
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "  {name}:\n    images: {{ {IMAGE}: {{ repository: {name}, tag: {TAG} }} }}\n    \
             cluster: fleet{cluster}\n    waves: [[{name}-0], [{others}]]\n"
        );
    }
    text
}

/// Adopts what every pipeline runs, as `tidegate config apply` does: written straight into the
/// table, for ECS's rates alone would let the command take nine minutes for 1,000 of them.
pub async fn adopt_what_runs(
    table: &Table,
    sdk: &SdkConfig,
    pipelines: &[PipelineConfig],
    now: Timestamp,
) {
    let registry = Registry::new(&Reach::new(sdk.clone(), "test"), None);
    for config in pipelines {
        let image = &config.images[IMAGE];
        let shown = registry.resolve_tag(&Repository::of_config(image), TAG).await;
        let shown = shown.expect("a registry that answers").expect("an image");
        let runs = released(image, shown, Some(TAG));
        let answered = (IMAGE.to_owned(), Memory::of(&runs));
        let runs = (IMAGE.to_owned(), runs);
        let change = apply_config(None, config, [runs].into(), [answered].into(), "test", now)
            .expect("a config that can be applied");
        table.register(config, None, &change).await.expect("a table that answers");
    }
}

impl Stage {
    /// Writes releases of a pipeline that became live one after the other, so many in all, with
    /// their audit trail; the newest is live.
    pub async fn add_past(&self, pipeline: &str, releases: u64) {
        let numbers: Vec<u64> = (2..=releases).collect();
        for numbers in numbers.chunks(RELEASES_A_WRITE) {
            let scene = self.scene(pipeline).await;
            let (mut head, before) = (scene.head, scene.live.expect("a live release"));
            head.step += 1;
            let mut change = Change::default();
            for number in numbers {
                let mut release = before.clone();
                release.id = ReleaseId::new(pipeline, *number);
                release.phase =
                    Phase::Live { at: self.twin.now(), unproven: false, accepted: false };
                release.step = 1;
                let why = "it held for the whole bake".to_owned();
                let entry =
                    release_entry(&before, &release, "tidegate", why, None, self.twin.now());
                change.journal.push(entry);
                head.live = Some(*number);
                head.next = number + 1;
                change.releases.push(release);
            }
            change.head = Some(head);
            self.table.commit(&change).await.expect("a table that answers");
        }
    }
}
