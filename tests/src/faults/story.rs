//! The stories, and how they are played.

use std::cell::Cell;
use std::time::Duration;

use serde_json::json;
use tidegate_core::model::ReleaseId;
use tidegate_local::cloud::Cloud;

use super::ending::ending;
use super::rivalry::races_lost;
use super::{Played, Trouble, faults};
use crate::{Stage, play};

/// Someli with three services in two waves and a short bake: the same paths, a third of the calls.
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

pub(super) const PIPELINE: &str = "someli-production";

/// More than the slowest way to an end: a timeout, a rollback's, and what is asked again between.
const LONGEST: Duration = Duration::from_secs(20 * 60);
/// A person whose command failed looks again after this: no call lands later.
const MINUTE: Duration = Duration::from_secs(60);
/// So often a person types a command whose calls are struck twice at most.
const PATIENCE: usize = 4;

/// A story: what happens, and to how many services.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    pub(super) plot: Plot,
    pub(super) services: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plot {
    Good,
    Bad,
    Adoption,
    Drift,
    Rollback,
}

const THREE: &[&str] = &["Rag", "AI_CONTENT", "Carousel"];
const TWO: &[&str] = &["Rag", "Carousel"];
const ONE: &[&str] = &["Rag"];

impl Story {
    /// A good image goes live.
    pub const GOOD: Self = Self { plot: Plot::Good, services: THREE };
    /// An image that crashes on start; everything comes back.
    pub const BAD: Self = Self { plot: Plot::Bad, services: THREE };
    /// A config is put in force over what runs; nothing moves.
    pub const ADOPTION: Self = Self { plot: Plot::Adoption, services: TWO };
    /// Somebody else deploys to a service while the release bakes; it stops for a person.
    pub const DRIFT: Self = Self { plot: Plot::Drift, services: TWO };
    /// An operator brings a live release back to what ran before.
    pub const ROLLBACK: Self = Self { plot: Plot::Rollback, services: TWO };

    /// The same with one service.
    #[must_use]
    pub const fn smallest(self) -> Self {
        Self { plot: self.plot, services: ONE }
    }

    fn config(self) -> String {
        let waves = match self.services {
            [first] => format!("[[{first}]]"),
            [first, others @ ..] => format!("[[{first}], [{}]]", others.join(", ")),
            [] => String::new(),
        };
        SMALL.replace("[[Rag], [AI_CONTENT, Carousel]]", &waves)
    }

    /// The number of the release that it is about.
    fn number(self) -> u64 {
        if self.plot == Plot::Rollback { 3 } else { 1 }
    }

    /// Plays it, with this going wrong once it has begun.
    pub fn play(self, trouble: Trouble) -> Played {
        play(trouble.seed, &self.config(), async move |stage| {
            let old = stage.digest("Rag");
            let pushed = self.begin(stage).await;
            let before = stage.twin.world.with(|cloud, _| {
                trouble.rules.into_iter().for_each(|rule| cloud.faults.add(rule));
                if let Some(rivalry) = trouble.rivalry {
                    rivalry.begin(cloud);
                }
                cloud.calls().len()
            });
            self.go_on(stage, &old).await;
            // In vain is an ending too: one that differs.
            let _ = stage.twin.run_until(LONGEST, self.comes_to(is_over)).await;
            stage.twin.run_for(trouble.afterwards).await;
            let (calls, struck) = stage.twin.world.look(|cloud| {
                let since = &cloud.calls()[before..];
                let fired = cloud.faults.fired().into_iter().filter(|it| it.fired > 0);
                let fired: Vec<_> = fired.map(|it| it.rule).collect();
                (since.to_vec(), faults(&fired) + races_lost(since))
            });
            let release = ReleaseId::new(PIPELINE, self.number()).to_string();
            let ending = ending(stage, &release, &pushed).await;
            Played { ending, calls, struck, journal: stage.journal(&release).await }
        })
    }

    /// Up to where things go wrong; returns the digest that was pushed, if one was.
    async fn begin(self, stage: &Stage) -> String {
        match self.plot {
            Plot::Adoption => String::new(),
            Plot::Good | Plot::Bad | Plot::Drift => {
                stage.adopt().await;
                stage.push("uapi", if self.plot == Plot::Bad { "crash" } else { "healthy" })
            }
            Plot::Rollback => {
                stage.apply(&self.config()).await;
                let pushed = stage.push("uapi", "healthy");
                stage.end_of(&ReleaseId::new(PIPELINE, 2).to_string()).await;
                stage.twin.run_for(MINUTE).await; // people hear of it
                pushed
            }
        }
    }

    /// What people do while things go wrong.
    async fn go_on(self, stage: &Stage, old: &str) {
        match self.plot {
            Plot::Good | Plot::Bad => {}
            Plot::Adoption => {
                self.until_done(stage, async || stage.try_apply(&self.config()).await.0).await;
            }
            Plot::Rollback => {
                let line = "rollback someli-production --yes";
                self.until_done(stage, async || stage.tidegate(line).await.0).await;
            }
            Plot::Drift => {
                let bakes = self.comes_to(|phase| phase == "baking");
                let _ = stage.twin.run_until(LONGEST, bakes).await;
                let theirs = stage.register_another("Rag", Some(old));
                stage.update("Rag", json!({ "taskDefinition": theirs }));
            }
        }
    }

    /// A person types a command; where it fails, they look, and type it again if nothing came of it.
    async fn until_done(self, stage: &Stage, typed: impl AsyncFn() -> u8) {
        for _ in 0..PATIENCE {
            if typed().await == 0 {
                return;
            }
            stage.twin.run_for(MINUTE).await;
            if !stage.twin.world.look(|cloud| self.phase(cloud)).is_empty() {
                return;
            }
        }
    }

    /// Whether its release is in such a phase, looked at again only when something was called.
    fn comes_to(self, phase: impl Fn(&str) -> bool) -> impl Fn(&Cloud) -> bool {
        let seen = Cell::new(0);
        move |cloud| {
            let calls = cloud.calls().len();
            seen.replace(calls) != calls && phase(&self.phase(cloud))
        }
    }

    /// The phase of its release, by looking at the table and not by asking it.
    fn phase(self, cloud: &Cloud) -> String {
        let (pk, sk) = (format!("pipeline#{PIPELINE}"), format!("release#{:08}", self.number()));
        let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
        let item = cloud.dynamodb.item(cloud.table(), &key).unwrap_or_default();
        item["phase"]["M"]["name"]["S"].as_str().unwrap_or_default().to_owned()
    }
}

fn is_over(phase: &str) -> bool {
    !["", "waiting", "surveying", "rolling", "baking", "rolling_back"].contains(&phase)
}
