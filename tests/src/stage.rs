//! A stage: the shipped handlers in one process, on the local AWS, in virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_aws::{Dice, Table};
use tidegate_core::command::apply_config;
use tidegate_core::config::{Config, PipelineConfig};
use tidegate_core::model::{Entry, Notice, Release, ReleaseId, Scene};
use tidegate_local::lambda::in_process::Handlers;
use tidegate_local::laptop::pipelines_of;
use tidegate_local::operator::Said;
use tidegate_local::places;
use tidegate_local::seed::Fleet;
use tidegate_local::twin::{self, Setting, Twin, TwinError};

const TEMPLATE: &str = include_str!("../../template.yaml");

/// The config that most stories are about: the nine services of the example's production, which stand above
/// its other pipelines.
pub fn someli() -> &'static str {
    let example = include_str!("../../examples/someli.yaml");
    example.split_once("\n  # UAT").expect("pipelines below production").0
}

/// A twin with seeded services, and an operator's hands.
#[derive(Debug)]
pub struct Stage {
    /// The world.
    pub twin: Twin,
    /// The table, read as an operator.
    pub table: Table,
    /// The configs that were seeded.
    pub pipelines: Vec<PipelineConfig>,
}

/// Plays `story` on the services that `config` names, all running, nothing adopted yet.
pub fn play<T>(seed: u64, config: &str, story: impl AsyncFnOnce(&Stage) -> T) -> T {
    play_on(Fleet::default(), seed, config, story)
}

/// Plays `story` where the services are not as usual.
pub fn play_on<T>(
    fleet: Fleet<'_>,
    seed: u64,
    config: &str,
    story: impl AsyncFnOnce(&Stage) -> T,
) -> T {
    play_with(TEMPLATE, &[], fleet, seed, config, story).expect("a twin that begins")
}

/// Plays `story` where the stack itself is not as usual; parameters beside those of `config`.
pub fn play_with<T>(
    template: &str,
    parameters: &[(&str, &str)],
    fleet: Fleet<'_>,
    seed: u64,
    config: &str,
    story: impl AsyncFnOnce(&Stage) -> T,
) -> Result<T, TwinError> {
    let config = Config::parse("tidegate.yaml", config).expect("a valid config");
    let pipelines = pipelines_of(&config).expect("a config that resolves");
    let more = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let setting = Setting {
        seed,
        template,
        parameters: places::parameters(&pipelines).into_iter().chain(more).collect(),
        place: places::home_of(&pipelines),
        begins: "2026-11-21T09:00:00Z".parse().expect("a time"),
    };
    twin::run(
        &setting,
        |twin| Box::new(Handlers::new(twin, seed)),
        async |twin| {
            twin.world
                .with(|cloud, now| {
                    places::open(cloud, &pipelines).expect("templates that can be deployed");
                    fleet.launch(cloud, &pipelines, now)
                })
                .expect("services that can be seeded");
            let sdk = twin.sdk_config("OPERATOR");
            let name = twin.world.look(|cloud| cloud.table().to_owned());
            let table = Table::new(&sdk, name, twin.world.clock.clone(), Dice::seeded(seed));
            story(&Stage { twin, table, pipelines }).await
        },
    )
}

impl Stage {
    /// Adopts every seeded pipeline, nothing counted as answered: the next push is the first.
    pub async fn adopt(&self) {
        for pipeline in &self.pipelines {
            let nothing = (BTreeMap::new(), BTreeMap::new());
            let change =
                apply_config(None, pipeline, nothing.0, nothing.1, "test", self.twin.now())
                    .expect("a config that can be applied");
            self.table.register(pipeline, None, &change).await.expect("a table that answers");
        }
    }

    /// The operator's command line, as typed: exit code, what it printed, what it said.
    pub async fn tidegate(&self, line: &str) -> (u8, String, String) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Said { exit, out, talk } = self.twin.operator().types(&words).await.expect("a command");
        (exit as u8, out, talk)
    }

    /// All that the table says about a pipeline.
    pub async fn scene(&self, pipeline: &str) -> Scene {
        self.table.scene(pipeline).await.expect("a scene")
    }

    /// One release.
    pub async fn release(&self, id: &str) -> Release {
        let id: ReleaseId = id.parse().expect("a release id");
        self.table.release_of(&id).await.expect("a readable release").expect("a release")
    }

    /// Waits, looking once a second, until `holds` for the release.
    pub async fn until(
        &self,
        id: &str,
        limit: Duration,
        holds: impl Fn(&Release) -> bool,
    ) -> Release {
        let deadline = self.twin.now() + limit;
        let parsed: ReleaseId = id.parse().expect("a release id");
        loop {
            let release = self.table.release_of(&parsed).await.expect("a readable table");
            match release {
                Some(release) if holds(&release) => return release,
                other if self.twin.now() >= deadline => {
                    let journal = self.journal(id).await;
                    panic!("{id} after {limit:?}: {other:#?}\n{journal}");
                }
                _ => self.twin.run_for(Duration::from_secs(1)).await,
            }
        }
    }

    /// The audit trail as lines.
    pub async fn journal(&self, id: &str) -> String {
        let entries =
            self.table.journal(&id.parse().expect("a release id")).await.expect("a journal");
        let lines =
            entries.iter().map(|Entry { at, subject, from, to, reason, evidence, .. }| {
                format!("{at} {subject:?} {from} -> {to}: {reason} {evidence:?}")
            });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What people were told about a release, in order.
    pub async fn notices(&self, id: &str) -> Vec<Notice> {
        let entries =
            self.table.journal(&id.parse().expect("a release id")).await.expect("a journal");
        entries.into_iter().filter_map(|entry| entry.notice).collect()
    }
}
