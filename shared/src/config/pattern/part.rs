//! The parts of a pattern, each a small automaton that reads a tag byte by byte.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::near;

/// What a pattern captures by name.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Placeholder {
    /// `{sha}`: a commit, 7 to 64 lower-case hex digits.
    Sha,
    /// `{version}`: numbers with dots between them: `7`, `1.4`, `2024.11.3`.
    Version,
    /// `{semver}`: a semantic version, `1.10.0` or `1.10.0-rc.1`.
    Semver,
}

impl Placeholder {
    const ALL: [Self; 3] = [Self::Sha, Self::Version, Self::Semver];

    /// The word between the braces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha => "sha",
            Self::Version => "version",
            Self::Semver => "semver",
        }
    }
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// This text.
    Literal(String),
    /// `{sha}`, `{version}`, `{semver}`.
    Placeholder(Placeholder),
    /// `*`: any text, or none.
    Anything,
}

/// Where a part's automaton stands; 0 is its beginning. For texts and shas it counts the bytes
/// read, for versions it is one of the named states below.
pub(super) type State = u8;

const SHA: std::ops::RangeInclusive<u8> = 7..=64;

/// `{version}`: a digit must follow.
const DIGIT_DUE: State = 0;
/// `{version}`: inside a number.
const IN_NUMBER: State = 1;

/// `{semver}`: the three numbers take three states each, `3 * n +` one of these.
const NUMBER_DUE: State = 0;
const AFTER_ZERO: State = 1;
const AFTER_DIGIT: State = 2;
/// `{semver}`: after `-` or `.`, an identifier must follow.
const IDENTIFIER_DUE: State = 9;
const IN_IDENTIFIER: State = 10;

impl Part {
    /// The state after one more byte, or `None` where the byte does not fit.
    pub(super) fn step(&self, state: State, byte: u8) -> Option<State> {
        match self {
            Self::Literal(text) => {
                (text.as_bytes().get(usize::from(state)) == Some(&byte)).then(|| state + 1)
            }
            Self::Anything => Some(0),
            Self::Placeholder(Placeholder::Sha) => {
                let hex = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                (hex && state < *SHA.end()).then(|| state + 1)
            }
            Self::Placeholder(Placeholder::Version) => match (state, byte) {
                (_, b'0'..=b'9') => Some(IN_NUMBER),
                (IN_NUMBER, b'.') => Some(DIGIT_DUE),
                _ => None,
            },
            Self::Placeholder(Placeholder::Semver) => step_semver(state, byte),
        }
    }

    /// Whether the part may end in this state.
    pub(super) fn accepts(&self, state: State) -> bool {
        match self {
            Self::Literal(text) => usize::from(state) == text.len(),
            Self::Anything => true,
            Self::Placeholder(Placeholder::Sha) => SHA.contains(&state),
            Self::Placeholder(Placeholder::Version) => state == IN_NUMBER,
            Self::Placeholder(Placeholder::Semver) => {
                matches!(state, 7 | 8 | IN_IDENTIFIER)
            }
        }
    }

    /// The fewest bytes that this part takes.
    pub(super) fn shortest(&self) -> usize {
        match self {
            Self::Literal(text) => text.len(),
            Self::Anything => 0,
            Self::Placeholder(Placeholder::Sha) => usize::from(*SHA.start()),
            Self::Placeholder(Placeholder::Version) => "1".len(),
            Self::Placeholder(Placeholder::Semver) => "1.2.3".len(),
        }
    }
}

fn step_semver(state: State, byte: u8) -> Option<State> {
    if state >= IDENTIFIER_DUE {
        return match byte {
            b'.' if state == IN_IDENTIFIER => Some(IDENTIFIER_DUE),
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' => Some(IN_IDENTIFIER),
            _ => None,
        };
    }
    let (number, within) = (state / 3, state % 3);
    match (within, byte) {
        (NUMBER_DUE, b'0') => Some(number * 3 + AFTER_ZERO),
        (NUMBER_DUE, b'1'..=b'9') | (AFTER_DIGIT, b'0'..=b'9') => Some(number * 3 + AFTER_DIGIT),
        (AFTER_ZERO | AFTER_DIGIT, b'.') if number < 2 => Some((number + 1) * 3),
        (AFTER_ZERO | AFTER_DIGIT, b'-') if number == 2 => Some(IDENTIFIER_DUE),
        _ => None,
    }
}

/// What ECR takes in a tag.
pub(super) fn is_tag_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// What ECR takes as a tag's first byte.
pub(super) fn begins_a_tag(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Takes a pattern's text apart, or says what is wrong with it.
pub(super) fn read(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '*' {
            parts.push(Part::Anything);
            rest = &rest[1..];
        } else if first == '{' {
            let (name, after) = rest[1..].split_once('}').ok_or("`{` is not closed by `}`")?;
            let part = Part::Placeholder(placeholder(name)?);
            if parts.contains(&part) {
                return Err(format!("`{{{name}}}` stands in it twice"));
            }
            parts.push(part);
            rest = after;
        } else {
            let end = rest.find(['*', '{']).unwrap_or(rest.len());
            let literal = &rest[..end];
            if let Some(odd) = literal.chars().find(|c| !c.is_ascii() || !is_tag_byte(*c as u8)) {
                return Err(format!(
                    "`{odd}` cannot stand in a tag; letters, digits, `_`, `.` and `-` can"
                ));
            }
            parts.push(Part::Literal(literal.to_owned()));
            rest = &rest[end..];
        }
    }
    // Two wildcards side by side say what one says.
    parts.dedup_by(|a, b| *a == Part::Anything && *b == Part::Anything);
    Ok(parts)
}

fn placeholder(name: &str) -> Result<Placeholder, String> {
    let known = Placeholder::ALL;
    known.into_iter().find(|placeholder| placeholder.name() == name).ok_or_else(
        || match near::miss(name, known.map(Placeholder::name)) {
            Some(meant) => format!("`{{{name}}}` is unknown; did you mean `{{{meant}}}`?"),
            None => format!("`{{{name}}}` is unknown; known are {{sha}}, {{version}}, {{semver}}"),
        },
    )
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.name())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Placeholder(placeholder) => placeholder.fmt(f),
            Self::Anything => f.write_str("*"),
        }
    }
}
