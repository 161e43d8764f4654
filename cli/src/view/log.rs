//! The last lines of a task that stopped.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use tidegate_aws::logs::{LogLine, LogStream};

use super::moment;
use crate::output::Tone;

/// What one task of a release printed last, or why that is not known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogView {
    /// The service.
    pub service: String,
    /// The task's id.
    pub task: String,
    /// The container that ended it.
    pub container: String,
    /// The log group, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The stream in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The last lines, oldest first.
    pub lines: Vec<LineView>,
    /// Why there are none: action, resource, and AWS's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineView {
    /// When it was written.
    pub at: Timestamp,
    /// What was written.
    pub text: String,
}

impl LogView {
    /// Of a task whose log is not read yet.
    pub(crate) fn of(service: &str, task: &str, container: &str) -> Self {
        let (service, task) = (service.to_owned(), task.to_owned());
        let (container, lines) = (container.to_owned(), Vec::new());
        Self { service, task, container, group: None, stream: None, lines, problem: None }
    }

    /// The same with what was read there.
    pub(crate) fn read(mut self, from: LogStream, lines: Result<Vec<LogLine>, String>) -> Self {
        (self.group, self.stream) = (Some(from.group), Some(from.stream));
        match lines {
            Ok(lines) => {
                let lines = lines.into_iter().map(|LogLine { at, text }| LineView { at, text });
                self.lines = lines.collect();
                self
            }
            Err(problem) => self.failed(problem),
        }
    }

    /// The same with the reason why nothing was read.
    pub(crate) fn failed(self, problem: String) -> Self {
        Self { problem: Some(problem), ..self }
    }
}

impl fmt::Display for LogView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, task, container, group, stream, lines, problem } = self;
        write!(f, "{service}, task {task}, container {container}")?;
        if let (Some(group), Some(stream)) = (group, stream) {
            write!(f, " ({group} {stream})")?;
        }
        writeln!(f)?;
        for LineView { at, text } in lines {
            writeln!(f, "  {}  {text}", Tone::Faint.of(moment(*at)))?;
        }
        match problem {
            Some(problem) => {
                writeln!(f, "  {}", Tone::Waiting.of(format_args!("not read: {problem}")))
            }
            None if lines.is_empty() => writeln!(f, "  it printed nothing"),
            None => Ok(()),
        }
    }
}
