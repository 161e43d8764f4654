//! What `config apply` and `config retire` write: the version, the head, and who looks at which
//! repository.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use serde::{Deserialize, Serialize};
use tidegate_core::config::{ImageConfig, PipelineConfig, Registry};
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
        let left = before.into_iter().flat_map(|before| looks(before, false));
        writes.extend(self.watching(&config.name, left.chain(looks(config, true)))?);
        self.transact(writes, &token(change)).await
    }

    /// Writes that a pipeline is retired, in one transaction: nobody looks at a repository for it then.
    pub async fn retire(
        &self,
        config: &PipelineConfig,
        change: &Change,
    ) -> Result<Commit, TableError> {
        let mut writes = self.writes(change)?;
        writes.extend(self.watching(&config.name, looks(config, false))?);
        self.transact(writes, &token(change)).await
    }

    /// Who looks where from now on; of a repository that is named twice the last word counts.
    fn watching(
        &self,
        pipeline: &str,
        looks: impl Iterator<Item = (Key, bool)>,
    ) -> Result<Vec<TransactWriteItem>, TableError> {
        let looks: BTreeMap<Key, bool> = looks.collect();
        let watcher = |(key, active): (Key, bool)| {
            let mut item = item::whole(&key, &Watcher { pipeline: pipeline.to_owned(), active })?;
            if active {
                item.insert("open".to_owned(), AttributeValue::S("image".to_owned()));
            }
            self.put(item, false)
        };
        looks.into_iter().map(watcher).collect()
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

    /// Every pipeline that is in force: those that look at a repository.
    pub async fn pipelines(&self) -> Result<Vec<String>, TableError> {
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
}

/// The watchers of a config's repositories, which two images may share.
fn looks(config: &PipelineConfig, active: bool) -> impl Iterator<Item = (Key, bool)> {
    let key = |image: &ImageConfig| keys::image(&image.registry, &image.repository, &config.name);
    config.images.values().map(move |image| (key(image), active))
}
