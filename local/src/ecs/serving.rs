//! What a service's tasks answer by HTTP.

use jiff::Timestamp;

use super::Ecs;
use super::names::ServiceName;

/// What a load balancer answers that has no task to ask.
const NOBODY: u16 = 503;

impl Ecs {
    /// The status of a wrong answer to `path`; `None` where all running tasks answer well.
    pub fn answers_wrongly(&self, name: &ServiceName, path: &str, now: Timestamp) -> Option<u16> {
        let running = || self.tasks.of(name).filter(|task| task.is_wanted() && task.is_running());
        let wrong = running().find_map(|task| {
            let images = task.containers.iter().filter_map(|container| container.bytes.as_ref());
            let serving = images.filter_map(|bytes| bytes.serving.as_ref()).find(|serving| {
                let here = serving.path.as_deref().is_none_or(|own| own == path);
                let until = task.started_at.zip(serving.first).map(|(at, first)| at + first);
                here && until.is_none_or(|until| now < until)
            });
            serving.map(|serving| serving.status)
        });
        wrong.or_else(|| running().next().is_none().then_some(NOBODY))
    }
}
