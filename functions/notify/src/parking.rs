//! Where goes what can never be delivered: aside, whole, under an alarm, out of everyone's way.

use serde_json::{Value, json};
use tidegate_aws::{App, DeadLetters};

use crate::record::{Letter, Unreadable};

/// The dead letters; without a queue the log keeps them.
#[derive(Debug)]
pub(crate) struct Parking(Option<DeadLetters>);

/// It could not even be parked now.
#[derive(Debug)]
pub(crate) struct NoRoom;

impl Parking {
    pub(crate) fn new(app: &App, url: Option<&str>) -> Self {
        Self(url.map(|url| DeadLetters::new(&app.sdk, url)))
    }

    /// A record that nobody understands.
    pub(crate) async fn unreadable(&self, record: &Unreadable) -> Result<(), NoRoom> {
        let Unreadable { name, why, raw } = record;
        self.park(&json!({ "what": name, "why": why, "record": raw })).await
    }

    /// A notification that one channel will never take.
    pub(crate) async fn undeliverable(
        &self,
        letter: &Letter,
        channel: &str,
        why: &str,
    ) -> Result<(), NoRoom> {
        let notification = &letter.notification;
        let what = format!("{} on {channel}", notification.id);
        self.park(&json!({ "what": what, "why": why, "notification": notification })).await
    }

    async fn park(&self, letter: &Value) -> Result<(), NoRoom> {
        let text = letter.to_string();
        tracing::error!(what = %letter["what"], why = %letter["why"], letter = text, "parked");
        let Some(queue) = &self.0 else { return Ok(()) };
        match queue.park(&text).await {
            Ok(()) => Ok(()),
            Err(refusal) if !refusal.is_final() => {
                tracing::warn!(%refusal, "could not be parked now");
                Err(NoRoom)
            }
            // Asking again changes nothing and would block what is behind: the log has it.
            Err(refusal) => {
                tracing::error!(%refusal, "could not be parked; the line above is all there is");
                Ok(())
            }
        }
    }
}
