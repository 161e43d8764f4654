//! A mistake in the file, said so that it can be mended: where, what, what instead.

use std::fmt;

use serde::Serialize;

use super::path::{Path, Place};
use super::source::{Mistake, Source};

/// Something in the file that is wrong, or looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file's name as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The keys that lead there: `pipelines.someli-production.waves[1][2]`.
    pub path: String,
    /// Whether the file can be used all the same.
    pub severity: Severity,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

/// Whether the file can be used all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can; a person should look.
    Warning,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, path, severity, message, suggestion } = self;
        write!(f, "{file}:{line}:{column}: ")?;
        if *severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        f.write_str(message)?;
        match suggestion {
            Some(meant) => write!(f, "; did you mean `{meant}`?"),
            None => Ok(()),
        }
    }
}

/// All that is wrong with a file, in the order of its lines; at least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(transparent)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let line_break = if at == 0 { "" } else { "\n" };
            write!(f, "{line_break}{problem}")?;
        }
        Ok(())
    }
}

/// Collects problems of one file.
pub(super) struct Findings<'s> {
    file: &'s str,
    source: &'s Source,
    problems: Vec<Problem>,
}

impl<'s> Findings<'s> {
    pub(super) fn new(file: &'s str, source: &'s Source) -> Self {
        Self { file, source, problems: Vec::new() }
    }

    /// Something is wrong with a key, or with its being there, or not.
    pub(super) fn key(&mut self, path: &Path, message: impl Into<String>) -> &mut Problem {
        self.add(self.source.key_at(path), path, message.into())
    }

    /// Something is wrong with a value.
    pub(super) fn value(&mut self, path: &Path, message: impl Into<String>) -> &mut Problem {
        self.add(self.source.value_at(path), path, message.into())
    }

    /// Something is wrong with the text itself.
    pub(super) fn mistake(&mut self, mistake: Mistake) {
        self.add(mistake.place, &mistake.path, mistake.message);
    }

    /// Whether anything was found that makes the file unusable.
    pub(super) fn any_error(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// The warnings, or everything where something is wrong.
    pub(super) fn finish(self) -> Result<Vec<Problem>, Problems> {
        if self.any_error() { Err(Problems(self.all())) } else { Ok(self.all()) }
    }

    /// Everything in the order of the file. A mistake under an anchor is said once, however often
    /// the anchor is used.
    pub(super) fn all(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        self.problems
            .dedup_by(|b, a| (a.line, a.column, &a.message) == (b.line, b.column, &b.message));
        self.problems
    }

    fn add(&mut self, place: Place, path: &Path, message: String) -> &mut Problem {
        self.problems.push(problem(self.file, place, path, message));
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }
}

impl Problem {
    /// Says what was probably meant, if anything was.
    pub(super) fn meant(&mut self, name: Option<&str>) -> &mut Self {
        self.suggestion = name.map(str::to_owned);
        self
    }

    /// The file can be used all the same.
    pub(super) fn warning(&mut self) -> &mut Self {
        self.severity = Severity::Warning;
        self
    }
}

/// A problem at a place of a file.
pub(super) fn problem(file: &str, place: Place, path: &Path, message: String) -> Problem {
    Problem {
        file: file.to_owned(),
        line: place.line,
        column: place.column,
        path: path.to_string(),
        severity: Severity::Error,
        message,
        suggestion: None,
    }
}
