//! What URLs answer: the services that stand behind them, by what their images say.

use std::time::Duration;

use jiff::Timestamp;

use super::Cloud;
use crate::api::Place;
use crate::ecs::ServiceName;
use crate::faults::{Fault, Occasion};

/// What a fault rule names for the question of a URL: who asks it does not say so.
const QUESTION: Occasion<'_> = Occasion { caller: "", service: "http", action: "GET" };

/// What whoever asks a URL hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A status and a body, after a wait.
    Answer(u16, String, Duration),
    /// Nobody stands behind it.
    NoHost,
    /// Nothing, ever: the question or its answer was lost.
    Silence,
}

/// What answers for a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behind {
    /// The tasks of an ECS service.
    Service(ServiceName),
    /// A container service of Lightsail.
    ContainerService(String),
}

/// A URL that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// When.
    pub at: Timestamp,
    /// The URL.
    pub url: String,
    /// What it answered; `None` where nobody stands behind it, and where it was lost.
    pub status: Option<u16>,
}

/// Where a URL's question goes: without its query.
fn place(url: &str) -> &str {
    url.split_once('?').map_or(url, |(place, _)| place)
}

impl Cloud {
    /// From now on these of `home` answer for `url`, the worst answer first.
    pub fn put_behind(&mut self, url: &str, home: &Place, those: impl IntoIterator<Item = Behind>) {
        let those = those.into_iter().map(|one| (home.clone(), one));
        self.urls.entry(place(url).to_owned()).or_default().extend(those);
    }

    /// What `url` answers, unless a fault strikes the question.
    pub fn ask(&mut self, url: &str, now: Timestamp) -> Word {
        let word = match self.faults.strike(QUESTION, Fault::is_of_questions) {
            None => self.answer_of(url, now, Duration::ZERO),
            Some(Fault::Throttle) => Word::Answer(429, "too many".to_owned(), Duration::ZERO),
            Some(slow @ Fault::Delay(_)) => self.answer_of(url, now, slow.delay()),
            Some(_) => Word::Silence,
        };
        let status = match &word {
            Word::Answer(status, ..) => Some(*status),
            Word::NoHost | Word::Silence => None,
        };
        self.asked.push(Asked { at: now, url: url.to_owned(), status });
        word
    }

    fn answer_of(&mut self, url: &str, now: Timestamp, after: Duration) -> Word {
        let Some(those) = self.urls.get(place(url)).cloned() else { return Word::NoHost };
        let rest = place(url).split_once("://").map_or("", |(_, rest)| rest);
        let path = rest.find('/').map_or("/", |at| &rest[at..]);
        let wrong = those.iter().find_map(|(at, one)| match one {
            Behind::Service(service) => self.ecs_at(at).0.answers_wrongly(service, path, now),
            Behind::ContainerService(name) => {
                self.lightsail.answers_wrongly(name, path, &self.ecr, now)
            }
        });
        match wrong {
            None => Word::Answer(200, "ok".to_owned(), after),
            Some(status) => Word::Answer(status, format!("{path} answers {status}"), after),
        }
    }

    /// The URLs that were asked, in order.
    pub fn asked(&self) -> &[Asked] {
        &self.asked
    }
}
