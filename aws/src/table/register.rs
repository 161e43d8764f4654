//! What `config apply` writes: the version, the head, and who looks at which repository.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use tidegate_core::config::{PipelineConfig, Registry};
use tidegate_core::model::Change;

use super::commit::token;
use super::{Commit, Key, Table, TableError, item, keys};

#[derive(Serialize, Deserialize)]
struct Watcher {
    pipeline: String,
    active: bool,
}

impl Table {
    /// Writes a config version and what follows from it, in one transaction.
    pub async fn register(
        &self,
        config: &PipelineConfig,
        before: Option<&PipelineConfig>,
        change: &Change,
    ) -> Result<Commit, TableError> {
        let version = change.head.as_ref().map_or(1, |head| head.config);
        let key = keys::config(&config.name, version);
        let mut writes = self.writes(change)?;
        writes.push(self.put(item::whole(&key, config)?, true)?);
        let left = before.into_iter().flat_map(|b| b.images.values());
        for image in left.filter(|old| !config.images.values().any(|new| same(old, new))) {
            let key = keys::image(&image.registry, &image.repository, &config.name);
            writes.push(self.watcher(&key, &config.name, false)?);
        }
        let mut keys_written = std::collections::BTreeSet::new();
        for image in config.images.values() {
            let key = keys::image(&image.registry, &image.repository, &config.name);
            if keys_written.insert(key.clone()) {
                writes.push(self.watcher(&key, &config.name, true)?);
            }
        }
        self.transact(writes, &token(change)).await
    }

    fn watcher(
        &self,
        key: &Key,
        pipeline: &str,
        active: bool,
    ) -> Result<aws_sdk_dynamodb::types::TransactWriteItem, TableError> {
        let mut item = item::whole(key, &Watcher { pipeline: pipeline.to_owned(), active })?;
        if active {
            item.insert("open".to_owned(), AttributeValue::S("image".to_owned()));
        }
        self.put(item, false)
    }

    /// The pipelines that look at a repository.
    pub async fn watchers(
        &self,
        registry: &Registry,
        repository: &str,
    ) -> Result<Vec<String>, TableError> {
        let partition = keys::image_partition(registry, repository);
        let items = self.query(&partition, "", false, None).await?;
        let watchers: Vec<Watcher> =
            items.into_iter().map(item::value).collect::<Result<_, _>>()?;
        Ok(watchers.into_iter().filter(|w| w.active).map(|w| w.pipeline).collect())
    }

    /// The pipelines that look at any repository: what the sweep walks through.
    pub async fn watching_pipelines(&self) -> Result<Vec<String>, TableError> {
        let mut names: Vec<_> = self.open("image").await?.into_iter().map(|key| key.sk).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The pipelines in which something moves or waits.
    pub async fn open_pipelines(&self) -> Result<Vec<String>, TableError> {
        let keys = self.open("pipeline").await?;
        Ok(keys.iter().filter_map(|key| keys::pipeline_of(&key.pk)).map(str::to_owned).collect())
    }

    /// Every pipeline that was ever applied: those that look at a repository.
    pub async fn pipelines(&self) -> Result<Vec<String>, TableError> {
        self.watching_pipelines().await
    }
}

fn same(a: &tidegate_core::config::ImageConfig, b: &tidegate_core::config::ImageConfig) -> bool {
    a.registry == b.registry && a.repository == b.repository
}
