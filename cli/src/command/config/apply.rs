//! `tidegate config apply`: from now on this config rules. Nothing is moved.

use tidegate_aws::table::Commit;
use tidegate_core::command;
use tidegate_core::config::{PipelineConfig, Problems, Severity};
use tidegate_core::model::Scene;

use super::{Application, Applied};
use crate::decision::{TRIES, move_on, unwritten};
use crate::output::Desk;
use crate::{Error, Exit, Session, adoption, claims, live};

/// Put a config in force. Moves nothing: what runs is adopted, the next push is the first release
///
/// Asks AWS whether everything exists first. Pipelines that are not in the file stay as they are, and are
/// named: `config retire` ends one. A retired one that is in the file is brought back.
#[derive(Debug, Clone, clap::Args)]
pub struct Apply {
    /// The file
    #[arg(default_value = "tidegate.yaml")]
    pub file: String,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl Apply {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        let config = super::read(&self.file)?;
        let home = session.home().await?;
        let pipelines = config.resolve(&home.account, &home.region)?;
        let look = live::look(session, desk, &pipelines).await?;
        let mut problems = config.warnings.clone();
        problems.extend(config.compare(&home, &look.live));
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            return Err(Problems(problems).into());
        }
        let not_in_file = claims::check(session.table().await?, &pipelines).await?;
        let (applied, ended) = self.one_by_one(session, &pipelines).await;
        let refused = applied.iter().any(|applied| applied.refused.is_some());
        desk.say(&Application {
            file: self.file.clone(),
            dry_run: self.dry_run,
            problems,
            pipelines: applied,
            not_in_file,
        })?;
        ended?;
        Ok(if refused { Exit::Failed } else { Exit::Done })
    }

    /// What became of each pipeline, and the error that ended it before the last. What is in force by then
    /// stays in force, so whoever typed it is told of both.
    async fn one_by_one(
        &self,
        session: &Session,
        pipelines: &[PipelineConfig],
    ) -> (Vec<Applied>, Result<(), Error>) {
        let (mut said, mut ahead, mut ended) = (Vec::new(), pipelines.iter(), Ok(()));
        while ended.is_ok()
            && let Some(pipeline) = ahead.next()
        {
            said.push(match self.apply(session, pipeline).await {
                Ok(applied) => applied,
                // One that is refused does not keep the others from being applied.
                Err(Error::Refused(refused)) => Applied::refused(pipeline, refused.to_string()),
                Err(error) => {
                    ended = Err(error);
                    Applied::failed(pipeline)
                }
            });
        }
        said.extend(ahead.map(Applied::untried));
        (said, ended)
    }

    async fn apply(&self, session: &Session, config: &PipelineConfig) -> Result<Applied, Error> {
        let (table, clock) = (session.table().await?, session.clock()?);
        let actor = &session.identity().await?.arn;
        let mut found = None;
        for _ in 0..TRIES {
            let before = Before::read(session, &config.name).await?;
            let in_force = before.as_ref().filter(|before| before.scene.head.retired.is_none());
            if let Some(before) = in_force.filter(|it| it.config.digest() == config.digest()) {
                return Ok(Applied::unchanged(before));
            }
            let adoption = match found.take() {
                Some(adoption) => adoption,
                None => adoption::look(session, config).await?,
            };
            let change = command::apply_config(
                before.as_ref().map(|before| &before.scene),
                config,
                adoption.runs.clone(),
                adoption.answered.clone(),
                actor,
                clock.now(),
            )?;
            let applied = Applied::new(before.as_ref(), config, &change, &adoption);
            if self.dry_run {
                return Ok(applied);
            }
            let known = before.as_ref().map(|before| &before.config);
            let written = table.register(config, known, &change).await;
            if written.map_err(|error| unwritten(&config.name, error))? == Commit::Done {
                move_on(table, clock, &config.name).await;
                return Ok(applied);
            }
            found = Some(adoption);
        }
        Err(Error::Overtaken(config.name.clone()))
    }
}

/// A pipeline as it was before.
pub(super) struct Before {
    pub(super) scene: Scene,
    /// The config in force: a moving release may be ruled by an older one.
    pub(super) config: PipelineConfig,
}

impl Before {
    async fn read(session: &Session, pipeline: &str) -> Result<Option<Self>, Error> {
        let table = session.table().await?;
        if table.head_of(pipeline).await?.is_none() {
            return Ok(None);
        }
        let scene = table.scene(pipeline).await?;
        let config = table.config(pipeline, scene.head.config).await?;
        Ok(Some(Self { scene, config }))
    }
}
