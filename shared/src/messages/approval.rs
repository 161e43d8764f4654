//! A release waits for a person's word, and what came of it.

use jiff::Timestamp;

use super::command;
use crate::model::{Notice, NoticeKind, Release, Severity};

/// Nothing moves before a person has seen what would change; `again` where that is not what was
/// approved before.
pub(super) fn asked(
    release: &Release,
    changes: &[String],
    until: Timestamp,
    again: bool,
) -> Notice {
    let id = &release.id;
    let first = if again {
        "What it would change is not what was approved: something else changed meanwhile. It \
         waits for a person to approve it as it is now. Nothing was moved."
    } else {
        "The config asks for a person's word before anything moves. Nothing was moved."
    };
    Notice {
        kind: NoticeKind::Waiting,
        severity: Severity::Warning,
        title: format!("{id} waits for an approval: {}", release.label()),
        text: vec![
            format!("It brings {}.", release.label()),
            first.to_owned(),
            format!(
                "It waits until {until:.0}, then it expires. A newer release takes its place. What \
                 would change stands below."
            ),
        ],
        commands: vec![command::show(id), command::approve(id), command::reject(id)],
        targets: changes.to_vec(),
    }
}

/// Nobody answered in time.
pub fn expired(release: &Release) -> Notice {
    let id = &release.id;
    Notice {
        kind: NoticeKind::Expired,
        severity: Severity::Warning,
        title: format!("{id} expired: nobody approved {}", release.label()),
        text: vec![
            "It waited for an approval as long as the config says. Nothing was moved.".to_owned(),
            "It does not come again by itself; the next release is asked about as usual."
                .to_owned(),
        ],
        commands: vec![command::show(id), command::start_once_more(id)],
        targets: Vec::new(),
    }
}

/// A person said no.
pub fn rejected(release: &Release, actor: &str, why: &str) -> Notice {
    let id = &release.id;
    Notice {
        kind: NoticeKind::Rejected,
        severity: Severity::Info,
        title: format!("{id} rejected: {}", release.label()),
        text: vec![
            format!("{actor} rejected it: {why}. Nothing was moved."),
            "No push, sweep or promotion brings this set of images here again.".to_owned(),
        ],
        commands: vec![command::show(id), command::start_once_more(id)],
        targets: Vec::new(),
    }
}
