//! What URLs answer: the services that stand behind them, by what their images say.

use jiff::Timestamp;

use super::Cloud;
use crate::api::Place;
use crate::ecs::ServiceName;

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
    /// What it answered; `None` where nobody stands behind it.
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

    /// The status that `url` answers with and the body; `None` where nobody stands behind it.
    pub fn ask(&mut self, url: &str, now: Timestamp) -> Option<(u16, String)> {
        let answer = self.answer_of(url, now);
        let status = answer.as_ref().map(|(status, _)| *status);
        self.asked.push(Asked { at: now, url: url.to_owned(), status });
        answer
    }

    fn answer_of(&mut self, url: &str, now: Timestamp) -> Option<(u16, String)> {
        let those = self.urls.get(place(url))?.clone();
        let rest = place(url).split_once("://").map_or("", |(_, rest)| rest);
        let path = rest.find('/').map_or("/", |at| &rest[at..]);
        let wrong = those.iter().find_map(|(at, one)| match one {
            Behind::Service(service) => self.ecs_at(at).0.answers_wrongly(service, path, now),
            Behind::ContainerService(name) => {
                self.lightsail.answers_wrongly(name, path, &self.ecr, now)
            }
        });
        Some(match wrong {
            None => (200, "ok".to_owned()),
            Some(status) => (status, format!("{path} answers {status}")),
        })
    }

    /// The URLs that were asked, in order.
    pub fn asked(&self) -> &[Asked] {
        &self.asked
    }
}
