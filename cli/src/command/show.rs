//! `tidegate show`: everything that is known of one release.

use std::fmt;

use serde::Serialize;
use tidegate_core::model::{Entry, Release, Slot};

use crate::output::{Desk, Tone};
use crate::view::{EntryView, ReleaseView, TargetView};
use crate::{Error, Exit, Reference, Session};

/// One release: images, targets with their way back, and the audit trail with its evidence
///
/// Exits with the release's state.
#[derive(Debug, Clone, clap::Args)]
pub struct Show {
    /// someli-production/42, someli-production/live, or the pipeline alone: what moves there
    pub release: Reference,
}

/// Everything that is known of one release.
#[derive(Debug, Clone, Serialize)]
pub struct Dossier {
    /// The release.
    pub release: ReleaseView,
    /// What it did to its targets.
    pub targets: Vec<TargetView>,
    /// Its audit trail, in order of time.
    pub journal: Vec<EntryView>,
}

impl Dossier {
    /// From what the table holds.
    pub fn new(release: &Release, rollouts: &[Slot], journal: Vec<Entry>) -> Self {
        Self {
            release: ReleaseView::new(release),
            targets: TargetView::all(release, rollouts),
            journal: journal.into_iter().map(EntryView).collect(),
        }
    }
}

impl fmt::Display for Dossier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { release, targets, journal } = self;
        write!(f, "{release}")?;
        let mut last = None;
        for target in targets {
            if last.replace(target.wave) != Some(target.wave) {
                writeln!(f, "\n{}", Tone::Strong.of(target.heading()))?;
            }
            write!(f, "{target}")?;
        }
        writeln!(f, "\n{}", Tone::Strong.of("audit trail"))?;
        journal.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

impl Show {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let table = session.table().await?;
        let release = self.release.find(table).await?;
        let rollouts = table.rollouts(&release).await?;
        let journal = table.journal(&release.id).await?;
        desk.say(&Dossier::new(&release, &rollouts, journal))?;
        Ok(Exit::of(&release))
    }
}
