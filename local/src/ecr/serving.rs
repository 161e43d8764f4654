//! How an image answers by HTTP when a task runs it: said by an annotation of its manifest.

use std::time::Duration;

use serde_json::Value;

use super::behaviour::seconds;

/// The annotation's key.
const ANNOTATION: &str = "tidegate.local/http";

/// What is wrong with the answers of an image's tasks; without it they answer 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// The path it is about; `None`: all of them.
    pub path: Option<String>,
    /// The status of the answers.
    pub status: u16,
    /// So long from the task's start; `None`: for ever.
    pub first: Option<Duration>,
}

impl Serving {
    /// Reads `503`, `/health=503` and `/health=503 for 40s`.
    ///
    /// ```
    /// use tidegate_local::ecr::Serving;
    /// let serving = Serving::parse("/health=503 for 40s").unwrap();
    /// assert_eq!((serving.path.as_deref(), serving.status), (Some("/health"), 503));
    /// assert_eq!(Serving::parse("health"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let (answer, first) = match text.split_once(" for ") {
            Some((answer, first)) => (answer, Some(seconds(first)?)),
            None => (text, None),
        };
        let (path, status) = match answer.split_once('=') {
            Some((path, status)) => (Some(path).filter(|path| path.starts_with('/'))?, status),
            None => ("", answer),
        };
        let path = Some(path).filter(|path| !path.is_empty()).map(str::to_owned);
        let status = status.parse().ok().filter(|status| (100..600).contains(status))?;
        Some(Self { path, status, first })
    }

    /// What a manifest says; `None` when it says nothing.
    pub(super) fn of_manifest(manifest: &Value) -> Result<Option<Self>, String> {
        let text = manifest.pointer("/annotations").and_then(|all| all.get(ANNOTATION));
        let Some(text) = text else { return Ok(None) };
        let text = text.as_str().unwrap_or_default();
        Self::parse(text).map(Some).ok_or_else(|| {
            format!(
                "annotation {ANNOTATION} is '{text}', expected 503, /health=503 or \
                 /health=503 for 40s"
            )
        })
    }
}
