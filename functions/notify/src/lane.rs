//! One channel's way through a batch: in order, each notification once, stopping where the
//! channel must be asked again later.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tidegate_aws::Clock;

use crate::channel::{Channel, Told};
use crate::parking::Parking;
use crate::record::Letter;

/// A webhook that is down for longer than this must not hold back the other channels' newer
/// notifications, which wait behind it in the stream. A topic has no such limit: it is where
/// every notification must go, and the mapping asks for six hours.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Enough for a day of releases; when it is full it starts anew, at worst somebody reads twice.
const MEMORY: usize = 1000;

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

    /// Tells every letter; answers with the first one that must come again.
    pub(crate) async fn deliver(
        &self,
        letters: &[(usize, Letter)],
        parking: &Parking,
        clock: &Clock,
        deadline: Timestamp,
    ) -> Option<usize> {
        for (index, letter) in letters {
            let id = &letter.notification.id;
            if self.knows(id) {
                continue;
            }
            match self.tell(letter, clock, deadline).await {
                Told::Yes => tracing::info!(id, channel = self.channel.name(), "told"),
                Told::Later(why) => {
                    tracing::warn!(id, channel = self.channel.name(), why, "told later");
                    return Some(*index);
                }
                Told::Never(why) => {
                    let channel = self.channel.name();
                    if parking.undeliverable(letter, channel, &why).await.is_err() {
                        return Some(*index);
                    }
                }
            }
            self.remember(id);
        }
        None
    }

    async fn tell(&self, letter: &Letter, clock: &Clock, deadline: Timestamp) -> Told {
        match self.channel.tell(&letter.notification, clock, deadline).await {
            Told::Later(why)
                if self.channel.is_optional() && letter.at + PATIENCE < clock.now() =>
            {
                Told::Never(format!("for {} min: {why}", PATIENCE.as_secs() / 60))
            }
            told => told,
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
