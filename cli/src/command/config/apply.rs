//! `tidegate config apply`: from now on this config rules. Nothing is moved.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use tidegate_aws::table::Commit;
use tidegate_core::command;
use tidegate_core::config::{PipelineConfig, Problem, Problems, Severity};
use tidegate_core::model::{Memory, Scene};

use crate::decision::{TRIES, move_on, unwritten};
use crate::output::{Desk, Tone};
use crate::view::ReleaseView;
use crate::{Error, Exit, Session, adoption, claims, live};

/// Put a config in force. Moves nothing: what runs is adopted, the next push is the first release
///
/// Asks AWS whether everything exists first. Pipelines that are not in the file stay as they are.
#[derive(Debug, Clone, clap::Args)]
pub struct Apply {
    /// The file
    #[arg(default_value = "tidegate.yaml")]
    pub file: String,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What was applied.
#[derive(Debug, Clone, Serialize)]
pub struct Application {
    /// The file.
    pub file: String,
    /// Nothing was written: this is what would be.
    pub dry_run: bool,
    /// What a person should look at.
    pub problems: Vec<Problem>,
    /// What became of each pipeline, in the order of their names.
    pub pipelines: Vec<Applied>,
}

/// What became of one pipeline.
#[derive(Debug, Clone, Serialize)]
pub struct Applied {
    /// Its name.
    pub pipeline: String,
    /// `new`, `changed`, `unchanged` or `refused`.
    pub result: &'static str,
    /// The config version in force; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<u64>,
    /// Why it was refused, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The keys that changed.
    pub changed: Vec<String>,
    /// What runs, as a release; nothing was moved for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopted: Option<ReleaseView>,
    /// The pushes that count as answered: only newer ones start a release.
    pub answered: BTreeMap<String, Memory>,
    /// What a person should know.
    pub notes: Vec<String>,
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
        claims::check(session.table().await?, &pipelines).await?;
        let mut application = Application {
            file: self.file.clone(),
            dry_run: self.dry_run,
            problems,
            pipelines: Vec::new(),
        };
        for pipeline in &pipelines {
            // One that is refused does not keep the others from being applied.
            let applied = match self.apply(session, pipeline).await {
                Err(Error::Refused(refused)) => Applied::refused(pipeline, refused.to_string()),
                applied => applied?,
            };
            application.pipelines.push(applied);
        }
        desk.say(&application)?;
        let refused = application.pipelines.iter().any(|applied| applied.refused.is_some());
        Ok(if refused { Exit::Failed } else { Exit::Done })
    }

    async fn apply(&self, session: &Session, config: &PipelineConfig) -> Result<Applied, Error> {
        let (table, clock) = (session.table().await?, session.clock()?);
        let actor = &session.identity().await?.arn;
        let mut found = None;
        for _ in 0..TRIES {
            let before = Before::read(session, &config.name).await?;
            if let Some(before) = before.as_ref().filter(|b| b.config.digest() == config.digest()) {
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
struct Before {
    scene: Scene,
    /// The config in force: a moving release may be ruled by an older one.
    config: PipelineConfig,
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

impl Applied {
    fn new(
        before: Option<&Before>,
        config: &PipelineConfig,
        change: &tidegate_core::model::Change,
        adoption: &adoption::Adoption,
    ) -> Self {
        let known = before.map(|before| &before.scene.head.answered);
        let new = |(image, memory): &(&String, &Memory)| {
            known.is_none_or(|known| known.get(*image) != Some(*memory))
        };
        let answered = change.head.iter().flat_map(|head| &head.answered).filter(new);
        Self {
            pipeline: config.name.clone(),
            result: if before.is_some() { "changed" } else { "new" },
            config: change.head.as_ref().map(|head| head.config),
            refused: None,
            changed: before.map(|b| keys_that_differ(&b.config, config)).unwrap_or_default(),
            adopted: change.releases.first().map(ReleaseView::new),
            answered: answered.map(|(image, memory)| (image.clone(), memory.clone())).collect(),
            notes: adoption.notes.clone(),
        }
    }

    fn unchanged(before: &Before) -> Self {
        let (pipeline, version) = (&before.config.name, before.scene.head.config);
        Self { result: "unchanged", config: Some(version), ..Self::empty(pipeline) }
    }

    fn refused(config: &PipelineConfig, why: String) -> Self {
        Self { result: "refused", refused: Some(why), ..Self::empty(&config.name) }
    }

    fn empty(pipeline: &str) -> Self {
        Self {
            pipeline: pipeline.to_owned(),
            result: "",
            config: None,
            refused: None,
            changed: Vec::new(),
            adopted: None,
            answered: BTreeMap::new(),
            notes: Vec::new(),
        }
    }
}

/// The top-level keys of the stored form whose values differ.
fn keys_that_differ(before: &PipelineConfig, after: &PipelineConfig) -> Vec<String> {
    let [before, after] = [before, after]
        .map(|config| serde_json::to_value(config).unwrap_or_default().as_object().cloned());
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    after
        .iter()
        .filter(|(key, value)| before.get(*key) != Some(value))
        .map(|(k, _)| k.clone())
        .collect()
}

impl fmt::Display for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file: _, dry_run, problems, pipelines } = self;
        problems.iter().try_for_each(|p| writeln!(f, "{}", Tone::Waiting.of(p)))?;
        pipelines.iter().try_for_each(|applied| applied.fmt(f))?;
        if *dry_run {
            writeln!(f, "dry run: nothing was written")?;
        }
        Ok(())
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pipeline, result, config, refused, changed, adopted, answered, notes } = self;
        let version = config.map_or(String::new(), |version| format!(", config version {version}"));
        let changed = match changed.as_slice() {
            [] => String::new(),
            keys => format!(": {}", keys.join(", ")),
        };
        writeln!(f, "{}  {result}{version}{changed}", Tone::Strong.of(pipeline))?;
        if let Some(why) = refused {
            writeln!(f, "  {}", Tone::Bad.of(why))?;
        }
        if *result == "unchanged" {
            writeln!(f, "  nothing to do")?;
        }
        if let Some(adopted) = adopted {
            writeln!(f, "  adopted as {}; nothing was moved", Tone::Strong.of(&adopted.release))?;
            for image in &adopted.images {
                writeln!(f, "    {}: {image} runs", image.image)?;
            }
        }
        for (image, Memory { digest, tag, .. }) in answered {
            writeln!(
                f,
                "    {image}: only pushes after {tag} ({}) start a release",
                digest.short()
            )?;
        }
        notes.iter().try_for_each(|note| writeln!(f, "  {}", Tone::Waiting.of(note)))
    }
}
