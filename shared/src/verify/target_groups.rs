//! Target groups: whether load balancers find the services healthy.

use std::collections::BTreeMap;

use super::{Line, Service, Shown, Topic};

/// A target as its load balancer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// `healthy`, `unhealthy`, `initial`, `draining` …
    pub state: String,
    /// Why, in AWS's words; empty where it is healthy.
    pub reason: String,
}

/// One line for each target group of these services.
pub(super) fn lines(
    services: &BTreeMap<String, Shown<Service>>,
    groups: &BTreeMap<String, Shown<Vec<Health>>>,
) -> Vec<Line> {
    groups
        .iter()
        .map(|(arn, shown)| {
            let users = users(services, arn);
            // Blue/green has two groups, of which one is empty.
            let others = users.iter().flat_map(|(_, service)| &service.sighting.target_groups);
            let served = others.filter(|other| *other != arn).any(|other| {
                matches!(groups.get(other), Some(Shown::There(all)) if all.iter().any(is_healthy))
            });
            let names: Vec<_> = users.iter().map(|(name, _)| *name).collect();
            line(name(arn), shown, &names.join(", "), served)
        })
        .collect()
}

fn users<'a>(
    services: &'a BTreeMap<String, Shown<Service>>,
    group: &str,
) -> Vec<(&'a str, &'a Service)> {
    let there = services.iter().filter_map(|(name, shown)| match shown {
        Shown::There(service) => Some((name.as_str(), service)),
        Shown::Missing | Shown::Hidden(_) => None,
    });
    there.filter(|(_, it)| it.sighting.target_groups.iter().any(|own| own == group)).collect()
}

/// The name in `arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID`.
fn name(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or(arn)
}

fn is_healthy(target: &Health) -> bool {
    target.state == "healthy"
}

fn line(name: &str, shown: &Shown<Vec<Health>>, users: &str, served: bool) -> Line {
    let topic = Topic::TargetGroups;
    let targets = match shown {
        Shown::There(targets) => targets,
        Shown::Missing => {
            return topic.failed(
                name,
                format!("{users} registers with it, and it is not there"),
                "Correct the service's load balancer: `aws ecs update-service --load-balancers`",
            );
        }
        Shown::Hidden(hidden) => return topic.unknown(name, hidden),
    };
    // Those that leave are no longer asked.
    let staying = || targets.iter().filter(|it| !it.state.ends_with("draining"));
    let (all, healthy) = (staying().count(), targets.iter().filter(|it| is_healthy(it)).count());
    let counts = format!("{healthy} of {all} targets of {users} healthy");
    if let Some(ill) = staying().find(|target| target.state == "unhealthy") {
        return topic.failed(name, format!("{counts}: {}", ill.reason), remedy(&ill.reason));
    }
    if healthy > 0 && healthy == all {
        return topic.green(name, counts);
    }
    if all == 0 && served {
        return topic.green(name, format!("empty: {users} is served by its other group"));
    }
    if all == 0 {
        return topic.failed(
            name,
            format!("no task of {users} is registered"),
            "See why no task runs; if some do, compare container name and port of the service's \
             load balancer with its task definition",
        );
    }
    let state = staying().find(|it| !is_healthy(it)).map_or("", |it| it.state.as_str());
    topic.warning(
        name,
        format!("{counts}; the others are {state}"),
        "Ask again in a minute: new targets are checked a few times first",
    )
}

fn remedy(reason: &str) -> &'static str {
    if reason.starts_with("Target.ResponseCodeMismatch") {
        return "The program answers, but not with what the health check expects: compare its path \
                and its codes with what the program serves";
    }
    "Check port and path of the health check, the security group between load balancer and tasks, \
     and whether the program listens on 0.0.0.0"
}

#[cfg(test)]
mod tests {
    use super::super::tests::service;
    use super::*;
    use crate::verify::State;

    const GROUP: &str =
        "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/scr-api/0123456789abcdef";

    fn told(targets: &[(&str, &str)]) -> Line {
        let health = |(state, reason): &(&str, &str)| Health {
            state: (*state).to_owned(),
            reason: (*reason).to_owned(),
        };
        line("scr-api", &Shown::There(targets.iter().map(health).collect()), "Rag", false)
    }

    #[test]
    fn targets_that_leave_do_not_count() {
        let line = told(&[("healthy", ""), ("draining", "leaves"), ("unhealthy.draining", "x")]);
        assert_eq!((line.state, &*line.said), (State::Green, "1 of 1 targets of Rag healthy"));
    }

    #[test]
    fn an_unhealthy_target_is_told_with_what_its_reason_means() {
        let wrong = told(&[("healthy", ""), ("unhealthy", "Target.ResponseCodeMismatch, [503]")]);
        assert_eq!(wrong.state, State::Failed);
        assert!(wrong.said.starts_with("1 of 2 targets"), "{}", wrong.said);
        assert!(wrong.remedy.unwrap().contains("compare its path"));
        let silent = told(&[("unhealthy", "Target.Timeout, Request timed out")]);
        assert!(silent.remedy.unwrap().contains("security group"));
    }

    #[test]
    fn nothing_registered_is_a_failure_unless_another_group_serves() {
        assert_eq!(told(&[]).state, State::Failed);
        assert_eq!(told(&[("initial", "")]).state, State::Warning);
        let (blue, green) = (GROUP.to_owned(), format!("{GROUP}0"));
        let mut user = service();
        user.sighting.target_groups = vec![blue.clone(), green.clone()];
        let services = [("Rag".to_owned(), Shown::There(user))].into();
        let healthy = Health { state: "healthy".to_owned(), reason: String::new() };
        let groups = [(blue, Shown::There(vec![healthy])), (green, Shown::There(vec![]))].into();
        let states: Vec<_> = lines(&services, &groups).iter().map(|line| line.state).collect();
        assert_eq!(states, [State::Green, State::Green]);
    }
}
