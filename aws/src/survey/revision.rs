//! Registering, before anything moves: the new revisions, and pinned twins of tag-based ones.

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_core::definition::successor;
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

impl Survey<'_> {
    /// The revision of `base` with the release's images. `None`: throttled for too long.
    pub(super) async fn successor(
        &mut self,
        base: &RawTaskDefinition,
        pins: &[Pin],
    ) -> Result<Option<String>, Error> {
        // Two services of one base may change different containers: the pins are part of the name.
        let containers: Vec<_> = pins.iter().map(|pin| pin.container.as_str()).collect();
        let name = format!("{}#{}", base.arn, containers.join(","));
        self.registered(&name, base, pins, "release").await
    }

    /// The running revision with its tags replaced by the digests that really run.
    pub(super) async fn twin(
        &mut self,
        running: &RawTaskDefinition,
        images: &[RunningImage],
    ) -> Result<Option<String>, Error> {
        let pins: Vec<Pin> = images.iter().filter_map(Pin::of_running).collect();
        let digests: Vec<_> = pins.iter().map(|pin| pin.digest.short().to_owned()).collect();
        let name = format!("{}#twin:{}", running.arn, digests.join(","));
        self.registered(&name, running, &pins, "baseline").await
    }

    /// Registers once for each name, however many surveys run at once.
    async fn registered(
        &mut self,
        name: &str,
        base: &RawTaskDefinition,
        pins: &[Pin],
        role: &str,
    ) -> Result<Option<String>, Error> {
        let release = &self.release.id;
        let tags: BTreeMap<&str, String> =
            [("tidegate:release", release.to_string()), ("tidegate:role", role.to_owned())].into();
        let tags: Vec<(String, String)> =
            tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let definition = successor(&base.json, &base.tags, pins, &tags)
            .map_err(|error| Error::Definition { base: base.arn.clone(), source: error })?;
        loop {
            let now = self.app.clock.now();
            if now + RESERVE >= self.deadline {
                return Ok(None);
            }
            match self.app.table.made(release, name, &self.owner, now).await? {
                Made::Revision(arn) => return Ok(Some(arn)),
                Made::Theirs(_) => self.app.clock.sleep(PACE).await,
                Made::Yours => match self.ecs.register(&definition).await {
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
