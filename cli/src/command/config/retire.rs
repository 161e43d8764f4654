//! `tidegate config retire`: nobody wants this pipeline any more.

use std::fmt;

use serde::Serialize;
use tidegate_aws::table::Commit;
use tidegate_core::command;
use tidegate_core::model::Retired;

use crate::decision::{TRIES, unwritten};
use crate::output::{Desk, Tone};
use crate::reason::reason;
use crate::reference::pipeline_name;
use crate::view::moment;
use crate::{Error, Exit, Session};

/// Take a pipeline out of force: nothing starts in it, and its targets are free for other pipelines
///
/// Moves nothing. What it was stays to be read; `config apply` of a file that has it brings it back.
#[derive(Debug, Clone, clap::Args)]
pub struct Retire {
    /// The pipeline
    #[arg(value_parser = pipeline_name)]
    pub pipeline: String,
    /// Why, for the audit trail
    #[arg(long, value_name = "WHY", default_value = "retired by hand", value_parser = reason)]
    pub reason: String,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What became of a pipeline that was to be retired.
#[derive(Debug, Clone, Serialize)]
pub struct Retirement {
    /// Its name.
    pub pipeline: String,
    /// Nothing was written: this is what would be.
    pub dry_run: bool,
    /// `retired`, or `unchanged` where it was before.
    pub result: &'static str,
    /// Who retired it, why, and when.
    pub retired: Retired,
}

impl Retire {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let retirement = self.retire(session).await?;
        desk.say(&retirement)?;
        Ok(Exit::Done)
    }

    async fn retire(&self, session: &Session) -> Result<Retirement, Error> {
        let Self { pipeline, reason, dry_run } = self;
        let (table, clock) = (session.table().await?, session.clock()?);
        let actor = &session.identity().await?.arn;
        let said = |result, retired| {
            let (pipeline, dry_run) = (pipeline.clone(), *dry_run);
            Retirement { pipeline, dry_run, result, retired }
        };
        for _ in 0..TRIES {
            let scene = table.scene(pipeline).await?;
            if let Some(retired) = scene.head.retired {
                return Ok(said("unchanged", retired));
            }
            let now = clock.now();
            let change = command::retire(&scene, actor, reason, now)?;
            let retired = Retired { by: actor.clone(), why: reason.clone(), at: now };
            if *dry_run {
                return Ok(said("retired", retired));
            }
            let written = table.retire(&scene.config, &change).await;
            if written.map_err(|error| unwritten(pipeline, error))? == Commit::Done {
                return Ok(said("retired", retired));
            }
        }
        Err(Error::Overtaken(pipeline.clone()))
    }
}

impl fmt::Display for Retirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pipeline, dry_run, result, retired: Retired { by, why, at } } = self;
        let at = moment(*at);
        writeln!(f, "{}  {result}: since {at} by {by}: {why}", Tone::Strong.of(pipeline))?;
        writeln!(f, "  nothing starts in it, and its targets are free for other pipelines")?;
        writeln!(f, "  `tidegate config apply` of a file that has it brings it back")?;
        if *dry_run {
            writeln!(f, "dry run: nothing was written")?;
        }
        Ok(())
    }
}
