//! The ways of events: from ECR and ECS to the functions, through the table's stream, to people.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::texts;
use super::{Hidden, Line, Listeners, Shown, State, To, Topic, Webhook, webhooks};
use crate::config::PipelineConfig;

/// What the installation's stack holds, by the names that its template gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Installation {
    /// The stack's name.
    pub stack: String,
    /// The tables that it holds.
    pub tables: BTreeSet<String>,
    /// The account and region that it stands in.
    pub home: (String, String),
    /// Its legs, each with the name that the template gives it.
    pub legs: Vec<(String, Shown<Leg>)>,
    /// The webhooks that it was given.
    pub webhooks: Shown<Vec<Webhook>>,
}

/// A part of an event's way.
#[derive(Debug, Clone, PartialEq)]
pub enum Leg {
    /// An EventBridge rule.
    Rule(Rule),
    /// A schedule.
    Schedule(Wakes),
    /// A mapping from the table's stream to a function.
    Mapping {
        /// Its id.
        uuid: String,
        /// `Enabled`, `Disabled` …
        state: String,
        /// What Lambda says of the last batch.
        last: String,
    },
    /// A queue that takes what nobody could deliver, and how much of it there is.
    DeadLetters {
        /// Its URL.
        url: String,
        /// Messages, about.
        messages: u64,
    },
    /// The topic of notifications.
    Notifications(Listeners),
    /// The topic of the installation's own alarms.
    Alarms(Listeners),
}

/// Something that wakes a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wakes {
    /// Its physical name.
    pub name: String,
    /// It is switched on.
    pub is_enabled: bool,
    /// The function of the stack that it wakes, by the template's name; `None` for nobody.
    pub function: Option<String>,
}

/// A rule: what it lets through, and whom it wakes.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Whom.
    pub wakes: Wakes,
    /// Its event pattern.
    pub pattern: Value,
    /// Whether the function's own policy lets it in.
    pub may_invoke: Shown<bool>,
}

/// A line for each leg, or one that says why they cannot be seen.
pub(super) fn lines(
    config: &PipelineConfig,
    clusters: &BTreeSet<String>,
    table: &str,
    (stack, installation): (&str, &Shown<Installation>),
) -> Vec<Line> {
    let topic = Topic::EventPaths;
    let found = match installation {
        Shown::There(found) => found,
        Shown::Missing => return vec![no_stack(stack)],
        Shown::Hidden(hidden) => return vec![topic.unknown(stack, hidden)],
    };
    if !found.tables.contains(table) {
        let tables: Vec<_> = found.tables.iter().map(String::as_str).collect();
        return vec![topic.failed(
            stack,
            format!("this stack has the table {}, not {table}", tables.join(", ")),
            "Name the stack that the table is of: `--stack` or TIDEGATE_STACK",
        )];
    }
    let legs = found.legs.iter().flat_map(|(name, shown)| match shown {
        Shown::There(leg) => told(name, leg, clusters, found),
        Shown::Missing => vec![topic.failed(
            name,
            "somebody deleted it",
            format!("Deploy the stack {stack} again: `sam deploy`"),
        )],
        Shown::Hidden(hidden) => vec![topic.unknown(name, hidden)],
    });
    // No push of a promoted image counts.
    let pushed = config.images.values().filter(|_| config.promote_from.is_none());
    let elsewhere = pushed.filter_map(|image| {
        let at = (image.registry.account.clone(), image.registry.region.clone());
        let said = format!(
            "its registry is {}'s in {}: the sweep finds its pushes within five minutes; sooner where \
             regional.yaml sends its events here, which was not looked at",
            at.0, at.1
        );
        (at != found.home).then(|| topic.green(&image.repository, said))
    });
    legs.chain(webhooks::lines(&found.webhooks)).chain(elsewhere).collect()
}

fn no_stack(stack: &str) -> Line {
    Line {
        topic: Topic::EventPaths,
        subject: stack.to_owned(),
        state: State::Unknown,
        said: "there is no such stack here, so its rules, schedules and mappings are not seen"
            .to_owned(),
        remedy: Some(
            "Name the installation's stack: `--stack` or TIDEGATE_STACK, and its `--region`"
                .to_owned(),
        ),
    }
}

fn told(name: &str, leg: &Leg, clusters: &BTreeSet<String>, stack: &Installation) -> Vec<Line> {
    let one = match leg {
        Leg::Rule(rule) => return rule_lines(name, rule, clusters),
        Leg::Schedule(wakes) => wakes_line(name, wakes, |_| {
            "Enable it in the console, or deploy the stack again: `sam deploy`".to_owned()
        }),
        Leg::Mapping { uuid, state, last } => mapping(name, uuid, (state, last), &stack.stack),
        Leg::DeadLetters { url, messages } => dead_letters(name, url, *messages),
        Leg::Notifications(topic) => topic.of_notifications(name, &stack.webhooks),
        Leg::Alarms(topic) => topic.of_alarms(name),
    };
    vec![one]
}

fn wakes_line(name: &str, wakes: &Wakes, enable: impl Fn(&str) -> String) -> Line {
    let topic = Topic::EventPaths;
    if !wakes.is_enabled {
        return topic.failed(name, "it is disabled: nothing comes through", enable(&wakes.name));
    }
    match &wakes.function {
        Some(function) => topic.green(name, format!("enabled, wakes {function}")),
        None => topic.failed(
            name,
            "it wakes no function of the stack",
            "Deploy the stack again: `sam deploy` sets its target",
        ),
    }
}

fn rule_lines(name: &str, rule: &Rule, clusters: &BTreeSet<String>) -> Vec<Line> {
    let topic = Topic::EventPaths;
    let line =
        wakes_line(name, &rule.wakes, |rule| format!("`aws events enable-rule --name {rule}`"));
    if line.state != State::Green {
        return vec![line];
    }
    let heard = &rule.pattern["detail"]["clusterArn"];
    let is_heard = |cluster: &&String| heard.is_null() || texts(heard).any(|it| it == **cluster);
    if let Some(cluster) = clusters.iter().find(|cluster| !is_heard(cluster)) {
        return vec![topic.failed(
            name,
            format!("it lets no event of {cluster} through"),
            "Put the cluster into `ClusterArns` (`tidegate config check --live --iam` prints it) and \
             deploy the stack again: `sam deploy`",
        )];
    }
    match &rule.may_invoke {
        Shown::There(true) => vec![line],
        Shown::There(false) | Shown::Missing => vec![topic.failed(
            name,
            "its function does not let it in: every event is refused",
            "Deploy the stack again: `sam deploy` sets the function's policy",
        )],
        Shown::Hidden(hidden) => vec![line, topic.unknown(name, hidden)],
    }
}

fn mapping(name: &str, uuid: &str, (state, last): (&str, &str), stack: &str) -> Line {
    let topic = Topic::EventPaths;
    match state {
        "Enabled" if last.starts_with("PROBLEM") => topic.warning(
            name,
            format!("enabled, and the last batch failed: {last}"),
            // One group for all four functions.
            format!("Read the function's log: `aws logs tail /aws/lambda/{stack} --since 1h`"),
        ),
        "Enabled" => topic.green(name, "enabled: the table's stream arrives"),
        // On its way: Lambda takes a minute or so.
        "Enabling" | "Creating" | "Updating" => {
            topic.warning(name, format!("it is {state}"), "Ask again in a minute")
        }
        _ => topic.failed(
            name,
            format!("it is {state}: nothing that is asked is done, and nobody is told"),
            format!("`aws lambda update-event-source-mapping --uuid {uuid} --enabled`"),
        ),
    }
}

fn dead_letters(name: &str, url: &str, messages: u64) -> Line {
    let topic = Topic::EventPaths;
    match messages {
        0 => topic.green(name, "empty"),
        _ => topic.failed(
            name,
            format!("{messages} parked: nobody could deliver them"),
            format!(
                "Read them: `aws sqs receive-message --queue-url {url}`; docs/operating.md says \
                 what each means"
            ),
        ),
    }
}

/// Why nobody can say what the functions may do.
pub(super) fn unseen(stack: &str, installation: &Shown<Installation>) -> Option<Hidden> {
    match installation {
        Shown::There(_) => None,
        Shown::Hidden(hidden) => Some(hidden.clone()),
        Shown::Missing => Some(Hidden {
            action: "cloudformation:DescribeStackResources".to_owned(),
            resource: stack.to_owned(),
            words: "there is no such stack here; name it by `--stack`".to_owned(),
            to: To::All,
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::config;
    use super::*;

    const CLUSTER: &str = "arn:aws:ecs:us-west-2:123456789012:cluster/live-crons";

    fn wakes() -> Wakes {
        let function = Some("PromoteFunction".to_owned());
        Wakes { name: "tidegate-push-1A2B".to_owned(), is_enabled: true, function }
    }

    fn rule(change: impl FnOnce(&mut Rule)) -> Line {
        let pattern = json!({ "detail": { "clusterArn": [CLUSTER] } });
        let mut rule = Rule { wakes: wakes(), pattern, may_invoke: Shown::There(true) };
        change(&mut rule);
        rule_lines("EcrPush", &rule, &[CLUSTER.to_owned()].into()).remove(0)
    }

    fn fails(line: &Line, said: &str, remedy: &str) {
        assert_eq!(line.state, State::Failed, "{line:?}");
        assert!(line.said.contains(said), "{line:?}");
        assert!(line.remedy.as_ref().unwrap().contains(remedy), "{line:?}");
    }

    #[test]
    fn a_rule_that_lets_nothing_through_fails_where_it_is_broken() {
        assert_eq!(rule(|_| ()).said, "enabled, wakes PromoteFunction");
        let disabled = rule(|it| it.wakes.is_enabled = false);
        fails(&disabled, "is disabled", "aws events enable-rule --name tidegate-push-1A2B");
        fails(&rule(|it| it.wakes.function = None), "wakes no function", "`sam deploy`");
        let other = rule(|it| it.pattern = json!({ "detail": { "clusterArn": ["other"] } }));
        fails(&other, "lets no event of", "`ClusterArns`");
        fails(&rule(|it| it.may_invoke = Shown::There(false)), "let it in", "`sam deploy`");
        let any = rule(|it| it.pattern = json!({ "source": ["aws.ecr"] }));
        assert_eq!(any.state, State::Green);
        let pattern = json!({ "detail": { "clusterArn": ["none"] } });
        let rule = Rule { wakes: wakes(), pattern, may_invoke: Shown::There(true) };
        let none = BTreeSet::new();
        assert_eq!(rule_lines("EcsTask", &rule, &none)[0].state, State::Green, "without a cluster");
    }

    #[test]
    fn a_mapping_that_is_off_says_how_it_is_switched_on() {
        let told = |state, last| mapping("Asked", "u-1", (state, last), "tidegate-eu");
        assert_eq!(told("Enabled", "OK").state, State::Green);
        assert_eq!(told("Enabling", "").state, State::Warning);
        let off = told("Disabled", "");
        fails(&off, "it is Disabled", "update-event-source-mapping --uuid u-1 --enabled");
        let stuck = told("Enabled", "PROBLEM: Function call failed");
        assert_eq!(stuck.state, State::Warning);
        assert!(
            stuck.remedy.unwrap().contains("`aws logs tail /aws/lambda/tidegate-eu --since 1h`")
        );
    }

    #[test]
    fn what_was_parked_is_read() {
        assert_eq!(dead_letters("DeadLetters", "https://q", 0).state, State::Green);
        let parked = dead_letters("DeadLetters", "https://q", 2);
        fails(&parked, "2 parked", "receive-message --queue-url https://q");
    }

    #[test]
    fn a_stack_that_is_not_seen_is_unknown_and_the_wrong_one_fails() {
        let lines = |found| lines(&config(), &BTreeSet::new(), "table", ("tidegate", &found));
        let missing = lines(Shown::Missing).remove(0);
        assert_eq!(missing.state, State::Unknown);
        assert!(missing.remedy.unwrap().contains("TIDEGATE_STACK"));
        let mut found = Installation {
            stack: "tidegate".to_owned(),
            tables: ["other".to_owned()].into(),
            home: ("123456789012".to_owned(), "us-west-2".to_owned()),
            legs: Vec::new(),
            webhooks: Shown::There(Vec::new()),
        };
        fails(&lines(Shown::There(found.clone())).remove(0), "has the table other", "`--stack`");
        found.tables.insert("table".to_owned());
        assert_eq!(lines(Shown::There(found.clone())), []);
        found.home.1 = "eu-west-1".to_owned();
        assert!(lines(Shown::There(found))[0].said.contains("the sweep finds its pushes"));
    }
}
