//! Schedules, rules and container services: whether they are there, and what they name or run.

use std::collections::BTreeMap;

use super::{Line, Service, Shown, Topic, revision_name};
use crate::model::{TargetId, TargetKind};

/// One line for each. What it names against what its last release left is told as drift.
pub(super) fn lines(others: &BTreeMap<TargetId, Shown<Service>>) -> Vec<Line> {
    others.iter().map(|(id, shown)| line(id, shown)).collect()
}

fn line(id: &TargetId, shown: &Shown<Service>) -> Line {
    let (topic, name, noun) = (Topic::Services, &id.name, id.kind.noun());
    let sighting = match shown {
        Shown::There(service) => &service.sighting,
        Shown::Missing => {
            return topic.failed(
                name,
                format!("there is no such {noun} in {}", id.region),
                "Create it, or correct the config",
            );
        }
        Shown::Hidden(hidden) => return topic.unknown(name, hidden),
    };
    let revision = sighting.primary().map_or("nothing", |primary| revision_name(&primary.revision));
    match id.kind {
        TargetKind::Lightsail if sighting.settled() => {
            topic.green(name, format!("its deployment is active: {revision}"))
        }
        TargetKind::Lightsail => topic.warning(
            name,
            format!("a deployment is on its way: {revision}"),
            "Ask again once Lightsail has decided; until then it takes no other",
        ),
        _ => topic.green(name, format!("this {noun} names {revision}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sighting::Sighting;
    use crate::verify::State;

    #[test]
    fn what_is_not_there_fails_and_what_is_says_what_it_names() {
        let id: TargetId = "schedule/123456789012/us-west-2/default/nightly".parse().unwrap();
        let missing = line(&id, &Shown::Missing);
        assert_eq!(missing.state, State::Failed);
        assert_eq!(missing.said, "there is no such schedule in us-west-2");
        let service = Service { sighting: Sighting::default(), stopped: Vec::new() };
        let there = line(&id, &Shown::There(service.clone()));
        assert_eq!((there.state, &*there.said), (State::Green, "this schedule names nothing"));
        let id: TargetId = "lightsail/123456789012/us-east-1/-/apps".parse().unwrap();
        assert_eq!(line(&id, &Shown::There(service)).state, State::Warning);
    }
}
