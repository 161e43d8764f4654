//! The form people read in their mail.

use super::Notification;

/// The subject line, loud where it must be.
pub fn subject(notification: &Notification) -> String {
    match notification.severity {
        "info" => notification.title.clone(),
        severity => format!("{} {}", severity.to_uppercase(), notification.title),
    }
}

/// The whole text of the mail.
pub fn email(notification: &Notification) -> String {
    let Notification { title, text, targets, commands, actor, id, .. } = notification;
    let at = notification.moment();
    let mut parts = vec![title.clone()];
    parts.extend(text.iter().cloned());
    parts.extend(section("Targets", targets));
    parts.extend(section("To type", commands));
    parts.push(format!("{at}, by {actor}\nid {id}"));
    parts.join("\n\n") + "\n"
}

fn section(heading: &str, lines: &[String]) -> Option<String> {
    (!lines.is_empty()).then(|| format!("{heading}:\n  {}", lines.join("\n  ")))
}
