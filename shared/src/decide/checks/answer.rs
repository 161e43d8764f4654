//! What a check was answered, and what that means.

use jiff::Timestamp;

use crate::config::{Check, HttpCheck};

/// Enough of a body to recognise an error page; the audit trail repeats it.
const SHOWN: usize = 80;

/// What a check was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Heard {
    /// The URL answered.
    Http {
        /// The status; a redirect is an answer like any other.
        status: u16,
        /// The body, as far as it was read.
        body: String,
    },
    /// The URL did not answer: the connection was refused or broke, or the time was up; why.
    Silence(String),
    /// It may not or could not be asked, which says nothing of the release; why.
    Unasked(String),
    /// The alarm's state.
    Alarm {
        /// Where it stands.
        state: AlarmState,
        /// CloudWatch's reason.
        reason: String,
        /// Since when, as far as CloudWatch says.
        since: Option<Timestamp>,
    },
}

/// The states of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "CloudWatch's own names")]
pub enum AlarmState {
    Ok,
    Alarm,
    InsufficientData,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// It is as it should be.
    Green,
    /// The alarm rings, and did before the release touched anything.
    RangBefore,
    /// Evidence against the release; in words.
    Wrong(String),
    /// It says nothing; in words.
    Unknown(String),
}

/// What `heard` means for a release whose targets were as they had been until `surveyed`.
pub fn meaning(check: &Check, heard: &Heard, surveyed: Timestamp) -> Meaning {
    match (check, heard) {
        (_, Heard::Unasked(why)) => Meaning::Unknown(why.clone()),
        (_, Heard::Silence(why)) => Meaning::Wrong(format!("nothing ({why})")),
        (Check::Http(check), Heard::Http { status, body }) => http(check, *status, body),
        (_, Heard::Alarm { state, reason, since }) => match state {
            AlarmState::Ok => Meaning::Green,
            // Without a time nobody can say that the release made it ring.
            AlarmState::Alarm if since.is_none_or(|since| since <= surveyed) => Meaning::RangBefore,
            AlarmState::Alarm => Meaning::Wrong(line(reason)),
            AlarmState::InsufficientData => {
                let why = "it is INSUFFICIENT_DATA; TreatMissingData can say what that means";
                Meaning::Unknown(why.to_owned())
            }
        },
        (Check::Alarm { .. }, Heard::Http { .. }) => {
            Meaning::Unknown("a URL's answer, of an alarm".to_owned())
        }
    }
}

fn http(check: &HttpCheck, status: u16, body: &str) -> Meaning {
    if !check.expect.contains(&status) {
        let shown = line(body);
        let shown = if shown.is_empty() { shown } else { format!(" `{shown}`") };
        return Meaning::Wrong(format!("{status}{shown}"));
    }
    match &check.body {
        Some(text) if !body.contains(text) => {
            Meaning::Wrong(format!("{status} without the text `{text}`: `{}`", line(body)))
        }
        _ => Meaning::Green,
    }
}

/// The beginning of a text, on one line.
fn line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let mut line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if line.len() > SHOWN {
        line.truncate(line.floor_char_boundary(SHOWN));
        line.push('…');
    }
    line
}
