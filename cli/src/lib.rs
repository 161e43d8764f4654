//! The operator's command line: the same decisions and transactions as the functions'.
//!
//! [`run`] is the whole of it, so that tests and the demo call the very same code as the terminal.

mod access;
mod adoption;
mod args;
mod choice;
mod claims;
pub mod command;
mod consent;
mod decision;
mod destination;
mod error;
mod exit;
mod live;
mod logs;
mod output;
mod pushes;
mod reason;
mod reference;
mod session;
pub mod view;

use std::io::Write;

pub use access::Access;
pub use args::{Args, Command};
pub use choice::Choice;
pub use error::Error;
pub use exit::Exit;
pub use output::{Color, Format, render};
pub use reference::{Goal, InvalidReference, Reference, Which};
pub use session::{Identity, Session};

use output::Desk;

/// Runs one command: data to `out`, talk to `talk`.
///
/// Neither is taken for a terminal: there is colour only where `args` say `--color always`.
pub async fn run(
    args: &Args,
    session: &Session,
    out: &mut dyn Write,
    talk: &mut dyn Write,
) -> Exit {
    let mut desk = Desk::new(&args.output, out, talk);
    match args.command.run(session, &mut desk).await {
        Ok(exit) => exit,
        Err(error) => {
            desk.complain(&error);
            error.exit()
        }
    }
}
