//! A release, in one line or several.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use tidegate_core::model::{Approved, Cause, Failure, Hold, Phase, Release, ReleaseId};

use super::{ImageView, image, moment};
use crate::output::Tone;

/// A release, where it stands and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReleaseView {
    /// `someli-production/42`
    pub release: ReleaseId,
    /// The state's name.
    pub phase: &'static str,
    /// Since when it is in this state; of a bake: until when.
    pub since: Timestamp,
    /// What the state's name does not say: the wave, that it is held, why it was refused.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What made it.
    pub cause: Cause,
    /// Who made it.
    pub by: String,
    /// When it was made.
    pub at: Timestamp,
    /// The config version that rules it.
    pub config: u64,
    /// What it brings.
    pub images: Vec<ImageView>,
    /// What keeps it from moving, while something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Hold>,
    /// Who let it move, where a person's word is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approved>,
    /// What went wrong, once something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    #[serde(skip)]
    tone: Tone,
}

impl ReleaseView {
    /// As the table has it.
    pub fn new(release: &Release) -> Self {
        let (since, detail, tone) = circumstances(release);
        Self {
            release: release.id.clone(),
            phase: release.phase.name(),
            since,
            detail,
            cause: release.cause.clone(),
            by: release.by.clone(),
            at: release.at,
            config: release.config,
            images: ImageView::all(&release.images),
            held: match &release.phase {
                Phase::Surveying { held, .. } => held.clone(),
                _ => None,
            },
            approved: release.approved.clone(),
            failure: release.failure.clone(),
            tone,
        }
    }

    /// The state's name and circumstances, without the rest.
    pub(crate) fn state(&self) -> String {
        let detail = match self.detail.as_str() {
            "" => String::new(),
            detail => format!(" · {detail}"),
        };
        format!("{}{detail}", self.tone.of(self.phase))
    }

    /// `pushed`, `adopted`, `rollback to 41`, `started`.
    pub(crate) fn cause_in_words(&self) -> String {
        match &self.cause {
            Cause::Push => "pushed".to_owned(),
            Cause::Adopted => "adopted".to_owned(),
            Cause::Rollback { to } => format!("rollback to {to}"),
            Cause::Undo { of } => format!("undoes the tasks of {of}"),
            Cause::Start => "started".to_owned(),
            Cause::Promoted { from } => format!("promoted from {from}"),
        }
    }

    /// One line of a list.
    pub(crate) fn line(&self) -> Brief<'_> {
        Brief(self)
    }
}

fn circumstances(release: &Release) -> (Timestamp, String, Tone) {
    let nothing = String::new();
    match &release.phase {
        Phase::Waiting { since } => (*since, nothing, Tone::Waiting),
        Phase::Surveying { since, held: None } => (*since, nothing, Tone::Moving),
        Phase::Surveying { since, held: Some(_) } => (*since, "held".to_owned(), Tone::Waiting),
        Phase::Rolling { wave, since } => (*since, release.stage(*wave), Tone::Moving),
        Phase::Baking { until } => (*until, format!("until {}", moment(*until)), Tone::Moving),
        Phase::RollingBack { since } => (*since, nothing, Tone::Bad),
        Phase::Live { at, unproven, accepted } => {
            let marks = [(*unproven, "unproven: no task ran"), (*accepted, "accepted by a person")];
            let marks: Vec<_> = marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark).collect();
            (*at, marks.join(", "), Tone::Good)
        }
        Phase::RolledBack { at } => (*at, nothing, Tone::Waiting),
        Phase::Frozen { at }
        | Phase::RollbackFailed { at }
        | Phase::Drifted { at }
        | Phase::Abandoned { at } => (*at, nothing, Tone::Bad),
        Phase::Superseded { at, by } => {
            (*at, format!("{}/{by} came instead", release.id.pipeline), Tone::Faint)
        }
        Phase::Expired { at } => (*at, "nobody approved it in time".to_owned(), Tone::Waiting),
        Phase::Rejected { at, by, why } => (*at, format!("by {by}: {why}"), Tone::Waiting),
        Phase::Refused { at, why } => (*at, why.clone(), Tone::Waiting),
    }
}

impl fmt::Display for ReleaseView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            release,
            phase: _,
            since,
            detail: _,
            cause: _,
            by,
            at,
            config,
            images,
            held,
            approved,
            failure,
            tone: _,
        } = self;
        writeln!(f, "{} {}", Tone::Strong.of(release), self.state())?;
        writeln!(f, "  since   {}", moment(*since))?;
        writeln!(f, "  cause   {} by {by}, {}", self.cause_in_words(), moment(*at))?;
        writeln!(f, "  config  version {config}")?;
        for image in images {
            writeln!(f, "  image   {}: {image}", image.image)?;
            writeln!(f, "          {}", Tone::Faint.of(&image.digest))?;
        }
        if let Some(hold) = held {
            writeln!(f, "  held    {}", Tone::Waiting.of(hold))?;
            if let Hold::Approval { changes, .. } = hold {
                changes.iter().try_for_each(|change| writeln!(f, "          - {change}"))?;
            }
        }
        if let Some(Approved { by, at, plan }) = approved {
            let plan = Approved::short(plan);
            writeln!(f, "  plan    {plan}, approved by {by}, {}", moment(*at))?;
        }
        if let Some(failure) = failure {
            writeln!(f, "  failed  {}", Tone::Bad.of(&failure.cause))?;
            for line in &failure.evidence {
                writeln!(f, "          - {line}")?;
            }
            if !failure.remedy.is_empty() {
                writeln!(f, "          {}", failure.remedy)?;
            }
        }
        Ok(())
    }
}

/// A release in one line: `someli-production/42  live  2026-…  pushed by ecr  images`.
pub struct Brief<'a>(&'a ReleaseView);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = self.0;
        write!(
            f,
            "{}  {}  {}  {} by {}  {}",
            Tone::Strong.of(&view.release),
            view.tone.of(format_args!("{:<15}", view.phase)),
            moment(view.at),
            view.cause_in_words(),
            view.by,
            image::list(&view.images),
        )
    }
}
