//! Why a command did not do what it was asked.

use std::io;

use tidegate_aws::Refusal;
use tidegate_aws::table::{Lost, TableError};
use tidegate_core::command::Refused;
use tidegate_core::config::Problems;

use crate::Exit;

/// DynamoDB's code for it.
const NO_TABLE: &str = "ResourceNotFoundException";

/// Why a command did not do what it was asked. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is understood, but not usable here.
    #[error("{0}")]
    Usage(String),
    /// The state of things does not allow it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The same, where only this program knows why.
    #[error("{0}")]
    NotNow(String),
    /// The table.
    #[error(transparent)]
    Table(TableError),
    /// A table of another name, or of another place.
    #[error("{0}; is that the stack's output `Table`, and are region and account the stack's?")]
    NoTable(TableError),
    /// The pipeline was never applied.
    #[error(
        "pipeline {0} is not known here; `tidegate status` names those that are, and `tidegate config apply` makes more known"
    )]
    NoPipeline(String),
    /// Nobody knows whether it was written.
    #[error(
        "{why}: whether it was written is not known; look at `tidegate status {pipeline}` before \
         you type it again"
    )]
    Unanswered {
        /// Where it was to be written.
        pipeline: String,
        /// What was lost.
        why: TableError,
    },
    /// AWS.
    #[error(transparent)]
    Aws(#[from] Refusal),
    /// A look such as the functions take.
    #[error(transparent)]
    Survey(#[from] tidegate_aws::Error),
    /// Nobody knows who the operator is.
    #[error("no AWS credentials that work: {0}; `aws sts get-caller-identity` must work first")]
    Identity(String),
    /// A file of the operator's.
    #[error("{path} cannot be read")]
    File {
        /// Its name as given.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The config has mistakes.
    #[error(transparent)]
    Config(#[from] Problems),
    /// Others wrote the same items each time.
    #[error(
        "{0} was overtaken by other writers, or throttled, again and again; try again in a moment"
    )]
    Overtaken(String),
    /// Nobody reads the output.
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
    /// The output cannot be said as JSON.
    #[error("the output cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl From<TableError> for Error {
    fn from(error: TableError) -> Self {
        match error {
            TableError::NoSuchPipeline(pipeline) => Self::NoPipeline(pipeline),
            TableError::Contended { what, .. } => Self::Overtaken(what),
            TableError::Call { lost: Lost::Refused(ref code), .. } if code == NO_TABLE => {
                Self::NoTable(error)
            }
            TableError::Call { lost: Lost::Credentials, said, .. } => Self::Identity(said),
            error => Self::Table(error),
        }
    }
}

impl Error {
    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Refused(_)
            | Self::NotNow(_)
            | Self::Table(_)
            | Self::NoTable(_)
            | Self::NoPipeline(_)
            | Self::Unanswered { .. }
            | Self::Aws(_)
            | Self::Survey(_)
            | Self::Identity(_)
            | Self::File { .. }
            | Self::Config(_)
            | Self::Overtaken(_)
            | Self::Output(_)
            | Self::Json(_) => Exit::Failed,
        }
    }
}
