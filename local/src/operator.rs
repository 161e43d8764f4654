//! A person at the local AWS: the real command line, with an operator's credentials.

use std::io::Write as _;

use aws_types::SdkConfig;
use tidegate_aws::{Clock, Dice, Probe, Table};
use tidegate_cli::{Args, Exit, Identity, Session};

use crate::call::Caller;
use crate::cloud::Cloud;

/// The access key that every operator uses; any key that names no function would do.
pub const ACCESS_KEY: &str = "OPERATOR";

/// What an operator holds.
#[derive(Debug)]
pub struct Operator {
    /// The table, as the CLI sees it.
    pub table: Table,
    session: Session,
}

/// What a command said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its exit code.
    pub exit: Exit,
    /// What it wrote on stdout.
    pub out: String,
    /// What it wrote on stderr.
    pub talk: String,
}

/// Why a command could not be typed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line does not know it.
    #[error(transparent)]
    Words(#[from] clap::Error),
    /// The file it names could not be written.
    #[error("no file for the config")]
    File(#[from] std::io::Error),
}

impl Operator {
    /// An operator whose calls go where `sdk` says, and who asks URLs through `probe`.
    pub fn new(cloud: &Cloud, clock: &Clock, sdk: SdkConfig, probe: Probe, seed: u64) -> Self {
        let table = Table::new(&sdk, cloud.table().to_owned(), clock.clone(), Dice::seeded(seed));
        let arn = Caller::Operator.arn(&cloud.place);
        let identity = Identity { arn, account: cloud.place.account.clone() };
        let session = Session::of(table.clone(), clock.clone(), sdk, identity).asking(probe);
        Self { table, session }
    }

    /// Types `config apply` for a file that holds `config`.
    pub async fn applies(&self, config: &str) -> Result<Said, Failure> {
        self.types_with(&["config", "apply"], config).await
    }

    /// Types `words` and then the name of a file that holds `config`, and takes the file away again.
    pub async fn types_with(&self, words: &[&str], config: &str) -> Result<Said, Failure> {
        // A name of its own: other stories of this seed may be played at the same time.
        let mut file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
        file.write_all(config.as_bytes())?;
        Ok(self.types(&[words, &[&file.path().to_string_lossy()]].concat()).await?)
    }

    /// Types `words` at the command line, without the program's name.
    pub async fn types(&self, words: &[&str]) -> Result<Said, clap::Error> {
        let args = <Args as clap::Parser>::try_parse_from([&["tidegate"], words].concat())?;
        let (mut out, mut talk) = (Vec::new(), Vec::new());
        let exit = tidegate_cli::run(&args, &self.session, &mut out, &mut talk).await;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Said { exit, out: text(out), talk: text(talk) })
    }
}
