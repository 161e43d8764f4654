//! What a release would change.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use tidegate_core::decide::Finding;
use tidegate_core::model::{Release, TargetId};

use super::target::BaselineView;
use super::{ImageView, image};
use crate::output::Tone;

/// What a release would change, and what it would wait for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanView {
    /// The pipeline.
    pub pipeline: String,
    /// The bytes that it would bring.
    pub images: Vec<ImageView>,
    /// Why no release comes of it at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What it would wait for before anything moves.
    pub waits: Vec<String>,
    /// Target by target, in the order of the waves.
    pub targets: Vec<PlannedTarget>,
}

/// What a release would do to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Planned {
    /// Its images.
    Changes,
    /// A one-off task.
    RunsOnce,
    /// It runs no image of the release.
    Stays,
    /// Another deployment is on its way there.
    Busy,
    /// Its images have not arrived yet.
    Awaited,
    /// It cannot be released as it is.
    Unfit,
}

/// What would become of one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedTarget {
    /// The target.
    pub target: TargetId,
    /// The heading of its wave.
    pub wave: String,
    /// What would be done to it.
    pub what: Planned,
    /// Why it stays as it is, or is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How its definition would differ, a line each.
    pub difference: Vec<String>,
    /// What it runs now: the way back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineView>,
    /// One could come back to it.
    pub has_way_back: bool,
}

impl PlanView {
    /// The plan of a release that there is not, with what a survey found.
    pub(crate) fn new(
        release: &Release,
        found: &BTreeMap<TargetId, Finding>,
        waits: Vec<String>,
        refused: Option<String>,
    ) -> Self {
        let targets = release.waves.iter().enumerate().flat_map(|(wave, targets)| {
            let planned = move |target| {
                Some(PlannedTarget::new(target, release.stage(wave), found.get(target)?))
            };
            targets.iter().filter_map(planned)
        });
        Self {
            pipeline: release.id.pipeline.clone(),
            images: ImageView::all(&release.images),
            refused,
            waits,
            targets: targets.collect(),
        }
    }
}

impl PlannedTarget {
    fn new(target: &TargetId, wave: String, finding: &Finding) -> Self {
        let changes = if target.is_task() { Planned::RunsOnce } else { Planned::Changes };
        let (what, why, difference, baseline) = match finding {
            Finding::Ready { baseline, difference, .. } => {
                (changes, None, difference.clone(), Some(baseline))
            }
            Finding::Unaffected { baseline } => {
                let why = "no container runs an image of this release".to_owned();
                (Planned::Stays, Some(why), Vec::new(), Some(baseline))
            }
            Finding::Busy(what) => (Planned::Busy, Some(what.clone()), Vec::new(), None),
            Finding::Awaited(what) => (Planned::Awaited, Some(what.clone()), Vec::new(), None),
            Finding::Withdrawn(why) | Finding::Unfit(why) => {
                (Planned::Unfit, Some(why.clone()), Vec::new(), None)
            }
        };
        Self {
            target: target.clone(),
            wave,
            what,
            why,
            difference,
            has_way_back: baseline.is_some_and(|baseline| baseline.has_way_back()),
            baseline: baseline.map(|baseline| BaselineView::new(baseline)),
        }
    }

    fn headline(&self) -> String {
        let words = match self.what {
            Planned::Changes => Tone::Moving.of("changes").to_string(),
            Planned::RunsOnce => Tone::Moving.of("runs once, to its end").to_string(),
            Planned::Stays => Tone::Faint.of("stays as it is").to_string(),
            Planned::Busy => Tone::Waiting.of("is in the middle of another deployment").to_string(),
            Planned::Awaited => Tone::Waiting.of("waits for its image").to_string(),
            Planned::Unfit => Tone::Bad.of("cannot be released").to_string(),
        };
        let why = self.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
        format!("{}  {words}{why}", self.target.name)
    }
}

impl fmt::Display for PlanView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pipeline, images, refused, waits, targets } = self;
        writeln!(f, "{}  {}", Tone::Strong.of(pipeline), image::list(images))?;
        if let Some(why) = refused {
            writeln!(f, "  {}: {why}", Tone::Bad.of("no push of these starts a release"))?;
        }
        for what in waits {
            writeln!(f, "  {}  {what}", Tone::Waiting.of("waits for"))?;
        }
        let mut last = "";
        for target in targets {
            if std::mem::replace(&mut last, &target.wave) != target.wave {
                writeln!(f, "\n{}", Tone::Strong.of(&target.wave))?;
            }
            write!(f, "{target}")?;
        }
        writeln!(f, "\nNothing was changed.")
    }
}

impl fmt::Display for PlannedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}", self.headline())?;
        self.difference.iter().try_for_each(|line| writeln!(f, "    {line}"))?;
        let changes = self.what == Planned::Changes;
        let Some(baseline) = self.baseline.as_ref().filter(|_| changes) else { return Ok(()) };
        let back = if self.has_way_back {
            format!("back to  {}", baseline.revision)
        } else {
            Tone::Bad.of("no way back is known").to_string()
        };
        writeln!(f, "    {back}")?;
        for image in &baseline.images {
            let bytes = image.digest.as_ref().map_or("unknown", |digest| digest.short());
            writeln!(f, "      {} runs {bytes}: {}", image.container, image.source)?;
        }
        baseline.notes.iter().try_for_each(|note| writeln!(f, "    note  {note}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Planned::{self, Awaited, Busy, Changes, RunsOnce, Stays, Unfit};

    #[test]
    fn programs_read_these_names() {
        let all: [Planned; 6] = [Changes, RunsOnce, Stays, Busy, Awaited, Unfit];
        let names = ["changes", "runs_once", "stays", "busy", "awaited", "unfit"];
        assert_eq!(json!(all), json!(names));
    }
}
