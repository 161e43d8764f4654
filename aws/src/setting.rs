//! The environment that template.yaml sets, read once.

use std::env::VarError;
use std::time::Duration;

/// A variable of the environment that is missing or says nonsense.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// Not set.
    #[error("{name} is not set; template.yaml sets it under the function's Environment")]
    Missing {
        /// The variable.
        name: &'static str,
    },
    /// Set to something else than expected.
    #[error("{name} is not usable")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A variable of the environment; empty counts as absent.
pub fn setting(name: &'static str) -> Result<Option<String>, SettingError> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|v| !v.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(error @ VarError::NotUnicode(_)) => {
            Err(SettingError::Invalid { name, source: Box::new(error) })
        }
    }
}

/// A variable that must be set.
pub fn required(name: &'static str) -> Result<String, SettingError> {
    setting(name)?.ok_or(SettingError::Missing { name })
}

/// How long what is over is kept; absent or `0`: for ever.
pub fn retention(days: &str) -> Result<Option<Duration>, SettingError> {
    const DAY: u64 = 24 * 60 * 60;
    if days.is_empty() {
        return Ok(None);
    }
    let days: u32 = days.parse().map_err(|source| SettingError::Invalid {
        name: "TIDEGATE_RETENTION_DAYS",
        source: Box::new(source),
    })?;
    Ok((days > 0).then(|| Duration::from_secs(u64::from(days) * DAY)))
}
