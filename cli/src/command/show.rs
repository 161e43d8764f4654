//! `tidegate show`: everything that is known of one release.

use std::fmt;

use serde::Serialize;
use tidegate_core::model::{Entry, Release, Slot};

use crate::output::{Desk, Tone};
use crate::view::{EntryView, LogView, ReleaseView, TargetView};
use crate::{Error, Exit, Reference, Session, logs};

/// One release: images, targets with their way back, and the audit trail with its evidence
///
/// Exits with the release's state.
#[derive(Debug, Clone, clap::Args)]
pub struct Show {
    /// someli-production/42, someli-production/live, or the pipeline alone: what moves there
    pub release: Reference,
    /// Also the last lines that its failed tasks logged to CloudWatch, read as you: they are stored
    /// nowhere
    #[arg(long)]
    pub logs: bool,
}

/// Everything that is known of one release.
#[derive(Debug, Clone, Serialize)]
pub struct Dossier {
    /// The release.
    pub release: ReleaseView,
    /// What it did to its targets.
    pub targets: Vec<TargetView>,
    /// What its failed tasks printed last, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logs: Option<Vec<LogView>>,
    /// Its audit trail, in order of time.
    pub journal: Vec<EntryView>,
}

impl Dossier {
    /// From what the table holds.
    pub fn new(release: &Release, rollouts: &[Slot], journal: Vec<Entry>) -> Self {
        Self {
            release: ReleaseView::new(release),
            targets: TargetView::all(release, rollouts),
            logs: None,
            journal: journal.into_iter().map(EntryView).collect(),
        }
    }
}

impl fmt::Display for Dossier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { release, targets, logs, journal } = self;
        write!(f, "{release}")?;
        let mut last = None;
        for target in targets {
            if last.replace(target.wave) != Some(target.wave) {
                writeln!(f, "\n{}", Tone::Strong.of(target.heading()))?;
            }
            write!(f, "{target}")?;
        }
        if let Some(logs) = logs {
            writeln!(f, "\n{}", Tone::Strong.of("logs"))?;
            logs.iter().try_for_each(|log| write!(f, "{log}"))?;
            if logs.is_empty() {
                writeln!(f, "no task of this release is known to have failed")?;
            }
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
        let mut dossier = Dossier::new(&release, &rollouts, journal);
        if self.logs {
            let config = table.config(&release.id.pipeline, release.config).await?;
            let role = config.role.as_ref();
            dossier.logs = Some(logs::of(session, role, &dossier.targets).await?);
        }
        desk.say(&dossier)?;
        Ok(Exit::of(&release))
    }
}
