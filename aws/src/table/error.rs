//! What can go wrong with the table. Losing a race is not here: it is an ordinary outcome.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::result::ConnectorError;

use crate::refusal;

/// Why the table did not answer.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// DynamoDB refused or was not reached.
    #[error("dynamodb:{action} on {resource} failed: {said}")]
    Call {
        /// The API action.
        action: &'static str,
        /// The table or index.
        resource: String,
        /// What that means.
        lost: Lost,
        /// The same in DynamoDB's words, or the SDK's.
        said: String,
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

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// DynamoDB answered with this code.
    Refused(String),
    /// It was sent, and may have been carried out: only its answer was lost.
    Answer,
    /// Nobody was reached.
    Connection,
    /// It was not sent, for nobody could sign it.
    Credentials,
}

impl TableError {
    pub(super) fn write(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unwritable(Box::new(source))
    }

    pub(super) fn call<E, R>(action: &'static str, resource: &str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        let (lost, said) = match error {
            SdkError::ServiceError(refused) => {
                let code = refused.err().code().unwrap_or("an unnamed error");
                let words = refused.err().message().unwrap_or_default();
                let said = format!("{code} {words}").trim_end().to_owned();
                match code {
                    // DynamoDB stumbled on its way, nobody knows where.
                    "InternalServerError" => (Lost::Answer, said),
                    _ => (Lost::Refused(code.to_owned()), said),
                }
            }
            SdkError::TimeoutError(_) => (Lost::Answer, "no answer in time".to_owned()),
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(error) => (cut_off(error), format!("not reached: {}", refusal::told(error))),
                None => (Lost::Connection, "not reached".to_owned()),
            },
            _ => (Lost::Answer, "an answer that cannot be read".to_owned()),
        };
        Self::Call { action, resource: resource.to_owned(), lost, said }
    }
}

fn cut_off(error: &ConnectorError) -> Lost {
    // So hyper says that no connection ever stood; one that broke later may have carried the call.
    const NEVER_STOOD: &str = "client error (Connect)";
    let mut causes = refusal::causes(error);
    if causes.any(|cause| cause.is::<CredentialsError>()) {
        return Lost::Credentials;
    }
    let stood = error.is_io() && !refusal::told(error).contains(NEVER_STOOD);
    if stood || error.is_timeout() { Lost::Answer } else { Lost::Connection }
}
