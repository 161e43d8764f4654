//! Text for people, JSON for programs; data on one stream, talk on the other.

use std::error::Error as _;
use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde::Serialize;

use crate::Error;

/// How output looks.
#[derive(Debug, Clone, clap::Args)]
pub struct OutputArgs {
    /// Text for people, or JSON with stable names for programs
    #[arg(long, global = true, value_enum, default_value = "text", help_heading = "Output")]
    pub output: Format,
    /// Colour; `auto` is on a terminal only, and not where `NO_COLOR` is set
    #[arg(long, global = true, value_enum, default_value = "auto", help_heading = "Output")]
    pub color: Color,
}

/// For whom the data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Whether text has colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// `auto`, settled for the program's own stdout.
    pub(crate) fn on_terminal(self) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        match self {
            Self::Auto if wanted && io::stdout().is_terminal() => Self::Always,
            other => other,
        }
    }
}

/// What a command says as its result.
pub trait Report: Serialize + Display {}

impl<T: Serialize + Display> Report for T {}

/// Where a command puts what it says.
pub(crate) struct Desk<'w> {
    format: Format,
    color: Color,
    out: &'w mut dyn Write,
    talk: &'w mut dyn Write,
}

impl<'w> Desk<'w> {
    pub(crate) fn new(args: &OutputArgs, out: &'w mut dyn Write, talk: &'w mut dyn Write) -> Self {
        Self { format: args.output, color: args.color, out, talk }
    }

    /// Whether programs read the data.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Writes data: the text of `report`, or its JSON.
    pub(crate) fn say(&mut self, report: &impl Report) -> Result<(), Error> {
        let text = render(report, self.format, self.color)?;
        match text.trim_end() {
            "" => Ok(()),
            text => self.write(&format!("{text}\n")),
        }
    }

    /// Writes one value of a series: in JSON one line each, so that a reader need not wait.
    pub(crate) fn say_next(&mut self, report: &impl Report) -> Result<(), Error> {
        if self.is_json() {
            return self.write(&format!("{}\n", serde_json::to_string(report)?));
        }
        self.say(report)
    }

    /// Writes data that has one form only.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Error> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()?;
        Ok(())
    }

    /// Says something that is not data.
    pub(crate) fn talk(&mut self, words: &impl Display) {
        // Whoever closed stderr does not want to hear it.
        let _ = writeln!(self.talk, "{}", plain(words));
    }

    /// Asks for a line, which is read elsewhere.
    pub(crate) fn prompt(&mut self, words: &str) {
        let _ = write!(self.talk, "{words}").and_then(|()| self.talk.flush());
    }

    /// Says why a command failed, with every cause.
    pub(crate) fn complain(&mut self, error: &Error) {
        if matches!(error, Error::Output(e) if e.kind() == io::ErrorKind::BrokenPipe) {
            return;
        }
        let causes = std::iter::successors(error.source(), |&cause| cause.source());
        let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
        self.talk(&format!("tidegate: {text}"));
    }
}

/// A report as it is printed.
pub fn render(report: &impl Report, format: Format, color: Color) -> Result<String, Error> {
    Ok(match format {
        Format::Json => serde_json::to_string_pretty(report)?,
        Format::Text if color == Color::Always => report.to_string(),
        Format::Text => plain(report),
    })
}

fn plain(words: &impl Display) -> String {
    anstream::adapter::strip_str(&words.to_string()).to_string()
}

/// What a word means for its reader. Reports carry it always; whoever prints without colour takes
/// it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it should be.
    Good,
    /// On its way.
    Moving,
    /// Waits for somebody.
    Waiting,
    /// Went wrong.
    Bad,
    /// A heading.
    Strong,
    /// Beside the point.
    Faint,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Moving => AnsiColor::Cyan.on_default(),
            Self::Waiting => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
        }
    }

    /// `words` in this tone.
    pub(crate) fn of<T: Display>(self, words: T) -> Toned<T> {
        Toned(self, words)
    }
}

/// Words with a tone. Padding goes inside: it must not count the colour.
pub(crate) struct Toned<T>(Tone, T);

impl<T: Display> Display for Toned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = self.0.style();
        write!(f, "{style}")?;
        self.1.fmt(f)?;
        write!(f, "{style:#}")
    }
}
