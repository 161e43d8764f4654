//! Services: whether they run as many tasks as they should.

use std::collections::BTreeMap;

use super::{Line, Shown, Topic, revision_name};
use crate::messages::explain;
use crate::model::TaskFailure;
use crate::sighting::Sighting;

/// A service as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// What ECS shows.
    pub sighting: Sighting,
    /// Its tasks that stopped within the last hour, where some are missing or failed.
    pub stopped: Vec<TaskFailure>,
}

/// One line for each service, and for each one-off task's definition.
pub(super) fn lines(
    services: &BTreeMap<String, Shown<Service>>,
    tasks: &BTreeMap<String, Shown<()>>,
) -> Vec<Line> {
    let services = services.iter().map(|(name, shown)| line(name, shown));
    services.chain(tasks.iter().map(|(name, shown)| task(name, shown))).collect()
}

fn task(name: &str, shown: &Shown<()>) -> Line {
    let topic = Topic::Services;
    match shown {
        Shown::There(()) => topic.green(name, "its task definition is there"),
        Shown::Missing => topic.failed(
            name,
            "its task definition has no active revision",
            "Register one, or correct `task_definition` in the config",
        ),
        Shown::Hidden(hidden) => topic.unknown(name, hidden),
    }
}

fn line(name: &str, shown: &Shown<Service>) -> Line {
    let topic = Topic::Services;
    let service = match shown {
        Shown::There(service) => service,
        Shown::Missing => {
            return topic.failed(
                name,
                "the cluster has no such service",
                "Create it, or correct the config: `tidegate config check --live` names the near \
                 miss",
            );
        }
        Shown::Hidden(hidden) => return topic.unknown(name, hidden),
    };
    let sighting = &service.sighting;
    if let Some(why) = sighting.reason_unfit() {
        return topic.failed(name, why, "Tidegate cannot release to it until then");
    }
    let Some(primary) = sighting.primary() else {
        return topic.failed(name, "it has no deployment", "Deploy it once by hand");
    };
    let revision = revision_name(&primary.revision);
    let counts = format!("{} of {} tasks run", sighting.running, sighting.desired);
    if sighting.running < sighting.desired {
        return short_of_tasks(name, service, &counts, revision);
    }
    if sighting.desired == 0 {
        return topic.warning(
            name,
            format!("it is asked to run no task of {revision}, so nothing is proven of it"),
            "Raise its desired count, if it should run",
        );
    }
    if primary.failed_tasks > 0 && primary.running < primary.desired {
        // What runs is the deployment before this one's, and ECS tries again and again.
        let (cause, remedy) = newest_cause(&service.stopped);
        let (ours, failed) = (primary.running, primary.failed_tasks);
        let said = format!(
            "{ours} of {} tasks run {revision}, which ECS brings in ({counts} in all): {failed} failed: \
             {cause}",
            primary.desired
        );
        return topic.failed(name, said, remedy);
    }
    if primary.failed_tasks > 0 {
        let (cause, remedy) = newest_cause(&service.stopped);
        let said = format!("{counts} {revision}, but {} failed: {cause}", primary.failed_tasks);
        return topic.warning(name, said, remedy);
    }
    if !sighting.settled() {
        return topic.warning(
            name,
            format!("{counts}; {} brings {revision} in", primary.id),
            "Wait until it settles: `tidegate status` says whether a release does it",
        );
    }
    topic.green(name, format!("{counts} {revision}"))
}

fn short_of_tasks(name: &str, service: &Service, counts: &str, revision: &str) -> Line {
    let (cause, remedy) = newest_cause(&service.stopped);
    Topic::Services.failed(name, format!("{counts} {revision}: {cause}"), remedy)
}

/// Why the newest task stopped, and what usually mends it.
fn newest_cause(stopped: &[TaskFailure]) -> (String, String) {
    match stopped.iter().max_by_key(|task| task.at) {
        Some(task) => {
            let said = explain(task);
            (said.cause, said.remedy)
        }
        None => (
            "no task stopped within the last hour".to_owned(),
            "Read the service's events: `aws ecs describe-services` shows what it waits for"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{service, sighting};
    use super::*;
    use crate::sighting::{Controller, RolloutState};
    use crate::verify::State;

    fn told(change: impl FnOnce(&mut Service)) -> Line {
        let mut service = service();
        change(&mut service);
        line("Rag", &Shown::There(service))
    }

    #[test]
    fn a_service_that_runs_what_it_should_is_green() {
        let line = told(|_| ());
        assert_eq!((line.state, line.said.as_str()), (State::Green, "1 of 1 tasks run rag:3"));
        assert_eq!(line.remedy, None);
    }

    #[test]
    fn a_missing_task_is_told_with_the_cause_of_the_newest_that_stopped() {
        let crash = TaskFailure {
            task: "0f9d".to_owned(),
            stop_code: "EssentialContainerExited".to_owned(),
            reason: "Essential container in task exited".to_owned(),
            container: "crons".to_owned(),
            exit_code: Some(1),
            detail: String::new(),
            ran_seconds: Some(2),
            at: sighting().at,
        };
        let line = told(|it| {
            it.sighting.running = 0;
            it.stopped = vec![crash];
        });
        assert_eq!(line.state, State::Failed);
        let said = "0 of 1 tasks run rag:3: container `crons` exited with code 1 after 2 s";
        assert_eq!(line.said, said);
        assert!(line.remedy.unwrap().contains("a missing variable or secret"));
        let line = told(|it| it.sighting.running = 0);
        assert!(line.remedy.unwrap().contains("aws ecs describe-services"));
    }

    #[test]
    fn what_cannot_be_released_is_said() {
        let line = told(|it| it.sighting.controller = Controller::CodeDeploy);
        assert_eq!(line.state, State::Failed);
        assert!(line.said.contains("set its deployment controller to ECS"), "{}", line.said);
        let gone = task("migrate", &Shown::Missing);
        assert!(gone.remedy.unwrap().contains("`task_definition`"));
        let missing = super::line("Rag", &Shown::Missing);
        assert!(missing.remedy.unwrap().contains("`tidegate config check --live`"));
    }

    #[test]
    fn what_proves_nothing_is_a_warning() {
        let idle = told(|it| (it.sighting.running, it.sighting.desired) = (0, 0));
        assert_eq!(idle.state, State::Warning);
        let moving = told(|it| {
            it.sighting.deployments[0].rollout = Some(RolloutState::InProgress);
        });
        assert!(moving.said.contains("ecs-svc/1 brings rag:3 in"), "{}", moving.said);
        assert!(moving.remedy.unwrap().contains("`tidegate status`"));
        let failing = told(|it| it.sighting.deployments[0].failed_tasks = 2);
        assert!(failing.said.contains("but 2 failed"), "{}", failing.said);
    }

    #[test]
    fn a_deployment_that_crashes_while_the_one_before_still_runs_is_a_failure() {
        let line = told(|it| {
            let primary = &mut it.sighting.deployments[0];
            (primary.running, primary.failed_tasks) = (0, 8);
        });
        assert_eq!(line.state, State::Failed);
        let said =
            "0 of 1 tasks run rag:3, which ECS brings in (1 of 1 tasks run in all): 8 failed";
        assert!(line.said.starts_with(said), "{}", line.said);
    }
}
