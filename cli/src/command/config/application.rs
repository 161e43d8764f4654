//! What `config apply` came to, pipeline by pipeline.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use tidegate_core::config::{PipelineConfig, Problem};
use tidegate_core::model::{Change, Memory};

use super::apply::Before;
use crate::adoption::Adoption;
use crate::output::Tone;
use crate::view::ReleaseView;

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
    /// The pipelines that are in force and not in the file: they stay so until they are retired.
    pub not_in_file: Vec<String>,
}

/// What became of one pipeline.
#[derive(Debug, Clone, Serialize)]
pub struct Applied {
    /// Its name.
    pub pipeline: String,
    /// `new`, `changed`, `unchanged`, `restored` where it was retired, `refused`; `failed` where an error
    /// ended the command, and `untried` after that.
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

impl Applied {
    pub(super) fn new(
        before: Option<&Before>,
        config: &PipelineConfig,
        change: &Change,
        adoption: &Adoption,
    ) -> Self {
        let known = before.map(|before| &before.scene.head.answered);
        let new = |(image, memory): &(&String, &Memory)| {
            known.is_none_or(|known| known.get(*image) != Some(*memory))
        };
        let answered = change.head.iter().flat_map(|head| &head.answered).filter(new);
        Self {
            pipeline: config.name.clone(),
            result: match before {
                None => "new",
                Some(before) if before.scene.head.retired.is_some() => "restored",
                Some(_) => "changed",
            },
            config: change.head.as_ref().map(|head| head.config),
            refused: None,
            changed: before.map(|b| keys_that_differ(&b.config, config)).unwrap_or_default(),
            adopted: change.releases.first().map(ReleaseView::new),
            answered: answered.map(|(image, memory)| (image.clone(), memory.clone())).collect(),
            notes: adoption.notes.clone(),
        }
    }

    pub(super) fn unchanged(before: &Before) -> Self {
        let (pipeline, version) = (&before.config.name, before.scene.head.config);
        Self { result: "unchanged", config: Some(version), ..Self::empty(pipeline) }
    }

    pub(super) fn refused(config: &PipelineConfig, why: String) -> Self {
        Self { result: "refused", refused: Some(why), ..Self::empty(&config.name) }
    }

    /// The error itself is said after the application.
    pub(super) fn failed(config: &PipelineConfig) -> Self {
        Self { result: "failed", ..Self::empty(&config.name) }
    }

    pub(super) fn untried(config: &PipelineConfig) -> Self {
        Self { result: "untried", ..Self::empty(&config.name) }
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
        let Self { file: _, dry_run, problems, pipelines, not_in_file } = self;
        problems.iter().try_for_each(|p| writeln!(f, "{}", Tone::Waiting.of(p)))?;
        pipelines.iter().try_for_each(|applied| applied.fmt(f))?;
        if let Some(first) = not_in_file.first() {
            let which = if not_in_file.len() == 1 { "it" } else { "one of them" };
            writeln!(
                f,
                "not in this file, and in force as before: {}; to end {which}, `tidegate config retire \
                 {first}`",
                not_in_file.join(", ")
            )?;
        }
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
