//! The command line, as clap reads it.

use clap::{Parser, Subcommand};

use crate::command::{
    abandon, accept, block, config, follow, freeze, history, init, rollback, show, start, status,
    unblock, unfreeze, wait,
};
use crate::output::{Desk, OutputArgs};
use crate::{Access, Error, Exit, Session};

const AFTER_HELP: &str = "\
A release is written someli-production/42; `latest` and `live` stand for a number, and a pipeline \
alone for what moves there.

Exit codes:
   0  done; of a release: live
   1  failed, or refused
   2  wrong usage
  10  the release still moves
  20  it waits, or is frozen
  21  it was rolled back
  22  its rollback failed, it drifted, or it was abandoned";

/// See what Tidegate does, and tell it what to do
#[derive(Debug, Clone, Parser)]
#[command(name = "tidegate", version, after_help = AFTER_HELP)]
pub struct Args {
    /// Where Tidegate's table is, and as whom it is asked.
    #[command(flatten)]
    pub access: Access,
    /// How output looks.
    #[command(flatten)]
    pub output: OutputArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// Settles what depends on the program's own terminal.
    #[must_use]
    pub fn on_terminal(mut self) -> Self {
        self.output.color = self.output.color.on_terminal();
        self
    }
}

/// The verbs; each explains itself in its own file.
#[derive(Debug, Clone, Subcommand)]
#[expect(missing_docs, reason = "the help of each verb is at its struct")]
pub enum Command {
    Init(init::Init),
    #[command(subcommand)]
    Config(config::Config),
    Start(start::Start),
    Status(status::Status),
    History(history::History),
    Show(show::Show),
    Follow(follow::Follow),
    Wait(wait::Wait),
    Rollback(rollback::Rollback),
    Accept(accept::Accept),
    Abandon(abandon::Abandon),
    Freeze(freeze::Freeze),
    Unfreeze(unfreeze::Unfreeze),
    Block(block::Block),
    Unblock(unblock::Unblock),
}

impl Command {
    pub(crate) async fn run(&self, session: &Session, desk: &mut Desk<'_>) -> Result<Exit, Error> {
        match self {
            Self::Init(command) => command.run(session, desk).await,
            Self::Config(command) => command.run(session, desk).await,
            Self::Start(command) => command.run(session, desk).await,
            Self::Status(command) => command.run(session, desk).await,
            Self::History(command) => command.run(session, desk).await,
            Self::Show(command) => command.run(session, desk).await,
            Self::Follow(command) => command.run(session, desk).await,
            Self::Wait(command) => command.run(session, desk).await,
            Self::Rollback(command) => command.run(session, desk).await,
            Self::Accept(command) => command.run(session, desk).await,
            Self::Abandon(command) => command.run(session, desk).await,
            Self::Freeze(command) => command.run(session, desk).await,
            Self::Unfreeze(command) => command.run(session, desk).await,
            Self::Block(command) => command.run(session, desk).await,
            Self::Unblock(command) => command.run(session, desk).await,
        }
    }
}
