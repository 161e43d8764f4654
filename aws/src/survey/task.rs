//! One-off tasks: the revision they run from. They have no baseline: what ran is not brought back.

use std::collections::BTreeMap;

use tidegate_core::config::TaskConfig;
use tidegate_core::decide::Finding;
use tidegate_core::definition::{difference, images};
use tidegate_core::model::{Baseline, Cause, Pin, Slot, SlotPhase, TargetId};
use tidegate_core::sighting::Strategy;

use super::{Survey, pin};
use crate::Error;

impl Survey<'_> {
    /// What is found at a one-off task. `None` when AWS throttled for too long.
    pub(super) async fn task(
        &mut self,
        target: &TargetId,
        task: &TaskConfig,
    ) -> Result<Option<Finding>, Error> {
        if let Some(running) = self.still_runs(target, &task.container).await? {
            return Ok(Some(Finding::Busy(running)));
        }
        if self.release.cause.undoes() {
            return Ok(Some(self.ran(target)));
        }
        let base = self.newest(&task.task_definition).await?;
        if !images(&base.json).iter().any(|image| image.container == task.container) {
            return Ok(Some(Finding::Unfit(format!(
                "{} has no container `{}`; `container` in the config names the one whose exit code \
                 counts",
                base.arn, task.container
            ))));
        }
        let baseline = Box::new(Baseline {
            at: self.app.clock.now(),
            running: base.arn.clone(),
            revision: base.arn.clone(),
            base: base.arn.clone(),
            images: Vec::new(),
            desired: 0,
            ran: 0,
            strategy: Strategy::Rolling,
            native_minutes: 0,
            notes: Vec::new(),
        });
        let containers = self.containers(&BTreeMap::new(), &base);
        if containers.is_empty() {
            return Ok(Some(Finding::Unaffected { baseline }));
        }
        if let Some(absent) = self.absent(&containers).await? {
            return Ok(Some(absent));
        }
        let pins: Vec<Pin> = containers.iter().map(|(named, image)| pin(named, image)).collect();
        let Some((revision, definition)) = self.successor(&base, &pins).await? else {
            return Ok(None);
        };
        let difference = difference(&base.json, &definition);
        Ok(Some(Finding::Ready { baseline, pins, revision, difference }))
    }

    /// The task of an earlier release that outlived its time: two of them would work in one database.
    async fn still_runs(
        &self,
        target: &TargetId,
        container: &str,
    ) -> Result<Option<String>, Error> {
        let before = self.scene.slots.get(target).filter(|slot| slot.release != self.release.id);
        let ended = |slot: &Slot| matches!(slot.phase, SlotPhase::Healthy { .. });
        let Some(slot) = before.filter(|slot| !ended(slot)) else { return Ok(None) };
        let Some(arn) = slot.made() else { return Ok(None) };
        let seen = self.ecs.one_off(&target.within, arn, container).await?;
        let runs = seen.filter(|task| task.ended.is_none());
        Ok(runs.map(|task| format!("{arn} of {} has not ended ({})", slot.release, task.status)))
    }

    /// The revision that the task ran from: only those bytes know how to undo what they did. One that
    /// did not run is left alone.
    fn ran(&self, target: &TargetId) -> Finding {
        let Some(slot) = self.scene.slots.get(target) else {
            return Finding::Unfit("it never ran: there is nothing to undo".to_owned());
        };
        let live = self.scene.live.as_ref().is_some_and(|live| live.id == slot.release);
        if live || slot.release.pipeline != self.release.id.pipeline {
            return Finding::Unfit(format!("it ran for {} since", slot.release));
        }
        let baseline = Box::new(slot.baseline.clone());
        // An earlier try to undo it took the slot over, and has undone what it ended well.
        let taken = matches!(self.release.cause, Cause::Undo { of } if slot.release.number > of);
        let undone = matches!(slot.phase, SlotPhase::Healthy { .. } | SlotPhase::Unaffected);
        let left = if taken { !undone } else { slot.ran() };
        match slot.ours().filter(|_| left) {
            None => Finding::Unaffected { baseline },
            Some(revision) => Finding::Ready {
                baseline,
                pins: slot.wanted.clone(),
                revision: revision.to_owned(),
                difference: Vec::new(),
            },
        }
    }
}
