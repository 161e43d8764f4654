//! Whether an environment is well.

use std::fmt;

use serde::Serialize;
use tidegate_core::verify::{Line, State, Topic};

use crate::output::Tone;

/// Whether an environment is well, line by line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VerifyView {
    /// The pipeline.
    pub pipeline: String,
    /// Everything was seen, and nothing failed. Warnings do not count.
    pub ok: bool,
    /// How many lines are as they should be.
    pub green: usize,
    /// How many are worth a look.
    pub warning: usize,
    /// How many could not be seen.
    pub unknown: usize,
    /// How many failed.
    pub failed: usize,
    /// What was looked at, topic by topic.
    pub lines: Vec<Line>,
}

impl VerifyView {
    /// What was found.
    pub fn new(pipeline: &str, lines: Vec<Line>) -> Self {
        let count = |state| lines.iter().filter(|line| line.state == state).count();
        let (unknown, failed) = (count(State::Unknown), count(State::Failed));
        Self {
            pipeline: pipeline.to_owned(),
            ok: unknown == 0 && failed == 0,
            green: count(State::Green),
            warning: count(State::Warning),
            unknown,
            failed,
            lines,
        }
    }
}

impl fmt::Display for VerifyView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pipeline, ok, green, warning, unknown, failed, lines } = self;
        let width = lines.iter().map(|line| line.subject.chars().count()).max().unwrap_or_default();
        let mut last = None;
        for Line { topic, subject, state, said, remedy } in lines {
            if last.replace(*topic) != Some(*topic) {
                writeln!(f, "{}", Tone::Strong.of(heading(*topic)))?;
            }
            let name = format!("{:<7}", state.name());
            writeln!(f, "  {}  {subject:<width$}  {said}", tone(*state).of(name))?;
            if let Some(remedy) = remedy {
                writeln!(f, "{:13}{remedy}", "")?;
            }
        }
        let (word, tone) = if *ok { ("is well", Tone::Good) } else { ("is not well", Tone::Bad) };
        write!(f, "{} {}: {green} green", Tone::Strong.of(pipeline), tone.of(word))?;
        for (count, state) in [(warning, "warning"), (unknown, "unknown"), (failed, "failed")] {
            if *count > 0 {
                write!(f, ", {count} {state}")?;
            }
        }
        writeln!(f)
    }
}

fn tone(state: State) -> Tone {
    match state {
        State::Green => Tone::Good,
        State::Warning | State::Unknown => Tone::Waiting,
        State::Failed => Tone::Bad,
    }
}

fn heading(topic: Topic) -> &'static str {
    match topic {
        Topic::Services => "services",
        Topic::Drift => "since the last release",
        Topic::TargetGroups => "target groups",
        Topic::Checks => "checks",
        Topic::Logs => "log groups",
        Topic::Secrets => "secrets and parameters",
        Topic::Roles => "roles",
        Topic::Images => "images",
        Topic::EventPaths => "ways of events",
        Topic::Rollback => "who brings it back",
        Topic::Permissions => "permissions",
    }
}
