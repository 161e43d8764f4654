//! What is past: for people, never for decisions.

use tidegate_core::model::{Entry, Push, Release, ReleaseId, Slot, TargetId};

use super::{Table, TableError, item, keys};

impl Table {
    /// One release.
    pub async fn release_of(&self, id: &ReleaseId) -> Result<Option<Release>, TableError> {
        self.get(&keys::release(&id.pipeline, id.number)).await
    }

    /// The newest releases of a pipeline, newest first.
    pub async fn releases(&self, pipeline: &str, limit: usize) -> Result<Vec<Release>, TableError> {
        let items = self.query(&keys::pipeline(pipeline), "release#", true, Some(limit)).await?;
        items.into_iter().map(item::value).collect()
    }

    /// The audit trail of a release (number 0: of the pipeline itself), in order of time.
    pub async fn journal(&self, id: &ReleaseId) -> Result<Vec<Entry>, TableError> {
        let prefix = format!("journal#{:08}#", id.number);
        let items = self.query(&keys::pipeline(&id.pipeline), &prefix, false, None).await?;
        let mut entries: Vec<Entry> =
            items.into_iter().map(item::value).collect::<Result<_, _>>()?;
        entries.sort_by(|a, b| (a.at, &a.subject, a.step).cmp(&(b.at, &b.subject, b.step)));
        Ok(entries)
    }

    /// The newest pushes that made no release.
    pub async fn pushes(&self, pipeline: &str, limit: usize) -> Result<Vec<Push>, TableError> {
        let items = self.query(&keys::pipeline(pipeline), "push#", true, Some(limit)).await?;
        items.into_iter().map(item::value).collect()
    }

    /// What `release` did to its targets: slots it owns, or their past copies.
    pub async fn rollouts(&self, release: &Release) -> Result<Vec<Slot>, TableError> {
        let targets: Vec<TargetId> = release.targets().cloned().collect();
        let mut now = self.slots(&targets).await?;
        let mut rollouts = Vec::new();
        for target in targets {
            match now.remove(&target).filter(|slot| slot.release == release.id) {
                Some(slot) => rollouts.push(slot),
                None => rollouts.extend(self.get(&keys::past(&target, &release.id)).await?),
            }
        }
        Ok(rollouts)
    }
}
