//! What an operator, a build and a reader of mail do and see.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tidegate_local::api::Place;
use tidegate_local::cloud::Cloud;
use tidegate_local::operator::Said;
use tidegate_local::sns::Published;

use crate::Stage;

impl Stage {
    /// The digests of its pipeline's images that each target runs.
    pub fn running(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut running = BTreeMap::new();
        for pipeline in &self.pipelines {
            let repositories: Vec<&str> =
                pipeline.images.values().map(|image| &*image.repository).collect();
            running.extend(
                self.twin.world.with(|cloud, now| cloud.running(pipeline, &repositories, now)),
            );
        }
        running
    }

    /// Demands that all services run these bytes and no others.
    #[track_caller]
    pub fn everything_runs(&self, digest: &str) {
        let only = BTreeSet::from([digest.to_owned()]);
        let others: BTreeMap<_, _> =
            self.running().into_iter().filter(|(_, digests)| *digests != only).collect();
        assert!(others.is_empty(), "expected {digest} everywhere, but: {others:#?}");
    }

    /// How often each one-off task ran, of those that ECS still shows.
    pub fn one_offs(&self) -> BTreeMap<String, usize> {
        let mut ran = BTreeMap::new();
        self.twin.world.look(|cloud| {
            for one in cloud.ecs.one_offs() {
                if let Some(name) = one.group.strip_prefix("tidegate:") {
                    *ran.entry(name.to_owned()).or_default() += 1;
                }
            }
        });
        ran
    }

    /// The calls that changed ECS, or tried to, with the service where there is one.
    pub fn writes(&self) -> Vec<String> {
        self.twin.world.look(|cloud| {
            let ecs = cloud.calls().iter().map(|noted| &noted.call).filter(|c| c.service == "ecs");
            ecs.filter(|call| !call.action.starts_with("Describe"))
                .filter(|call| !call.action.starts_with("List"))
                .map(|call| {
                    let service = call.input["service"].as_str().unwrap_or_default();
                    format!("{} {service}", call.action).trim_end().to_owned()
                })
                .collect()
        })
    }

    /// Everything that was published to people, in order.
    pub fn published(&self) -> Vec<Published> {
        self.twin.world.look(|cloud| cloud.sns.published().to_vec())
    }

    /// The kinds of what was published, in order.
    pub fn kinds_published(&self) -> Vec<String> {
        let kind = |it: Published| it.attributes["kind"].as_str().unwrap_or_default().to_owned();
        self.published().into_iter().map(kind).collect()
    }

    /// Puts a config in force, as an operator does; returns what the command line said.
    ///
    /// Panics where it is refused.
    pub async fn apply(&self, config: &str) -> String {
        let (exit, said) = self.try_apply(config).await;
        assert_eq!(exit, 0, "{said}");
        said
    }

    /// Puts a config in force, if it may be: the exit code, and what the command line said.
    pub async fn try_apply(&self, config: &str) -> (u8, String) {
        let Said { exit, out, talk } =
            self.twin.operator().applies(config).await.expect("a command");
        (exit as u8, out + &talk)
    }

    /// The bytes that a tag means now.
    pub fn shown(&self, repository: &str, tag: &str) -> Option<String> {
        self.twin.world.look(|cloud| {
            let image = cloud.ecr.repository(repository)?.tagged(tag)?;
            Some(image.digest.clone())
        })
    }

    /// Puts one more tag on bytes that are there, as `docker tag` and `docker push` do.
    pub fn tag(&self, repository: &str, digest: &str, tag: &str) {
        self.twin.world.with(|cloud, now| {
            let found = cloud.ecr.repository(repository).and_then(|it| it.images.get(digest));
            let manifest = found.expect("an image").manifest.clone();
            let put =
                json!({ "repositoryName": repository, "imageManifest": manifest, "imageTag": tag });
            cloud.ecr.call("PutImage", &put, now).expect("a push");
        });
    }

    /// ECR's replication brings bytes to the registry at `to`.
    pub fn replicate(&self, repository: &str, digest: &str, to: &Place) {
        let copied = |cloud: &mut Cloud, now| cloud.ecr.replicate(repository, digest, to, now);
        self.twin.world.with(copied).expect("an image to copy");
    }
}
