//! `tidegate status`: where pipelines stand, and why they do not move.

use std::fmt;

use serde::Serialize;
use tidegate_aws::Table;
use tidegate_core::decide::{Sightings, decide};
use tidegate_core::model::{Head, Release, moved_last};

use crate::output::Desk;
use crate::reference::pipeline_name;
use crate::view::PipelineView;
use crate::{Error, Exit, Session};

/// Where pipelines stand, why they do not move, and what can be typed
#[derive(Debug, Clone, clap::Args)]
pub struct Status {
    /// One pipeline; without it all of them
    #[arg(value_parser = pipeline_name)]
    pub pipeline: Option<String>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Pipelines(Vec<PipelineView>);

impl fmt::Display for Pipelines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, pipeline) in self.0.iter().enumerate() {
            let gap = if at == 0 { "" } else { "\n" };
            write!(f, "{gap}{pipeline}")?;
        }
        Ok(())
    }
}

impl Status {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let (table, clock) = (session.table().await?, session.clock()?);
        let names = match &self.pipeline {
            Some(name) => vec![name.clone()],
            None => table.pipelines().await?,
        };
        if names.is_empty() {
            desk.talk(&"no pipeline is in force; `tidegate config apply FILE` brings those of a file into force");
        }
        let mut views = Vec::new();
        for name in names {
            let scene = table.scene(&name).await?;
            // A plan that nobody carries out: only its reasons are wanted.
            let plan = decide(&scene, &Sightings::new(), clock.now());
            let last = ended_last(table, &scene.head).await?;
            views.push(PipelineView::new(&scene, last.as_ref(), plan.waiting_on));
        }
        let exit = views.iter().map(PipelineView::exit).max().unwrap_or(Exit::Done);
        desk.say(&Pipelines(views))?;
        Ok(exit)
    }
}

/// The newest release since what is live, where nothing moves: one that moved targets, if there is one.
async fn ended_last(table: &Table, head: &Head) -> Result<Option<Release>, Error> {
    /// What ended without moving anything hides what did, unless there are more of them than that.
    const NEWEST: usize = 10;
    if head.moving.is_some() {
        return Ok(None);
    }
    let is_live = |release: &&Release| Some(release.id.number) == head.live;
    let mut releases = table.releases(&head.pipeline, NEWEST).await?;
    releases.retain(|release| !head.is_before_it_came_back(release.id.number));
    let moved = moved_last(&releases).filter(|release| !is_live(release));
    let mut since = releases.iter().take_while(|release| !is_live(release));
    Ok(moved.or_else(|| since.find(|release| release.phase.is_ended())).cloned())
}
