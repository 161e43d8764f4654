//! What an SDK error means for us. Nobody else looks into one.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::attempts::may_have_landed_before;

/// AWS did not do what it was asked: which action, on what, and why in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action} on {resource}: {message}")]
pub struct Refusal {
    /// The action as IAM writes it: `ecs:UpdateService`.
    pub action: &'static str,
    /// What it was asked about.
    pub resource: String,
    /// What it means.
    pub kind: RefusalKind,
    /// AWS's words.
    pub message: String,
    /// An attempt before this answer had none: it may have landed.
    pub after_silence: bool,
}

/// What a refusal means for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// Too many calls: come back later.
    Throttled,
    /// Two registered a revision of one family at the same time: come back soon.
    TooManyConcurrent,
    /// The policy does not allow it.
    AccessDenied,
    /// There is no such thing.
    NotFound,
    /// It stands in the way of what is there now.
    Conflict,
    /// The request itself is not acceptable; asking again changes nothing.
    Invalid,
    /// No answer to one of its attempts, or a broken one: unknown whether it was done.
    Unreachable,
}

impl Refusal {
    /// Names the action and the resource of a call that failed:
    /// `.map_err(Refusal::of("ecs:UpdateService", service))`.
    pub(crate) fn of<E>(
        action: &'static str,
        resource: impl Into<String>,
    ) -> impl FnOnce(SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        move |error| {
            // The call was never sent: the role that it needed was refused.
            if let Some(refused) = causes(&error).find_map(|it| it.downcast_ref::<Self>()) {
                return refused.clone();
            }
            let (kind, message, after_silence) = meaning(&error);
            let refusal = Self { action, resource: resource.into(), kind, message, after_silence };
            if kind == RefusalKind::Throttled { refusal.into_throttle() } else { refusal }
        }
    }

    /// A refusal that AWS put into an answer of 200.
    pub(crate) fn in_answer(
        action: &'static str,
        resource: impl Into<String>,
        code: &str,
        words: &str,
    ) -> Self {
        let (kind, message) = (classify(200, code, words), format!("{code}: {words}"));
        Self { action, resource: resource.into(), kind, message, after_silence: false }
    }

    /// AWS answered, with what Tidegate must not act on.
    pub(crate) fn unfit(action: &'static str, resource: &str, words: &str) -> Self {
        let (kind, message) = (RefusalKind::Invalid, words.to_owned());
        Self { action, resource: resource.to_owned(), kind, message, after_silence: false }
    }

    /// The same, where waiting is all it takes, also where AWS has no code that says so. After an attempt
    /// without an answer it says nothing of what became of that one.
    pub(crate) fn into_throttle(self) -> Self {
        let open = self.after_silence;
        let kind = if open { RefusalKind::Unreachable } else { RefusalKind::Throttled };
        Self { kind, ..self }
    }

    /// AWS answered, but not with what its interface promises.
    pub(crate) fn broken(action: &'static str, resource: &str, missing: &str) -> Self {
        let (kind, message) = (RefusalKind::Unreachable, format!("the answer holds no {missing}"));
        Self { action, resource: resource.to_owned(), kind, message, after_silence: false }
    }

    /// Waiting is all it takes.
    pub fn is_throttle(&self) -> bool {
        matches!(self.kind, RefusalKind::Throttled | RefusalKind::TooManyConcurrent)
    }

    /// AWS said no: asking the same again changes nothing.
    pub fn is_final(&self) -> bool {
        !self.is_throttle() && !self.may_have_landed()
    }

    /// What was asked about is not there.
    pub fn is_not_found(&self) -> bool {
        self.kind == RefusalKind::NotFound
    }

    /// The call may have been carried out, or may be later.
    pub fn may_have_landed(&self) -> bool {
        self.kind == RefusalKind::Unreachable
    }

    /// The repository is there, but not the image.
    pub(crate) fn is_missing_image(&self) -> bool {
        self.names("ImageNotFoundException")
    }

    /// The image has this tag already.
    pub(crate) fn is_image_already_there(&self) -> bool {
        self.names("ImageAlreadyExistsException")
    }

    /// The repository has no lifecycle policy.
    pub(crate) fn is_missing_lifecycle_policy(&self) -> bool {
        self.names("LifecyclePolicyNotFoundException")
    }

    fn names(&self, code: &str) -> bool {
        self.message.strip_prefix(code).is_some_and(|rest| rest.starts_with(':'))
    }
}

fn meaning<E>(error: &SdkError<E, HttpResponse>) -> (RefusalKind, String, bool)
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(answer) => {
            let code = answer.err().code().unwrap_or("no error code");
            let words = answer.err().message().unwrap_or("no message");
            let kind = classify(answer.raw().status().as_u16(), code, words);
            (kind, format!("{code}: {words}"), may_have_landed_before(answer.raw()))
        }
        SdkError::ConstructionFailure(_) => (RefusalKind::Invalid, told(error), false),
        _ => (RefusalKind::Unreachable, told(error), true),
    }
}

/// The error and its causes in one line, without the words by which the SDK only passes on.
pub fn told(error: &(dyn Error + 'static)) -> String {
    const PASSED_ON: [&str; 4] = ["dispatch failure", "service error", "unhandled error", "other"];
    let words: Vec<_> = causes(error).map(ToString::to_string).collect();
    let mut telling: Vec<_> =
        words.iter().map(String::as_str).filter(|it| !PASSED_ON.contains(it)).collect();
    telling.dedup();
    if telling.is_empty() { words.join(": ") } else { telling.join(": ") }
}

/// The error itself, then what caused it.
pub(crate) fn causes<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source())
}

/// AWS's error codes are names, not a type: services spell the same thing in several ways.
fn classify(status: u16, code: &str, message: &str) -> RefusalKind {
    use RefusalKind::{
        AccessDenied, Conflict, Invalid, NotFound, Throttled, TooManyConcurrent, Unreachable,
    };
    match code {
        "ClientException" if message.contains("Too many concurrent attempts") => TooManyConcurrent,
        "ClientException" if message.contains("Unable to describe task definition") => NotFound,
        "ServiceNotActiveException" => NotFound,
        "UpdateInProgressException" | "ConcurrentModificationException" => Conflict,
        "ExpiredTokenException"
        | "ExpiredToken"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => AccessDenied,
        _ if code.contains("Throttl")
            || code.starts_with("TooManyRequests")
            || code.contains("RequestLimitExceeded")
            || status == 429 =>
        {
            Throttled
        }
        _ if code.contains("AccessDenied") || code.starts_with("AuthorizationError") => {
            AccessDenied
        }
        "ValidationError" if message.contains("does not exist") => NotFound,
        "NoSuchEntity" => NotFound,
        _ if code.ends_with("NotFoundException") || code.ends_with("NotFound") => NotFound,
        _ if code.starts_with("Conflict") || code.ends_with("AlreadyExistsException") => Conflict,
        _ if status >= 500 => Unreachable,
        _ if status == 403 => AccessDenied,
        _ if status == 404 => NotFound,
        _ => Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_gets_its_meaning() {
        use RefusalKind as Kind;
        let family =
            "Too many concurrent attempts to create a new revision of the specified family.";
        for (status, code, message, kind) in [
            (400, "ThrottlingException", "Rate exceeded", Kind::Throttled),
            (400, "Throttling", "Rate exceeded", Kind::Throttled),
            (400, "ThrottledException", "", Kind::Throttled),
            (400, "RequestLimitExceeded", "", Kind::Throttled),
            (429, "TooManyRequestsException", "", Kind::Throttled),
            (400, "ClientException", family, Kind::TooManyConcurrent),
            (400, "ClientException", "Unable to describe task definition.", Kind::NotFound),
            (400, "ClientException", "Tags can not be empty.", Kind::Invalid),
            (400, "AccessDeniedException", "User is not authorized", Kind::AccessDenied),
            (403, "AuthorizationErrorException", "", Kind::AccessDenied),
            (403, "KMSAccessDeniedException", "", Kind::AccessDenied),
            (400, "ExpiredTokenException", "", Kind::AccessDenied),
            (403, "Forbidden", "", Kind::AccessDenied),
            (400, "ServiceNotFoundException", "", Kind::NotFound),
            (400, "ServiceNotActiveException", "", Kind::NotFound),
            (400, "ImageNotFoundException", "", Kind::NotFound),
            (400, "TargetGroupNotFound", "", Kind::NotFound),
            (404, "NoSuchEntity", "", Kind::NotFound),
            (400, "ValidationError", "Stack with id a does not exist", Kind::NotFound),
            (400, "ConflictException", "", Kind::Conflict),
            (400, "UpdateInProgressException", "", Kind::Conflict),
            (400, "ImageTagAlreadyExistsException", "", Kind::Conflict),
            (400, "InvalidParameterException", "", Kind::Invalid),
            (400, "LimitExceededException", "", Kind::Invalid),
            (500, "ServerException", "", Kind::Unreachable),
            (503, "no error code", "", Kind::Unreachable),
            (404, "no error code", "", Kind::NotFound),
        ] {
            assert_eq!(classify(status, code, message), kind, "{status} {code} {message}");
        }
    }
}
