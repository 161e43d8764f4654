//! Log groups: whether they are there, and whether what runs writes into them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Line, LogGroup, Needs, Service, Shown, Topic, list};
use crate::messages::span;
use crate::model::{TargetId, TargetKind};

/// CloudWatch says up to an hour late when the newest line came.
const LATE: SignedDuration = SignedDuration::from_hours(1);
/// A worker that has something to do once a day still says so once a day.
const QUIET: SignedDuration = SignedDuration::from_hours(24);

/// One line for each log group; `newest` has when each was last written to, `None` for never.
pub(super) fn lines(
    needs: &Needs,
    services: &BTreeMap<String, Shown<Service>>,
    newest: &BTreeMap<LogGroup, Shown<Option<Timestamp>>>,
    now: Timestamp,
) -> Vec<Line> {
    let told = |(group, users): (&LogGroup, &BTreeSet<TargetId>)| {
        let services = users
            .iter()
            .filter(|user| user.kind == TargetKind::Service)
            .filter_map(|user| services.get(&user.name));
        let deployed = services.filter_map(deployed).max();
        // The log driver of the others makes the group with their next task.
        let makers = needs.log_makers.get(group);
        let waiting = users.iter().filter(|user| !makers.is_some_and(|them| them.contains(user)));
        let waiting = waiting.cloned().collect();
        Some(line(group, users, &waiting, newest.get(group)?, deployed, now))
    };
    needs.logs.iter().filter_map(told).collect()
}

/// When what runs now was brought in; nothing where no task runs.
fn deployed(shown: &Shown<Service>) -> Option<Timestamp> {
    let Shown::There(service) = shown else { return None };
    let runs = service.sighting.running > 0;
    service.sighting.primary().filter(|_| runs).map(|primary| primary.created_at)
}

fn line(
    group: &LogGroup,
    users: &BTreeSet<TargetId>,
    waiting: &BTreeSet<TargetId>,
    newest: &Shown<Option<Timestamp>>,
    deployed: Option<Timestamp>,
    now: Timestamp,
) -> Line {
    let (topic, LogGroup { region, name }) = (Topic::Logs, group);
    let newest = match newest {
        Shown::There(newest) => *newest,
        Shown::Missing if waiting.is_empty() => {
            return topic.green(
                name,
                format!(
                    "not there yet: `awslogs-create-group` makes it with the next task of {}, where \
                     the execution role allows logs:CreateLogGroup",
                    list(users)
                ),
            );
        }
        Shown::Missing => {
            return topic.failed(
                name,
                format!("it is not there: no new task of {} can start", list(waiting)),
                format!("`aws logs create-log-group --region {region} --log-group-name {name}`"),
            );
        }
        Shown::Hidden(hidden) => return topic.unknown(name, hidden),
    };
    // A task that began long enough ago has said something by now.
    let is_due = deployed.filter(|deployed| now.duration_since(*deployed) > LATE);
    let remedy = "Look whether the program writes to stdout, and whether the execution role allows \
                  logs:CreateLogStream and logs:PutLogEvents";
    match newest {
        None if is_due.is_some() => {
            topic.failed(name, format!("nothing of {} ever arrived", list(users)), remedy)
        }
        None => topic.green(name, "is there; no line yet"),
        Some(newest) if is_due.is_some_and(|deployed| newest < deployed) => {
            let silent = span(newest, now);
            let said = format!("silent for {silent}, since before what runs of {}", list(users));
            topic.failed(name, said, remedy)
        }
        Some(newest) if now.duration_since(newest) > QUIET => topic.warning(
            name,
            format!("quiet for {}", span(newest, now)),
            "Read its last lines: a program that hangs is quiet too",
        ),
        Some(newest) => topic.green(name, format!("last line {} ago", span(newest, now))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{service, target};
    use super::*;
    use crate::verify::State;

    const NOW: &str = "2026-11-21T09:00:00Z";

    /// The newest line and the deployment, so many minutes ago.
    fn told(newest: Shown<Option<i64>>, deployed: Option<i64>) -> Line {
        let now: Timestamp = NOW.parse().unwrap();
        let ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
        let newest = match newest {
            Shown::There(minutes) => Shown::There(minutes.map(ago)),
            Shown::Missing => Shown::Missing,
            Shown::Hidden(hidden) => Shown::Hidden(hidden),
        };
        let group = LogGroup { region: "us-west-2".to_owned(), name: "/ecs/a".to_owned() };
        let users = BTreeSet::from([target("Rag")]);
        line(&group, &users, &users, &newest, deployed.map(ago), now)
    }

    #[test]
    fn a_group_is_silent_when_what_runs_never_wrote_into_it() {
        assert_eq!(told(Shown::There(Some(2)), Some(600)).said, "last line 2 min ago");
        let silent = told(Shown::There(Some(600)), Some(120));
        assert_eq!(silent.state, State::Failed);
        assert_eq!(silent.said, "silent for 600 min, since before what runs of Rag");
        assert!(silent.remedy.unwrap().contains("logs:PutLogEvents"));
        // Within the hour that CloudWatch takes to say so.
        assert_eq!(told(Shown::There(Some(600)), Some(30)).state, State::Green);
    }

    #[test]
    fn a_group_that_is_missing_or_was_never_written_to_is_told() {
        let gone = told(Shown::Missing, Some(600));
        assert!(gone.remedy.unwrap().contains("create-log-group --region us-west-2"));
        assert_eq!(told(Shown::There(None), Some(600)).state, State::Failed);
        assert_eq!(told(Shown::There(None), Some(3)).state, State::Green);
        assert_eq!(told(Shown::There(None), None).state, State::Green);
    }

    #[test]
    fn a_group_that_the_log_driver_makes_is_missed_by_the_others_alone() {
        let definition = |create: Option<&str>| {
            json!({ "containerDefinitions": [{ "logConfiguration": { "logDriver": "awslogs",
                "options": { "awslogs-group": "/ecs/a", "awslogs-create-group": create } } }] })
        };
        let mut needs = Needs::default();
        let told = |needs: &Needs| {
            let groups = needs.logs.keys().map(|group| (group.clone(), Shown::Missing)).collect();
            lines(needs, &BTreeMap::new(), &groups, Timestamp::UNIX_EPOCH).remove(0)
        };
        needs.add(&target("Rag"), &definition(Some("true")));
        let made = told(&needs);
        assert_eq!(made.state, State::Green, "{made:?}");
        assert!(made.said.contains("the next task of Rag"), "{}", made.said);
        needs.add(&target("Carousel"), &definition(None));
        let missed = told(&needs);
        assert_eq!(missed.state, State::Failed);
        assert!(missed.said.ends_with("no new task of Carousel can start"), "{}", missed.said);
    }

    #[test]
    fn a_one_off_task_that_is_called_like_a_service_owes_no_line() {
        let task = TargetId { kind: TargetKind::Task, ..target("Rag") };
        let group = LogGroup { region: "us-west-2".to_owned(), name: "/ecs/a".to_owned() };
        let needs = Needs { logs: [(group.clone(), [task].into())].into(), ..Needs::default() };
        let services = [("Rag".to_owned(), Shown::There(service()))].into();
        let newest = [(group, Shown::There(None))].into();
        let now = service().sighting.at + SignedDuration::from_hours(2);
        assert_eq!(lines(&needs, &services, &newest, now)[0].state, State::Green);
    }

    #[test]
    fn a_day_without_a_line_is_worth_a_look() {
        assert_eq!(told(Shown::There(Some(26 * 60)), Some(30 * 60)).state, State::Warning);
    }
}
