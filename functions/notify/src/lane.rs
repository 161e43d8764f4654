//! One channel's way through a batch: in order, each notification once, stopping where the
//! channel takes no more for now.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tidegate_aws::Clock;

use crate::channel::{Channel, RESERVE, Told};
use crate::parking::Parking;
use crate::record::Letter;

/// So long a webhook may take for a batch: the topic's next notifications wait behind it in the
/// stream. Slack's usual wait is a second; more than a few are an outage.
const PATIENCE: Duration = Duration::from_secs(15);

/// Enough for a day of releases; when it is full it starts anew, at worst somebody reads twice.
const MEMORY: usize = 1000;

/// Where a channel took no more, and why.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// The first record that it did not take.
    pub(crate) at: usize,
    why: String,
}

/// A channel, and what this process told on it.
#[derive(Debug)]
pub(crate) struct Lane {
    channel: Channel,
    told: Mutex<BTreeSet<String>>,
}

impl Lane {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel, told: Mutex::default() }
    }

    /// Tells every letter, as far as the channel takes them; answers with where it stopped.
    pub(crate) async fn deliver(
        &self,
        letters: &[(usize, Letter)],
        parking: &Parking,
        clock: &Clock,
        deadline: Timestamp,
    ) -> Option<Stopped> {
        let deadline = if self.channel.is_optional() {
            deadline.min(clock.now() + PATIENCE + RESERVE)
        } else {
            deadline
        };
        let channel = self.channel.name();
        for (index, letter) in letters {
            let id = &letter.notification.id;
            if self.knows(id) {
                continue;
            }
            match self.channel.tell(&letter.notification, clock, deadline).await {
                Told::Yes => tracing::info!(id, channel, "told"),
                Told::Later(why) => {
                    tracing::warn!(id, channel, why, "not told now");
                    return Some(Stopped { at: *index, why });
                }
                Told::Never(why) => {
                    if parking.undeliverable(letter, channel, &why).await.is_err()
                        && !self.channel.is_optional()
                    {
                        return Some(Stopped { at: *index, why });
                    }
                }
            }
            self.remember(id);
        }
        None
    }

    /// Parks what an optional channel did not take; what comes again anyway has another chance.
    pub(crate) async fn give_up(
        &self,
        stopped: &Stopped,
        again: Option<usize>,
        letters: &[(usize, Letter)],
        parking: &Parking,
    ) {
        let passed = |index: &usize| *index >= stopped.at && again.is_none_or(|it| *index < it);
        for (_, letter) in letters.iter().filter(|(index, _)| passed(index)) {
            let id = &letter.notification.id;
            if self.knows(id) {
                continue;
            }
            // Where even that fails the log has it whole: the topic told it, and waits for no one.
            let _ = parking.undeliverable(letter, self.channel.name(), &stopped.why).await;
            self.remember(id);
        }
    }

    fn knows(&self, id: &str) -> bool {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    fn remember(&self, id: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MEMORY {
            told.clear();
        }
        told.insert(id.to_owned());
    }
}
