//! How an image behaves when a task runs it: said by an annotation of its manifest.

use std::time::Duration;

/// The annotation's key.
const ANNOTATION: &str = "tidegate.local/behaviour";

/// What a container of this image does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Behaviour {
    /// Runs, and passes its health checks.
    #[default]
    Healthy,
    /// Exits 1 a second or two after it ran.
    Crash,
    /// Exits 1 after that long.
    CrashAfter(Duration),
    /// Runs, and fails every health check that somebody asks.
    Unhealthy,
    /// Healthy, after a pull that takes that much longer.
    Slow(Duration),
    /// Ends by itself with that code, as a one-off task does.
    Exit(i64),
    /// Runs in a service; a one-off task of it ends with that code.
    OneOff(i64),
    /// A worker that ends well every minute and is started again.
    ExitLoop,
    /// Cannot be pulled.
    NoPull,
}

impl Behaviour {
    /// Reads `crash-after=30s` and its like.
    ///
    /// ```
    /// use tidegate_local::ecr::Behaviour;
    /// assert_eq!(Behaviour::parse("exit=3"), Some(Behaviour::Exit(3)));
    /// assert_eq!(Behaviour::parse("explode"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let (word, argument) = match text.split_once('=') {
            Some((word, argument)) => (word, Some(argument)),
            None => (text, None),
        };
        match (word, argument) {
            ("healthy", None) => Some(Self::Healthy),
            ("crash", None) => Some(Self::Crash),
            ("crash-after", Some(after)) => seconds(after).map(Self::CrashAfter),
            ("unhealthy", None) => Some(Self::Unhealthy),
            ("slow", Some(by)) => seconds(by).map(Self::Slow),
            ("exit", Some(code)) => code.parse().ok().map(Self::Exit),
            ("one-off", Some(code)) => code.parse().ok().map(Self::OneOff),
            ("exit-loop", None) => Some(Self::ExitLoop),
            ("no-pull", None) => Some(Self::NoPull),
            _ => None,
        }
    }

    /// What a manifest says; `None` when it says nothing.
    ///
    /// A word that cannot be read is an error, so that a typing mistake never passes as `healthy`.
    pub(super) fn of_manifest(manifest: &serde_json::Value) -> Result<Option<Self>, String> {
        let Some(text) = manifest.pointer("/annotations").and_then(|all| all.get(ANNOTATION))
        else {
            return Ok(None);
        };
        let text = text.as_str().unwrap_or_default();
        Self::parse(text).map(Some).ok_or_else(|| {
            format!(
                "annotation {ANNOTATION} is '{text}', expected healthy, crash, crash-after=30s, \
                 unhealthy, slow=40s, exit=3, one-off=3, exit-loop or no-pull"
            )
        })
    }
}

/// `40s` or `2m`.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    match unit {
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    }
}
