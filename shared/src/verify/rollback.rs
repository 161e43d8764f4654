//! Who brings a service back: Tidegate, and ECS where it acts first.

use std::collections::BTreeMap;

use super::{Line, Service, Shown, Topic};
use crate::config::{OnFailure, PipelineConfig};

/// One line for the pipeline, and one for each service over which ECS watches too.
pub(super) fn lines(
    config: &PipelineConfig,
    services: &BTreeMap<String, Shown<Service>>,
) -> Vec<Line> {
    let topic = Topic::Rollback;
    let whole = match config.on_failure {
        OnFailure::Rollback => {
            topic.green(&config.name, "Tidegate: a service that fails brings all of them back")
        }
        OnFailure::Freeze => topic.warning(
            &config.name,
            "nobody, by itself: the config says `on_failure: freeze`",
            "A person types `tidegate rollback` when a release fails, or the config says \
             `on_failure: rollback`",
        ),
    };
    let own = services.iter().filter_map(|(name, shown)| match shown {
        Shown::There(service) => Some(topic.green(name, ecs_first(service)?)),
        Shown::Missing | Shown::Hidden(_) => None,
    });
    std::iter::once(whole).chain(own).collect()
}

/// What ECS does before Tidegate, if anything.
fn ecs_first(service: &Service) -> Option<String> {
    let guards = service.sighting.guards;
    let by = [("circuit breaker", guards.circuit_breaker), ("alarms", guards.alarms)];
    let (first, rolls_back) = by.into_iter().find_map(|(who, on)| Some((who, on?)))?;
    Some(if rolls_back {
        format!("ECS's {first} may act first: Tidegate counts that as failed, and compares digests")
    } else {
        format!("ECS's {first} only stops a deployment: Tidegate brings the service back")
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, service};
    use super::*;
    use crate::sighting::Guards;
    use crate::verify::State;

    #[test]
    fn who_acts_first_is_named() {
        let own = |circuit_breaker, alarms| {
            let mut service = service();
            service.sighting.guards = Guards { circuit_breaker, alarms };
            ecs_first(&service)
        };
        assert_eq!(own(None, None), None);
        assert!(own(Some(true), None).unwrap().starts_with("ECS's circuit breaker may act first"));
        assert!(own(Some(false), None).unwrap().contains("only stops"));
        assert!(own(None, Some(true)).unwrap().starts_with("ECS's alarms may act first"));
    }

    #[test]
    fn a_pipeline_that_freezes_leaves_it_to_a_person() {
        let mut config = config();
        assert_eq!(lines(&config, &BTreeMap::new())[0].state, State::Green);
        config.on_failure = OnFailure::Freeze;
        let line = lines(&config, &BTreeMap::new()).remove(0);
        assert_eq!(line.state, State::Warning);
        assert!(line.remedy.unwrap().contains("`tidegate rollback`"));
    }
}
