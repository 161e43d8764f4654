//! Destructive verbs ask first.

use std::io::stdin;

use crate::output::Desk;
use crate::{Error, Session};

/// Whether a command that changes something may.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Consent {
    /// Do not ask for the pipeline's name
    #[arg(long, short)]
    pub yes: bool,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl Consent {
    /// Lets go on only who types the pipeline's name, or said `--yes`; a dry run harms nobody.
    pub(crate) fn ask(
        self,
        session: &Session,
        desk: &mut Desk<'_>,
        pipeline: &str,
        what: &str,
    ) -> Result<(), Error> {
        if self.yes || self.dry_run {
            return Ok(());
        }
        if !session.is_interactive() {
            return Err(Error::Usage(format!(
                "this {what}, and nobody can be asked here; --yes goes on without asking"
            )));
        }
        desk.prompt(&format!("This {what}. Type the pipeline's name to go on: "));
        let mut answer = String::new();
        stdin().read_line(&mut answer)?;
        if answer.trim() == pipeline {
            return Ok(());
        }
        Err(Error::NotNow(format!("that is not `{pipeline}`: nothing was done")))
    }
}
