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

/// How long to wait where a 429 does not say: Slack takes about one message a second.
const PAUSE: Duration = Duration::from_secs(1);

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

    /// Posts until it is taken, refused, or the invocation's time is up.
    pub(crate) async fn tell(
        &self,
        notification: &Notification,
        clock: &Clock,
        deadline: Timestamp,
    ) -> Told {
        let body = (self.form)(notification).to_string();
        let mut url = match self.known().await {
            Ok(url) => url,
            Err(told) => return told,
        };
        loop {
            let Some(time) = time_left(clock, deadline) else {
                return Told::Later("the invocation ends".to_owned());
            };
            let answer =
                match self.outbound.post_json(url.reveal(), body.clone(), time.min(ANSWER)).await {
                    Ok(answer) => answer,
                    Err(fault @ HttpFault::Refused { .. }) => {
                        return Told::Never(fault.to_string());
                    }
                    Err(fault) => return Told::Later(fault.to_string()),
                };
            let said = format!("{} answered {}: {}", self.name, answer.status, answer.body);
            match answer.status {
                200..300 => return Told::Yes,
                429 => {
                    let wait = answer.retry_after.unwrap_or(PAUSE);
                    if time_left(clock, deadline).is_none_or(|time| time < wait) {
                        return Told::Later(said);
                    }
                    clock.sleep(wait).await;
                }
                // A webhook that was replaced: the new one may be in the secret already.
                401 | 403 | 404 | 410 => match self.read().await {
                    Ok(new) if new != url => url = new,
                    Ok(_) => return Told::Never(said),
                    Err(told) => return told,
                },
                408 | 500.. => return Told::Later(said),
                _ => return Told::Never(said),
            }
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
