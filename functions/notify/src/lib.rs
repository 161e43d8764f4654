//! notify: tells people what the audit trail says they must know.
//!
//! Woken by the table's stream with journal entries that carry a notice. A notice is complete in
//! itself: notify reads no table, and decides nothing but where to send.

mod channel;
mod lane;
mod notifier;
mod parking;
mod record;
mod settings;

pub use notifier::Notifier;
pub use settings::Settings;
