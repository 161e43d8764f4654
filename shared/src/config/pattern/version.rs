//! Semantic versions in their order: what `{semver}` stands for.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::part::{Part, Placeholder};

/// A semantic version: `1.10.0` comes after `1.9.0`, and `1.10.0-rc.1` before `1.10.0`.
///
/// Build metadata cannot stand in a tag, so there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Major, minor, patch.
    numbers: [String; 3],
    /// The pre-release's identifiers; empty for a release.
    pre: Vec<String>,
}

/// Why a text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a semantic version; write `1.10.0` or `1.10.0-rc.1`")]
pub struct InvalidVersion {
    /// The text as it came.
    pub found: String,
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let part = Part::Placeholder(Placeholder::Semver);
        let end = text.bytes().try_fold(0, |state, byte| part.step(state, byte));
        if !end.is_some_and(|state| part.accepts(state)) {
            return Err(InvalidVersion { found: text.to_owned() });
        }
        let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
        let mut numbers = numbers.split('.').map(str::to_owned);
        Ok(Self {
            numbers: std::array::from_fn(|_| numbers.next().unwrap_or_default()),
            pre: pre.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        })
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = self.numbers.iter().zip(&other.numbers);
        let ordered = numbers.fold(Ordering::Equal, |so_far, (a, b)| so_far.then(number(a, b)));
        ordered
            // A pre-release comes before its release.
            .then_with(|| self.pre.is_empty().cmp(&other.pre.is_empty()))
            .then_with(|| {
                let pre = self.pre.iter().zip(&other.pre);
                pre.fold(Ordering::Equal, |so_far, (a, b)| so_far.then(identifier(a, b)))
            })
            .then_with(|| self.pre.len().cmp(&other.pre.len()))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers as text, so that none is too large: the longer is greater.
fn number(a: &str, b: &str) -> Ordering {
    let (short_a, short_b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    short_a.len().cmp(&short_b.len()).then_with(|| short_a.cmp(short_b)).then_with(|| a.cmp(b))
}

/// Identifiers of digits are numbers and come before those with letters.
fn identifier(a: &str, b: &str) -> Ordering {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match (digits(a), digits(b)) {
        (true, true) => number(a, b),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.numbers.join("."))?;
        if self.pre.is_empty() { Ok(()) } else { write!(f, "-{}", self.pre.join(".")) }
    }
}
