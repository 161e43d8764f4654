//! What URLs answer: the services that stand behind them, by what their images say.

use jiff::Timestamp;

use super::Cloud;
use crate::api::Place;
use crate::ecs::ServiceName;

/// A URL that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// When.
    pub at: Timestamp,
    /// The URL.
    pub url: String,
}

/// Where a URL's question goes: without its query.
fn place(url: &str) -> &str {
    url.split_once('?').map_or(url, |(place, _)| place)
}

impl Cloud {
    /// From now on these services of `home` answer for `url`, the worst answer first.
    pub fn put_behind(
        &mut self,
        url: &str,
        home: &Place,
        services: impl IntoIterator<Item = ServiceName>,
    ) {
        let services = services.into_iter().map(|service| (home.clone(), service));
        self.urls.entry(place(url).to_owned()).or_default().extend(services);
    }

    /// The status that `url` answers with and the body; `None` where nobody stands behind it.
    pub fn ask(&mut self, url: &str, now: Timestamp) -> Option<(u16, String)> {
        self.asked.push(Asked { at: now, url: url.to_owned() });
        let services = self.urls.get(place(url))?.clone();
        let rest = place(url).split_once("://").map_or("", |(_, rest)| rest);
        let path = rest.find('/').map_or("/", |at| &rest[at..]);
        let wrong =
            services.iter().find_map(|(at, it)| self.ecs_at(at).0.answers_wrongly(it, path, now));
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
