//! Registering, before anything moves: the new revisions, and pinned twins of tag-based ones.

use std::time::Duration;

use serde_json::Value;
use tidegate_core::definition::successor;
use tidegate_core::marks::{self, Role};
use tidegate_core::model::Pin;
use tidegate_core::sighting::RunningImage;

use super::Survey;
use crate::Error;
use crate::ecs::RawTaskDefinition;
use crate::table::Made;

/// ECS registers 20 in a burst and then one a second, for the whole account: a wait of about
/// that long lets one more through.
const PACE: Duration = Duration::from_millis(1500);

/// What must be left of the invocation for one more call and the writes after it.
const RESERVE: Duration = Duration::from_secs(20);

/// What a preview says in the place of an ARN.
const TO_BE_REGISTERED: &str = "a revision to be registered";

impl Survey<'_> {
    /// The revision of `base` with the release's images, and what it holds. `None`: throttled for
    /// too long.
    pub(super) async fn successor(
        &mut self,
        base: &RawTaskDefinition,
        pins: &[Pin],
    ) -> Result<Option<(String, Value)>, Error> {
        // Two services of one base may change different containers: the pins are part of the name.
        let containers: Vec<_> = pins.iter().map(|pin| pin.container.as_str()).collect();
        let name = format!("{}#{}", base.arn, containers.join(","));
        let definition = self.definition_of(base, pins, Role::Release)?;
        let revision = self.registered(&name, &definition).await?;
        Ok(revision.map(|arn| (arn, definition)))
    }

    /// The running revision with its tags replaced by the digests that really run.
    pub(super) async fn twin(
        &mut self,
        running: &RawTaskDefinition,
        images: &[RunningImage],
    ) -> Result<Option<String>, Error> {
        let pins: Vec<Pin> = images.iter().filter_map(Pin::of_running).collect();
        // And may differ in which containers are pinned.
        let pinned = |pin: &Pin| format!("{}={}", pin.container, pin.digest.short());
        let pinned: Vec<_> = pins.iter().map(pinned).collect();
        let name = format!("{}#twin:{}", running.arn, pinned.join(","));
        let definition = self.definition_of(running, &pins, Role::Baseline)?;
        self.registered(&name, &definition).await
    }

    fn definition_of(
        &self,
        base: &RawTaskDefinition,
        pins: &[Pin],
        role: Role,
    ) -> Result<Value, Error> {
        successor(&base.json, &base.tags, pins, &marks::of_revision(&self.release.id, role))
            .map_err(|error| Error::Definition { base: base.arn.clone(), source: error })
    }

    /// Registers once for each name, however many surveys run at once.
    async fn registered(
        &mut self,
        name: &str,
        definition: &Value,
    ) -> Result<Option<String>, Error> {
        if self.is_preview {
            return Ok(Some(TO_BE_REGISTERED.to_owned()));
        }
        let release = &self.release.id;
        loop {
            let now = self.app.clock.now();
            if now + RESERVE >= self.deadline {
                return Ok(None);
            }
            match self.app.table.made(release, name, &self.owner, now).await? {
                Made::Revision(arn) => return Ok(Some(arn)),
                Made::Theirs => self.app.clock.sleep(PACE).await,
                Made::Yours => match self.ecs.register(definition).await {
                    Ok(arn) => {
                        return Ok(Some(self.app.table.record_made(release, name, &arn).await?));
                    }
                    Err(refusal) if refusal.is_throttle() => {
                        self.app.clock.sleep(PACE + self.app.dice.jitter(PACE)).await;
                    }
                    Err(refusal) => return Err(refusal.into()),
                },
            }
        }
    }
}
