//! The command line, as clap reads it.

use std::pin::Pin;

use clap::{Parser, Subcommand};

use crate::command::{
    abandon, accept, approve, block, config, follow, freeze, history, init, plan, reject, rollback,
    show, start, status, unblock, unfreeze, verify, wait,
};
use crate::output::{Desk, OutputArgs};
use crate::{Access, Error, Exit, Session};

const AFTER_HELP: &str = "\
A release is written someli-production/42; `latest` and `live` stand for a number, and a pipeline \
alone for what moves there.

Exit codes:
   0  done; of a release: live, or undone as asked
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
    Plan(plan::Plan),
    Verify(verify::Verify),
    Start(start::Start),
    Status(status::Status),
    History(history::History),
    Show(show::Show),
    Follow(follow::Follow),
    Wait(wait::Wait),
    Approve(approve::Approve),
    Reject(reject::Reject),
    Rollback(rollback::Rollback),
    Accept(accept::Accept),
    Abandon(abandon::Abandon),
    Freeze(freeze::Freeze),
    Unfreeze(unfreeze::Unfreeze),
    Block(block::Block),
    Unblock(unblock::Unblock),
}

/// A verb at work.
type Running<'a> = Pin<Box<dyn Future<Output = Result<Exit, Error>> + 'a>>;

impl Command {
    /// On the heap: the calls of some verbs are deep, and tests' threads have small stacks.
    pub(crate) fn run<'a>(&'a self, session: &'a Session, desk: &'a mut Desk<'_>) -> Running<'a> {
        match self {
            Self::Init(command) => Box::pin(command.run(session, desk)),
            Self::Config(command) => Box::pin(command.run(session, desk)),
            Self::Plan(command) => Box::pin(command.run(session, desk)),
            Self::Verify(command) => Box::pin(command.run(session, desk)),
            Self::Start(command) => Box::pin(command.run(session, desk)),
            Self::Status(command) => Box::pin(command.run(session, desk)),
            Self::History(command) => Box::pin(command.run(session, desk)),
            Self::Show(command) => Box::pin(command.run(session, desk)),
            Self::Follow(command) => Box::pin(command.run(session, desk)),
            Self::Wait(command) => Box::pin(command.run(session, desk)),
            Self::Approve(command) => Box::pin(command.run(session, desk)),
            Self::Reject(command) => Box::pin(command.run(session, desk)),
            Self::Rollback(command) => Box::pin(command.run(session, desk)),
            Self::Accept(command) => Box::pin(command.run(session, desk)),
            Self::Abandon(command) => Box::pin(command.run(session, desk)),
            Self::Freeze(command) => Box::pin(command.run(session, desk)),
            Self::Unfreeze(command) => Box::pin(command.run(session, desk)),
            Self::Block(command) => Box::pin(command.run(session, desk)),
            Self::Unblock(command) => Box::pin(command.run(session, desk)),
        }
    }
}
