//! Which tags of a repository a pipeline listens to: `uapi`, `prod-{sha}`, `v{semver}`, `build-*`.

mod part;
mod version;
mod walk;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::guard::{Guard, stands};
use crate::marks::OWN_TAG;

use part::Part;
pub use part::Placeholder;
pub use version::{InvalidVersion, Version};

/// ECR's bound for a tag.
const LONGEST_TAG: usize = 128;

/// Four wildcards already say "anything"; the bound keeps a match's work small.
const MOST_WILDCARDS: usize = 4;

/// A tag, or a form that many tags have: literal text, `{sha}`, `{version}`, `{semver}` and `*`.
///
/// `prod-{sha}` matches `prod-1f3a9c7` and captures `1f3a9c7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String", extend("format" = "tag-pattern"))]
pub struct TagPattern {
    parts: Vec<Part>,
}

/// What the placeholders of a pattern stood for in a tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captures(BTreeMap<Placeholder, String>);

impl Captures {
    /// What `{placeholder}` stood for, if the pattern has it.
    pub fn get(&self, placeholder: Placeholder) -> Option<&str> {
        self.0.get(&placeholder).map(String::as_str)
    }

    /// The version that `{semver}` stood for: what such pushes are ordered by.
    pub fn semver(&self) -> Option<Version> {
        self.get(Placeholder::Semver)?.parse().ok()
    }
}

/// Why a text is not a tag pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a tag pattern: {reason}")]
pub struct InvalidPattern {
    /// The text as it came.
    pub found: String,
    /// What is wrong with it, and what would be right.
    pub reason: String,
}

impl TagPattern {
    /// What the placeholders stand for in `tag`, or `None` where it is not of this form.
    ///
    /// Each part takes as much as it can, from left to right. No pattern matches Tidegate's own
    /// tags, nor what ECR would not take as a tag.
    pub fn matches(&self, tag: &str) -> Option<Captures> {
        let ours = tag.starts_with(OWN_TAG) && stands(Guard::ReservedTags);
        (!ours && is_tag(tag)).then(|| walk::captures(&self.parts, tag))?
    }

    /// Any tag: what selects an image without a push, whose order its time decides.
    pub fn anything() -> Self {
        Self { parts: vec![Part::Anything] }
    }

    /// One tag and no other: its present digest decides, not the order of pushes.
    pub fn is_literal(&self) -> bool {
        matches!(self.parts[..], [Part::Literal(_)])
    }

    /// Whether `tag` is of this form and says by a sha or a version which build it is: such a tag is not moved.
    pub fn names_a_build(&self, tag: &str) -> bool {
        self.matches(tag).is_some_and(|captures| !captures.0.is_empty())
    }

    /// Pushes are ordered by the version in the tag, not by their time.
    pub fn orders_by_version(&self) -> bool {
        self.has(Placeholder::Semver)
    }

    /// Whether the pattern captures this by name.
    pub fn has(&self, placeholder: Placeholder) -> bool {
        self.parts.contains(&Part::Placeholder(placeholder))
    }

    /// The one tag of this form in which `placeholder` stands for `value`; `None` where no tag is,
    /// or several could be.
    pub fn tag_with(&self, placeholder: Placeholder, value: &str) -> Option<String> {
        let texts = self.parts.iter().map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            Part::Placeholder(own) => (*own == placeholder).then_some(value),
            Part::Anything => None,
        });
        let tag: String = texts.collect::<Option<_>>()?;
        let captured = self.matches(&tag)?;
        (captured.get(placeholder) == Some(value)).then_some(tag)
    }

    /// Whether nothing but text stands beside `placeholder`: then a value of it is one tag.
    pub fn is_alone(&self, placeholder: Placeholder) -> bool {
        let known = |part: &Part| match part {
            Part::Literal(_) => true,
            Part::Placeholder(own) => *own == placeholder,
            Part::Anything => false,
        };
        self.parts.iter().all(known)
    }

    /// Whether some tag would match both patterns.
    pub fn overlaps(&self, other: &Self) -> bool {
        walk::meet(&self.parts, &other.parts)
    }
}

/// Whether ECR takes this text as a tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
fn is_tag(text: &str) -> bool {
    text.len() <= LONGEST_TAG
        && text.bytes().all(part::is_tag_byte)
        && text.bytes().next().is_some_and(part::begins_a_tag)
}

impl FromStr for TagPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let refuse = |reason: String| InvalidPattern { found: text.to_owned(), reason };
        let parts = part::read(text).map_err(refuse)?;
        let shortest: usize = parts.iter().map(Part::shortest).sum();
        let wildcards = parts.iter().filter(|part| **part == Part::Anything).count();
        if parts.is_empty() {
            Err(refuse("it is empty".to_owned()))
        } else if text.starts_with(OWN_TAG) {
            Err(refuse("tags beginning `tidegate-` are Tidegate's own".to_owned()))
        } else if text.starts_with(['.', '-']) {
            Err(refuse("a tag begins with a letter, a digit or `_`".to_owned()))
        } else if shortest > LONGEST_TAG {
            Err(refuse(format!("no tag is longer than {LONGEST_TAG} characters")))
        } else if wildcards > MOST_WILDCARDS {
            Err(refuse(format!("it has more than {MOST_WILDCARDS} wildcards")))
        } else {
            Ok(Self { parts })
        }
    }
}

impl fmt::Display for TagPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| part.fmt(f))
    }
}

impl From<TagPattern> for String {
    fn from(pattern: TagPattern) -> Self {
        pattern.to_string()
    }
}

impl TryFrom<String> for TagPattern {
    type Error = InvalidPattern;

    fn try_from(text: String) -> Result<Self, InvalidPattern> {
        text.parse()
    }
}

#[cfg(test)]
mod tests;
