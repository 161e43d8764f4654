//! `tidegate history`: what was released, and what was not.

use std::fmt;

use serde::Serialize;
use tidegate_aws::table::TableError;
use tidegate_core::model::Push;

use crate::output::{Desk, Tone};
use crate::reference::pipeline_name;
use crate::view::{ReleaseView, moment};
use crate::{Error, Exit, Session};

/// A pipeline's releases, newest first, and the pushes that made none
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
}

impl fmt::Display for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { releases, pushes } = self;
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
        Ok(())
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
        desk.say(&Past { releases, pushes })?;
        Ok(Exit::Done)
    }
}
