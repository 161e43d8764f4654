//! How an operator names a release.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use tidegate_aws::Table;
use tidegate_aws::table::TableError;
use tidegate_core::model::{Release, ReleaseId};

use crate::Error;

/// `someli-production/42`, `someli-production/latest`, `someli-production/live`, or the pipeline
/// alone: what moves there, else what waits, else the latest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The pipeline's name.
    pub pipeline: String,
    /// Which of its releases.
    pub which: Which,
}

/// Which release of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one with this number.
    Number(u64),
    /// The newest.
    Latest,
    /// The newest that became live.
    Live,
    /// What moves, else what waits, else the newest.
    Current,
}

/// Why a text names no release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a release: `pipeline/42`, `pipeline/latest`, `pipeline/live`, or the pipeline alone"
)]
pub struct InvalidReference;

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let (pipeline, which) = match text.split_once('/') {
            None => (text, Which::Current),
            Some((pipeline, "latest")) => (pipeline, Which::Latest),
            Some((pipeline, "live")) => (pipeline, Which::Live),
            Some((pipeline, number)) => {
                (pipeline, number_of(number).map(Which::Number).ok_or(InvalidReference)?)
            }
        };
        let pipeline = pipeline_name(pipeline).map_err(|_| InvalidReference)?;
        Ok(Self { pipeline, which })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pipeline)?;
        match self.which {
            Which::Number(number) => write!(f, "/{number}"),
            Which::Latest => f.write_str("/latest"),
            Which::Live => f.write_str("/live"),
            Which::Current => Ok(()),
        }
    }
}

/// A pipeline's name as the config allows it: a mistyped release is told at once.
pub(crate) fn pipeline_name(text: &str) -> Result<String, String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("expected a pipeline's name: lower-case letters, digits and `-`".to_owned())
    }
}

fn number_of(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0)
}

impl Reference {
    /// This release and no other.
    pub(crate) fn to(id: &ReleaseId) -> Self {
        Self { pipeline: id.pipeline.clone(), which: Which::Number(id.number) }
    }

    /// The release that is meant.
    pub(crate) async fn find(&self, table: &Table) -> Result<Release, Error> {
        let pipeline = &self.pipeline;
        let head = table
            .head_of(pipeline)
            .await?
            .ok_or_else(|| TableError::NoSuchPipeline(pipeline.clone()))?;
        let newest = (head.next > 1).then(|| head.next - 1);
        let number = match self.which {
            Which::Number(number) => Some(number),
            Which::Latest => newest,
            Which::Live => head.live,
            Which::Current => head.moving.or(head.waiting).or(newest),
        };
        let missing = || {
            Error::NotNow(format!(
                "{self} does not exist; `tidegate history {pipeline}` shows those that do"
            ))
        };
        let id = ReleaseId::new(pipeline.clone(), number.ok_or_else(missing)?);
        table.release_of(&id).await?.ok_or_else(missing)
    }
}

/// Where a rollback goes: a release's number or name, `latest`, `live`, or a version: a tag that came with
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// The release with this number.
    Number(u64),
    /// The newest release.
    Latest,
    /// The newest release that became live.
    Live,
    /// The newest live release that came under this tag.
    Version(String),
}

impl Goal {
    /// It names the release that is live.
    pub(crate) fn is_live(&self, live: Option<u64>) -> bool {
        match self {
            Self::Live => true,
            Self::Number(number) => live == Some(*number),
            Self::Latest | Self::Version(_) => false,
        }
    }

    /// The same where it was written with its pipeline, as releases are everywhere: no tag holds a `/`.
    pub(crate) fn within(&self, pipeline: &str) -> Self {
        let Self::Version(text) = self else { return self.clone() };
        let here = text.strip_prefix(pipeline).and_then(|rest| rest.strip_prefix('/'));
        here.and_then(|rest| rest.parse().ok()).unwrap_or_else(|| self.clone())
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Latest => f.write_str("latest"),
            Self::Live => f.write_str("live"),
            Self::Version(tag) => f.write_str(tag),
        }
    }
}

impl FromStr for Goal {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match (text, number_of(text)) {
            (_, Some(number)) => Self::Number(number),
            ("latest", None) => Self::Latest,
            ("live", None) => Self::Live,
            (version, None) => Self::Version(version.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_release_or_is_refused() {
        for (text, which) in [
            ("someli-production/42", Some(Which::Number(42))),
            ("someli-production/latest", Some(Which::Latest)),
            ("someli-production/live", Some(Which::Live)),
            ("someli-production", Some(Which::Current)),
            ("", None),
            ("/42", None),
            ("someli-production/", None),
            ("someli-production/0", None),
            ("someli-production/-1", None),
            ("someli-production/newest", None),
            ("someli-production/4/2", None),
            ("live_crons", None),
            ("Someli", None),
            ("42", Some(Which::Current)), // a pipeline may be called so
        ] {
            let parsed = text.parse::<Reference>();
            assert_eq!(parsed.as_ref().ok().map(|r| r.which), which, "{text}");
            if let Ok(reference) = parsed {
                assert_eq!(reference.to_string(), text);
            }
        }
    }

    #[test]
    fn a_goal_is_a_number_a_word_or_a_version() {
        for (text, goal) in [
            ("41", Goal::Number(41)),
            ("latest", Goal::Latest),
            ("live", Goal::Live),
            ("prod-1a2b3c4", Goal::Version("prod-1a2b3c4".to_owned())),
            ("v1.2.3", Goal::Version("v1.2.3".to_owned())),
            ("0", Goal::Version("0".to_owned())),
        ] {
            assert_eq!(text.parse(), Ok(goal), "{text}");
        }
        let within = |text: &str| text.parse().map(|goal: Goal| goal.within("p"));
        assert_eq!(within("p/41"), Ok(Goal::Number(41)));
        assert_eq!(within("p/live"), Ok(Goal::Live));
        assert_eq!(within("other/41"), Ok(Goal::Version("other/41".to_owned())));
    }
}
