//! What people do in a story, whatever goes wrong meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;
use tidegate_local::cloud::Cloud;

use super::story::{LONGEST, comes_to, phase};
use crate::Stage;

/// A person whose command failed looks again after this: no call lands later. And so long people may
/// take to hear of something.
const MINUTE: Duration = Duration::from_secs(60);
/// So often a person types a command whose calls are struck twice at most.
const PATIENCE: usize = 4;

/// One thing that somebody does, or waits for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Every pipeline is adopted, nothing counted as answered: the next push is the first.
    Adopted,
    /// A person puts the config in force, until this release stands for what runs.
    Applies { release: &'static str },
    /// A build pushes an image that behaves so.
    Pushes { repository: &'static str, tag: &'static str, behaviour: &'static str },
    /// A build pushes an image whose tasks answer so by HTTP.
    PushesServing { repository: &'static str, tag: &'static str, answers: &'static str },
    /// Until a release is in this phase.
    Until { release: &'static str, phase: &'static str },
    /// Until people are told this.
    Told(&'static str),
    /// People hear of what was decided.
    AMinute,
    /// A person types a command about a release, which nothing came of while it is in this phase.
    Types { line: &'static str, release: &'static str, still: &'static str },
    /// Somebody else deploys to a service what it ran at first.
    Meddles { service: &'static str },
}

/// Those who act in a story, and what they remember.
pub(super) struct People<'a> {
    stage: &'a Stage,
    config: &'a str,
    /// What each target ran at first.
    ran: BTreeMap<String, BTreeSet<String>>,
    /// The newest push to each repository.
    pushed: BTreeMap<&'static str, String>,
}

impl<'a> People<'a> {
    pub(super) fn of(stage: &'a Stage, config: &'a str) -> Self {
        Self { stage, config, ran: stage.running(), pushed: BTreeMap::new() }
    }

    /// The bytes that the story is about.
    pub(super) fn pushed(&self) -> BTreeSet<&str> {
        self.pushed.values().map(String::as_str).collect()
    }

    /// Takes it. What is waited for in vain shows at the end.
    pub(super) async fn take(&mut self, step: &Step) {
        let Stage { twin, .. } = self.stage;
        match *step {
            Step::Adopted => self.stage.adopt().await,
            Step::Applies { release } => {
                self.until_done(release, "", async || self.stage.try_apply(self.config).await.0)
                    .await;
            }
            Step::Pushes { repository, tag, behaviour } => {
                let digest = twin.push(repository, &[tag], behaviour).expect("a push");
                self.pushed.insert(repository, digest);
            }
            Step::PushesServing { repository, tag, answers } => {
                let digest = twin.push_serving(repository, &[tag], answers).expect("a push");
                self.pushed.insert(repository, digest);
            }
            Step::Until { release, phase } => {
                let _ = twin.run_until(LONGEST, comes_to(release, |it| it == phase)).await;
            }
            Step::Told(kind) => {
                let told = |cloud: &Cloud| {
                    cloud.sns.published().iter().any(|it| it.attributes["kind"] == kind)
                };
                let _ = twin.run_until(LONGEST, told).await;
            }
            Step::AMinute => twin.run_for(MINUTE).await,
            Step::Types { line, release, still } => {
                self.until_done(release, still, async || self.stage.tidegate(line).await.0).await;
            }
            Step::Meddles { service } => {
                let old = self.ran[service].first().map(String::as_str);
                let theirs = self.stage.register_another(service, old);
                self.stage.update(service, json!({ "taskDefinition": theirs }));
            }
        }
    }

    /// A person types a command; where it fails, they look, and type it again if nothing came of it.
    async fn until_done(&self, release: &str, still: &str, typed: impl AsyncFn() -> u8) {
        let Stage { twin, .. } = self.stage;
        for _ in 0..PATIENCE {
            if typed().await == 0 {
                return;
            }
            twin.run_for(MINUTE).await;
            if twin.world.look(|cloud| phase(cloud, release)) != still {
                return;
            }
        }
    }
}
