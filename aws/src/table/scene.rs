//! Everything a decision needs, read consistently.

use std::collections::BTreeMap;

use tidegate_core::config::PipelineConfig;
use tidegate_core::model::{
    Block, Digest, Head, Rejection, Release, ReleaseId, Scene, Slot, TargetId,
};

use super::item::{self, Item};
use super::keys::{self, Key};
use super::{Table, TableError};

impl Table {
    /// The head of a pipeline, if it was ever applied.
    pub async fn head_of(&self, pipeline: &str) -> Result<Option<Head>, TableError> {
        self.get(&keys::head(pipeline)).await
    }

    /// All that the table holds about a pipeline's present.
    pub async fn scene(&self, pipeline: &str) -> Result<Scene, TableError> {
        match self.head_of(pipeline).await? {
            Some(head) => self.scene_of(head).await,
            None => Err(TableError::NoSuchPipeline(pipeline.to_owned())),
        }
    }

    /// The same while `release` moves; one small read when it does not.
    pub async fn scene_of_moving(&self, release: &ReleaseId) -> Result<Option<Scene>, TableError> {
        match self.head_of(&release.pipeline).await? {
            Some(head) if head.moving == Some(release.number) => {
                self.scene_of(head).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn scene_of(&self, head: Head) -> Result<Scene, TableError> {
        let pipeline = head.pipeline.as_str();
        let mut wanted: Vec<Key> = [head.moving, head.waiting, head.live]
            .into_iter()
            .flatten()
            .map(|number| keys::release(pipeline, number))
            .collect();
        wanted.push(keys::config(pipeline, head.config));
        let mut items = self.get_all(&wanted).await?;
        let (moving, waiting, live) = (
            release(&mut items, pipeline, head.moving)?,
            release(&mut items, pipeline, head.waiting)?,
            release(&mut items, pipeline, head.live)?,
        );
        let ruling = moving.as_ref().map_or(head.config, |release| release.config);
        let config = match items.remove(&keys::config(pipeline, ruling)) {
            Some(item) => item::value(item)?,
            None => self.config(pipeline, ruling).await?,
        };
        let targets: Vec<_> = moving.iter().flat_map(Release::targets).cloned().collect();
        let slots = self.slots(&targets).await?;
        let (blocked, rejected) = self.stays_out(pipeline).await?;
        Ok(Scene { head, config, moving, waiting, live, slots, blocked, rejected })
    }

    /// One config version.
    pub async fn config(&self, pipeline: &str, version: u64) -> Result<PipelineConfig, TableError> {
        let key = keys::config(pipeline, version);
        self.get(&key).await?.ok_or_else(|| TableError::Missing(format!("{} {}", key.pk, key.sk)))
    }

    /// The slots of these targets that exist.
    pub async fn slots(
        &self,
        targets: &[TargetId],
    ) -> Result<BTreeMap<TargetId, Slot>, TableError> {
        let wanted: Vec<Key> = targets.iter().map(keys::slot).collect();
        let mut slots = BTreeMap::new();
        for item in self.get_all(&wanted).await?.into_values() {
            let slot: Slot = item::value(item)?;
            slots.insert(slot.target.clone(), slot);
        }
        Ok(slots)
    }

    /// One target's slot.
    pub async fn slot_of(&self, target: &TargetId) -> Result<Option<Slot>, TableError> {
        self.get(&keys::slot(target)).await
    }

    /// What may not be released in a pipeline: digests that were to blame, sets that were rejected.
    async fn stays_out(&self, pipeline: &str) -> Result<StaysOut, TableError> {
        let items = self.query(&keys::pipeline(pipeline), "block#", false, None).await?;
        let (mut blocked, mut rejected) = StaysOut::default();
        for item in items.into_iter().filter(|item| !item.contains_key("lifted")) {
            let sk = item.get("sk").and_then(|sk| sk.as_s().ok());
            if sk.is_some_and(|sk| keys::is_rejection(sk)) {
                let rejection: Rejection = item::value(item)?;
                rejected.insert(rejection.set.clone(), rejection);
            } else {
                let block: Block = item::value(item)?;
                blocked.insert(block.digest.clone(), block);
            }
        }
        Ok((blocked, rejected))
    }
}

/// The digests, and the sets by their names.
type StaysOut = (BTreeMap<Digest, Block>, BTreeMap<String, Rejection>);

/// The release `number` among `items`: a head never names one that is not there. (Two of the
/// three may be the same release, so the item stays.)
fn release(
    items: &mut BTreeMap<Key, Item>,
    pipeline: &str,
    number: Option<u64>,
) -> Result<Option<Release>, TableError> {
    let Some(number) = number else { return Ok(None) };
    let key = keys::release(pipeline, number);
    match items.get(&key) {
        Some(item) => item::value(item.clone()).map(Some),
        None => Err(TableError::Missing(format!("{} {}", key.pk, key.sk))),
    }
}
