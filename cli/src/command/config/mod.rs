//! `tidegate config`: the file that says which pushes go where.

mod application;
mod apply;
mod check;
mod retire;
mod show;

use std::fs;

pub use application::{Application, Applied};
pub use apply::Apply;
pub use check::{Check, Findings};
pub use retire::{Retire, Retirement};
pub use show::Show;

use tidegate_core::config;

use crate::output::Desk;
use crate::{Error, Exit, Session};

/// Check a config, apply it, show the one in force, or retire a pipeline
#[derive(Debug, Clone, clap::Subcommand)]
#[expect(missing_docs, reason = "the help of each verb is at its struct")]
pub enum Config {
    Check(Check),
    Apply(Apply),
    Show(Show),
    Retire(Retire),
}

impl Config {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        match self {
            Self::Check(command) => command.run(session, desk).await,
            Self::Apply(command) => command.run(session, desk).await,
            Self::Show(command) => command.run(session, desk).await,
            Self::Retire(command) => command.run(session, desk).await,
        }
    }
}

/// Reads a config file.
fn read(path: &str) -> Result<config::Config, Error> {
    let text =
        fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    Ok(config::Config::parse(path, &text)?)
}
