//! `tidegate history`: what was released, and what was not.

use std::fmt;

use serde::Serialize;
use tidegate_aws::table::TableError;
use tidegate_core::model::{Push, ReleaseId};

use crate::output::{Desk, Tone};
use crate::reference::pipeline_name;
use crate::view::{EntryView, ReleaseView, moment};
use crate::{Error, Exit, Session};

/// A pipeline's releases, newest first, the pushes that made none, and who froze, blocked or configured
#[derive(Debug, Clone, clap::Args)]
pub struct History {
    /// The pipeline
    #[arg(value_parser = pipeline_name)]
    pub pipeline: String,
    /// So many of each, the newest
    #[arg(long, short = 'n', default_value = "20", value_name = "COUNT")]
    pub limit: usize,
}

/// What was released, and what was not.
#[derive(Debug, Clone, Serialize)]
pub struct Past {
    /// Releases, newest first.
    pub releases: Vec<ReleaseView>,
    /// Pushes that made no release, newest first.
    pub pushes: Vec<Push>,
    /// The audit trail of the pipeline itself, newest first: freezes, blocks, configs.
    pub decisions: Vec<EntryView>,
}

impl fmt::Display for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { releases, pushes, decisions } = self;
        for release in releases {
            writeln!(f, "{}", release.line())?;
            if let Some(failure) = &release.failure {
                writeln!(f, "    {}", failure.cause)?;
            } else if !release.detail.is_empty() {
                writeln!(f, "    {}", release.detail)?;
            }
        }
        if !pushes.is_empty() {
            writeln!(f, "{}", Tone::Strong.of("pushes that made no release"))?;
        }
        for Push { pipeline: _, repository, tag, digest, at, why, instead: _, missing: _ } in pushes
        {
            writeln!(f, "  {}  {repository}:{tag} ({})  {why}", moment(*at), digest.short())?;
        }
        if !decisions.is_empty() {
            writeln!(f, "{}", Tone::Strong.of("what was decided about the pipeline"))?;
        }
        decisions.iter().try_for_each(|entry| writeln!(f, "  {entry}"))
    }
}

impl History {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let table = session.table().await?;
        if table.head_of(&self.pipeline).await?.is_none() {
            return Err(TableError::NoSuchPipeline(self.pipeline.clone()).into());
        }
        let releases = table.releases(&self.pipeline, self.limit).await?;
        let pushes = table.pushes(&self.pipeline, self.limit).await?;
        let releases = releases.iter().map(ReleaseView::new).collect();
        // Number 0 is the pipeline itself. A person decides a few times a month: all are read.
        let mut decisions = table.journal(&ReleaseId::new(self.pipeline.clone(), 0)).await?;
        // A push that was refused is among the pushes.
        decisions.retain(|entry| entry.to != "refused");
        decisions.reverse();
        decisions.truncate(self.limit);
        let decisions = decisions.into_iter().map(EntryView).collect();
        desk.say(&Past { releases, pushes, decisions })?;
        Ok(Exit::Done)
    }
}
