//! Why an invocation failed, and whether trying again can help.

use crate::setting::SettingError;
use crate::{Refusal, table::TableError};

/// What a handler returns when it could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// AWS refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A task definition that cannot be pinned.
    #[error("no revision can be made from {base}")]
    Definition {
        /// The revision it would be made from.
        base: String,
        /// Why.
        #[source]
        source: tidegate_core::definition::DefinitionError,
    },
    /// The environment.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Nobody understands the payload: it goes to the dead letters, where a person finds it.
    #[error("nobody understands this input: {0}")]
    NotUnderstood(String),
    /// The answer could not be written as JSON.
    #[error("the answer could not be written")]
    Answer(#[from] serde_json::Error),
}

impl Error {
    /// The error with its causes, as Lambda's log and the dead letter show it.
    pub fn told(self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(&self);
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }
}
