//! Where to send, as template.yaml sets it.

use tidegate_aws::setting::{SettingError, required, setting};

/// The environment of notify, beyond what every function has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The SNS topic: always told.
    pub topic: String,
    /// The secret that holds Slack's webhook; absent is off.
    pub slack: Option<String>,
    /// The secret that holds the Teams workflow's webhook; absent is off.
    pub teams: Option<String>,
    /// The queue for what can never be delivered; absent leaves it to the log.
    pub dead_letters: Option<String>,
}

impl Settings {
    /// Reads the environment, once.
    pub fn from_env() -> Result<Self, SettingError> {
        Ok(Self {
            topic: required("TIDEGATE_TOPIC_ARN")?,
            slack: setting("TIDEGATE_SLACK_SECRET_ARN")?,
            teams: setting("TIDEGATE_TEAMS_SECRET_ARN")?,
            dead_letters: setting("TIDEGATE_DEAD_LETTERS_URL")?,
        })
    }
}
