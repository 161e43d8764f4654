//! What a story is, and how it is played.

use std::cell::Cell;
use std::time::Duration;

use serde_json::json;
use tidegate_core::model::ReleaseId;
use tidegate_local::cloud::Cloud;

use super::ending::{Ending, Ends, Target};
use super::rivalry::races_lost;
use super::step::{People, Step};
use super::stories::WAVES;
use super::{Played, Trouble, faults};
use crate::play;

/// More than the slowest way to an end: a timeout, a rollback's, and what is asked again between.
pub(super) const LONGEST: Duration = Duration::from_secs(20 * 60);

/// A story: who does what, and how it ends, whatever goes wrong meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// The pipelines.
    pub(super) config: &'static str,
    /// Up to where things go wrong.
    pub(super) before: &'static [Step],
    /// What people do while things go wrong.
    pub(super) meanwhile: &'static [Step],
    /// The release that it is about: where that is over, so is the story.
    pub(super) about: &'static str,
    /// The end of each target, the first wave's first.
    pub(super) targets: &'static [Target],
    /// The end of everything else.
    pub(super) ends: Ends,
}

impl Story {
    /// The same with one service, of those that are told of someli.
    #[must_use]
    pub const fn smallest(self) -> Self {
        let (first, _) = self.targets.split_at(1);
        Self { targets: first, ..self }
    }

    /// How it ends when nothing goes wrong, and when something does.
    pub fn ending(self) -> Ending {
        self.ends.of(self.targets)
    }

    /// Someli's waves are those of the targets; the others say their own.
    fn config(self) -> String {
        let names: Vec<_> = self.targets.iter().map(|target| target.name).collect();
        let waves = match &names[..] {
            [first] => format!("[[{first}]]"),
            [first, others @ ..] => format!("[[{first}], [{}]]", others.join(", ")),
            [] => String::new(),
        };
        self.config.replace(WAVES, &waves)
    }

    /// Plays it, with this going wrong once it has begun.
    pub fn play(self, trouble: Trouble) -> Played {
        let config = self.config();
        play(trouble.seed, &config, async |stage| {
            let mut people = People::of(stage, &config);
            for step in self.before {
                people.take(step).await;
            }
            let before = stage.twin.world.with(|cloud, _| {
                trouble.rules.into_iter().for_each(|rule| cloud.faults.add(rule));
                if let Some(rivalry) = trouble.rivalry {
                    rivalry.begin(cloud);
                }
                cloud.calls().len()
            });
            for step in self.meanwhile {
                people.take(step).await;
            }
            // In vain is an ending too: one that differs.
            let _ = stage.twin.run_until(LONGEST, comes_to(self.about, is_over)).await;
            stage.twin.run_for(trouble.afterwards).await;
            let (calls, struck) = stage.twin.world.look(|cloud| {
                let since = &cloud.calls()[before..];
                let fired = cloud.faults.fired().into_iter().filter(|it| it.fired > 0);
                let fired: Vec<_> = fired.map(|it| it.rule).collect();
                (since.to_vec(), faults(&fired) + races_lost(since))
            });
            let ending = Ending::seen(stage, &people.pushed()).await;
            Played { ending, calls, struck, journal: stage.journal(self.about).await }
        })
    }
}

/// Whether a release is in such a phase, looked at again only when something was called.
pub(super) fn comes_to(release: &str, such: impl Fn(&str) -> bool) -> impl Fn(&Cloud) -> bool {
    let seen = Cell::new(0);
    move |cloud| {
        let calls = cloud.calls().len();
        seen.replace(calls) != calls && such(&phase(cloud, release))
    }
}

/// The phase of a release, by looking at the table and not by asking it; empty where there is none.
pub(super) fn phase(cloud: &Cloud, release: &str) -> String {
    let id: ReleaseId = release.parse().expect("a release id");
    let (pk, sk) = (format!("pipeline#{}", id.pipeline), format!("release#{:08}", id.number));
    let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
    let item = cloud.dynamodb.item(cloud.table(), &key).unwrap_or_default();
    item["phase"]["M"]["name"]["S"].as_str().unwrap_or_default().to_owned()
}

fn is_over(phase: &str) -> bool {
    !["", "waiting", "surveying", "rolling", "baking", "rolling_back"].contains(&phase)
}
