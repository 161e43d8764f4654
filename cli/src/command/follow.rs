//! `tidegate follow`: the audit trail as it is written.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tidegate_core::decide::{Sightings, decide};
use tidegate_core::model::{Head, Phase, Release, Scene, Subject};

use crate::output::{Desk, Tone};
use crate::view::{EntryView, wait_in_words};
use crate::{Error, Exit, Reference, Session};

/// Watch a release move, line by line, until it ends or a person must decide
///
/// Exits with the release's state. With `--output json` each line is one JSON object.
#[derive(Debug, Clone, clap::Args)]
pub struct Follow {
    /// someli-production/42, or the pipeline alone: what moves there
    pub release: Reference,
}

/// Soon enough to feel alive; a few reads a second's half of a table that costs by the read.
pub(crate) const PAUSE: Duration = Duration::from_secs(2);

impl Follow {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let (table, clock) = (session.table().await?, session.clock()?);
        let id = self.release.find(table).await?.id;
        let mut told = Told::default();
        loop {
            // Read before the journal: when it has ended, the journal is complete.
            let release = Reference::to(&id).find(table).await?;
            for entry in table.journal(&id).await? {
                if told.entries.insert((entry.subject.clone(), entry.step)) {
                    desk.say_next(&EntryView(entry))?;
                }
            }
            if release.phase.is_ended() || release.phase.is_stuck() {
                return Ok(Exit::of(&release));
            }
            let scene = table.scene(&id.pipeline).await?;
            told.waits(desk, &scene, clock.now());
            if is_frozen_out(&scene.head, &release) {
                return Ok(Exit::of(&release));
            }
            clock.sleep(PAUSE).await;
        }
    }
}

/// Nothing lets it start but a person who unfreezes its pipeline.
pub(crate) fn is_frozen_out(head: &Head, release: &Release) -> bool {
    let waits = matches!(release.phase, Phase::Waiting { .. });
    waits && head.moving.is_none() && head.freeze.is_some()
}

/// What was said already.
#[derive(Default)]
struct Told {
    entries: BTreeSet<(Subject, u64)>,
    waits: Vec<String>,
}

impl Told {
    /// Says what is waited for, when that is news.
    fn waits(&mut self, desk: &mut Desk<'_>, scene: &Scene, now: Timestamp) {
        let plan = decide(scene, &Sightings::new(), now);
        let waits: Vec<_> = plan.waiting_on.iter().map(wait_in_words).collect();
        for line in waits.iter().filter(|line| !self.waits.contains(line)) {
            desk.talk(&format!("{}: {line}", Tone::Waiting.of("waits")));
        }
        self.waits = waits;
    }
}
