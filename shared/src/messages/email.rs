//! The form people read in their mail.

use super::Notification;

/// SNS takes subjects of less than 100 characters.
const SUBJECT: usize = 99;

/// The subject line: ASCII, one line, loud where it must be.
pub fn subject(notification: &Notification) -> String {
    let loud = match notification.severity {
        "info" => String::new(),
        severity => format!("{} ", severity.to_uppercase()),
    };
    let plain: String = format!("{loud}{}", notification.title)
        .chars()
        .map(|c| match c {
            ' '..='~' => c,
            c if c.is_whitespace() || c.is_control() => ' ',
            '…' => '.',
            _ => '?',
        })
        .take(SUBJECT)
        .collect();
    plain.trim_end().to_owned()
}

/// The whole text of the mail.
pub fn email(notification: &Notification) -> String {
    let Notification { title, text, targets, commands, at, actor, id, .. } = notification;
    let mut parts = vec![title.clone()];
    parts.extend(text.iter().cloned());
    parts.extend(section("Services", targets));
    parts.extend(section("To type", commands));
    parts.push(format!("{at}, by {actor}\nid {id}"));
    parts.join("\n\n") + "\n"
}

fn section(heading: &str, lines: &[String]) -> Option<String> {
    (!lines.is_empty()).then(|| format!("{heading}:\n  {}", lines.join("\n  ")))
}
