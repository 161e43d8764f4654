//! Names that cannot hold nonsense.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::TargetKind;
use crate::marks::KEEP_TAG;

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct InvalidId {
    /// The text as it came.
    pub found: String,
    /// What was expected, in words.
    pub expected: &'static str,
}

/// One release of one pipeline, written `someli-production/42`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ReleaseId {
    /// The pipeline's name.
    pub pipeline: String,
    /// Counts from 1 in each pipeline.
    pub number: u64,
}

impl ReleaseId {
    /// The release `number` of `pipeline`.
    pub fn new(pipeline: impl Into<String>, number: u64) -> Self {
        Self { pipeline: pipeline.into(), number }
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pipeline, self.number)
    }
}

impl FromStr for ReleaseId {
    type Err = InvalidId;

    /// What a person writes: number 0, the pipeline itself, is no release.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::stored(text).filter(|id| id.number > 0).ok_or_else(|| Self::invalid(text))
    }
}

impl ReleaseId {
    /// What the table holds: entries of the pipeline itself are numbered 0.
    fn stored(text: &str) -> Option<Self> {
        let (pipeline, number) = text.rsplit_once('/')?;
        let number = number.parse().ok()?;
        (!pipeline.is_empty()).then(|| Self::new(pipeline, number))
    }

    fn invalid(text: &str) -> InvalidId {
        InvalidId { found: text.to_owned(), expected: "a release, written `pipeline/42`" }
    }
}

impl From<ReleaseId> for String {
    fn from(id: ReleaseId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for ReleaseId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::stored(&text).ok_or_else(|| Self::invalid(&text))
    }
}

/// Something that runs images, written `KIND/ACCOUNT/REGION/WITHIN/NAME`: for an ECS service
/// `ecs/123456789012/us-west-2/live-crons/Rag`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TargetId {
    /// The account that holds the target.
    pub account: String,
    /// Its region.
    pub region: String,
    /// What holds it there: a service's or a task's ECS cluster, a schedule's group, a rule's event
    /// bus; of a Lightsail container service always `-`.
    pub within: String,
    /// What it is.
    pub kind: TargetKind,
    /// Its name there; of a one-off task the one that the config gives it.
    pub name: String,
}

impl TargetId {
    /// The target's ARN; of an ECS service in its new form, which names the cluster. Lightsail's ARNs
    /// hold an id that only AWS knows, and a one-off task is none before it runs: `None`.
    pub fn arn(&self) -> Option<String> {
        let Self { account, region, within, name, kind } = self;
        let (service, path) = match kind {
            TargetKind::Service => ("ecs", format!("service/{within}/{name}")),
            TargetKind::Schedule => ("scheduler", format!("schedule/{within}/{name}")),
            TargetKind::Rule => ("events", format!("rule/{name}")),
            TargetKind::Task | TargetKind::Lightsail => return None,
        };
        Some(format!("arn:aws:{service}:{region}:{account}:{path}"))
    }

    /// It runs once, to its end.
    pub fn is_task(&self) -> bool {
        self.kind == TargetKind::Task
    }
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, region, within, kind, name } = self;
        write!(f, "{}/{account}/{region}/{within}/{name}", kind.word())
    }
}

impl FromStr for TargetId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId {
            found: text.to_owned(),
            expected: "a target, written `ecs/ACCOUNT/REGION/CLUSTER/SERVICE`",
        };
        let [word, account, region, within, name] = text.split('/').collect::<Vec<_>>()[..] else {
            return Err(invalid());
        };
        let kind = TargetKind::ALL.into_iter().find(|kind| kind.word() == word);
        Ok(Self {
            account: account.to_owned(),
            region: region.to_owned(),
            within: within.to_owned(),
            kind: kind.ok_or_else(invalid)?,
            name: name.to_owned(),
        })
    }
}

impl From<TargetId> for String {
    fn from(id: TargetId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for TargetId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

/// The name of an image's bytes: `sha256:` and 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest(String);

impl Digest {
    /// `sha256:…`, whole.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of it for a person: the first 12 hex digits.
    pub fn short(&self) -> &str {
        &self.0["sha256:".len()..][..12]
    }

    /// The tag under which Tidegate keeps these bytes from "untagged" lifecycle rules.
    ///
    /// It holds 16 hex digits of the digest, so it never has to move: immutable repositories work.
    pub fn keep_tag(&self) -> String {
        format!("{KEEP_TAG}{}", &self.0["sha256:".len()..][..16])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Digest {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        let valid = hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId {
                found: text.to_owned(),
                expected: "a digest, `sha256:` and 64 hex digits",
            })
        }
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_back() {
        for text in ["someli-production/42", "p/1"] {
            assert_eq!(text.parse::<ReleaseId>().unwrap().to_string(), text);
        }
        for target in [
            "ecs/123456789012/us-west-2/live-crons/Rag",
            "schedule/123456789012/us-west-2/default/nightly",
            "lightsail/123456789012/us-east-1/-/deml-apps",
        ] {
            assert_eq!(target.parse::<TargetId>().unwrap().to_string(), target);
        }
    }

    #[test]
    fn the_pipelines_own_entries_are_numbered_0_in_the_table_alone() {
        assert_eq!(ReleaseId::try_from("p/0".to_owned()), Ok(ReleaseId::new("p", 0)));
        assert!("p/0".parse::<ReleaseId>().is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "p", "p/", "/4", "p/0", "p/-1", "p/x"] {
            assert!(text.parse::<ReleaseId>().is_err(), "{text}");
        }
        for text in ["", "sha256:12", &format!("sha256:{}", "G".repeat(64))] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
        for text in ["ecs/1/2/3", "rds/1/2/3/4", "ecs/1/2/3/4/5"] {
            assert!(text.parse::<TargetId>().is_err(), "{text}");
        }
    }
}
