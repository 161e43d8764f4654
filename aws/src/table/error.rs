//! What can go wrong with the table. Losing a race is not here: it is an ordinary outcome.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::refusal;

const NO_ANSWER: &str = "no answer in time";
const UNREADABLE: &str = "an answer that cannot be read";

/// Why the table did not answer.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// DynamoDB refused or was not reached.
    #[error("dynamodb:{action} on {resource} failed: {code} {message}")]
    Call {
        /// The API action.
        action: &'static str,
        /// The table or index.
        resource: String,
        /// DynamoDB's code, or how the call was lost.
        code: String,
        /// DynamoDB's words.
        message: String,
    },
    /// An item of a newer Tidegate: it is left alone.
    #[error("{item} was written in schema {found}; this Tidegate knows up to {known}: update it")]
    Future {
        /// The item's keys.
        item: String,
        /// Its schema.
        found: u64,
        /// Ours.
        known: u64,
    },
    /// An item that does not say what it should.
    #[error("{item} could not be read")]
    Unreadable {
        /// The item's keys.
        item: String,
        /// What is wrong in it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A value that does not fit an item.
    #[error("an item could not be written")]
    Unwritable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Others wrote the same items again and again.
    #[error("{what} was overtaken {tries} times; the next wake-up tries again")]
    Contended {
        /// What was to be written.
        what: String,
        /// How often it was tried.
        tries: u32,
    },
    /// The pipeline was never applied.
    #[error("pipeline {0} is not known here; `tidegate config apply` makes it known")]
    NoSuchPipeline(String),
    /// The head names an item that is not there.
    #[error("{0} is named by another item and does not exist")]
    Missing(String),
}

impl TableError {
    pub(super) fn write(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unwritable(Box::new(source))
    }

    pub(super) fn call<E, R>(action: &'static str, resource: &str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        let (code, message) = match error {
            SdkError::ServiceError(refused) => (
                refused.err().code().unwrap_or("an unnamed error").to_owned(),
                refused.err().message().unwrap_or_default().to_owned(),
            ),
            SdkError::TimeoutError(_) => (NO_ANSWER.to_owned(), String::new()),
            SdkError::DispatchFailure(failure) => (
                "not reached:".to_owned(),
                failure.as_connector_error().map_or_else(String::new, |error| refusal::told(error)),
            ),
            _ => (UNREADABLE.to_owned(), String::new()),
        };
        Self::Call { action, resource: resource.to_owned(), code, message }
    }

    /// What was to be written may stand there all the same: only its answer was lost.
    pub fn may_have_landed(&self) -> bool {
        matches!(self, Self::Call { code, .. } if [NO_ANSWER, UNREADABLE].contains(&code.as_str()))
    }

    /// There is no such table here.
    pub fn is_no_table(&self) -> bool {
        matches!(self, Self::Call { code, .. } if code == "ResourceNotFoundException")
    }
}
