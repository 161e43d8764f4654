//! A webhook: an address that is itself the password, so it comes from Secrets Manager.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tidegate_aws::Clock;
use tidegate_aws::http::{HttpFault, Outbound};
use tidegate_aws::secrets::{Secret, Secrets};
use tidegate_core::messages::Notification;

use super::{Told, time_left};

/// Slack and Teams answer within a second or two, or not at all.
const ANSWER: Duration = Duration::from_secs(10);

/// The first wait where the channel does not say, doubled each time: Slack takes about one message
/// a second.
const PAUSE: Duration = Duration::from_secs(1);

/// How one try ended, and the wait that the channel asks for.
struct Tried {
    told: Told,
    wait: Option<Duration>,
}

impl From<Told> for Tried {
    fn from(told: Told) -> Self {
        Self { told, wait: None }
    }
}

#[derive(Debug)]
pub(crate) struct Webhook {
    pub(crate) name: &'static str,
    form: fn(&Notification) -> Value,
    secrets: Secrets,
    arn: String,
    outbound: Outbound,
    /// Read once per process: a secret costs a call, and changes when somebody changes it.
    url: Mutex<Option<Secret>>,
}

impl Webhook {
    pub(crate) fn new(
        name: &'static str,
        form: fn(&Notification) -> Value,
        secrets: Secrets,
        arn: String,
        outbound: Outbound,
    ) -> Self {
        Self { name, form, secrets, arn, outbound, url: Mutex::default() }
    }

    /// Posts until it is taken, refused, or the time is up.
    pub(crate) async fn tell(
        &self,
        notification: &Notification,
        clock: &Clock,
        deadline: Timestamp,
    ) -> Told {
        let body = (self.form)(notification).to_string();
        let mut pause = PAUSE;
        loop {
            let Some(time) = time_left(clock, deadline) else {
                return Told::Later("no time was left to try it".to_owned());
            };
            let Tried { told, wait } = self.once(&body, time.min(ANSWER)).await;
            // `Retry-After: 0` asks for no rest, and a channel in trouble is not to be hammered.
            let wait = wait.map_or(pause, |asked| asked.max(pause));
            let is_too_long = time_left(clock, deadline).is_none_or(|time| time <= wait);
            if is_too_long || !matches!(told, Told::Later(_)) {
                return told;
            }
            clock.sleep(wait).await;
            pause *= 2;
        }
    }

    async fn once(&self, body: &str, time: Duration) -> Tried {
        let mut url = match self.known().await {
            Ok(url) => url,
            Err(told) => return told.into(),
        };
        loop {
            let answer = match self.outbound.post_json(url.reveal(), body.to_owned(), time).await {
                Ok(answer) => answer,
                Err(fault @ HttpFault::Refused { .. }) => {
                    return Told::Never(fault.to_string()).into();
                }
                Err(fault) => return Told::Later(fault.to_string()).into(),
            };
            let said = format!("{} answered {}: {}", self.name, answer.status, answer.body);
            return match answer.status {
                200..300 => Told::Yes.into(),
                // A webhook that was replaced: the new one may be in the secret already.
                401 | 403 | 404 | 410 => match self.read().await {
                    Ok(new) if new != url => {
                        url = new;
                        continue;
                    }
                    Ok(_) => Told::Never(said).into(),
                    Err(told) => told.into(),
                },
                408 | 429 | 500.. => Tried { told: Told::Later(said), wait: answer.retry_after },
                _ => Told::Never(said).into(),
            };
        }
    }

    async fn known(&self) -> Result<Secret, Told> {
        let known = self.url.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(url) => Ok(url),
            None => self.read().await,
        }
    }

    async fn read(&self) -> Result<Secret, Told> {
        let url = self.secrets.secret(&self.arn).await.map_err(Told::from)?;
        *self.url.lock().unwrap_or_else(PoisonError::into_inner) = Some(url.clone());
        Ok(url)
    }
}
