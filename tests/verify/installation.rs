//! The installation itself: the way of events, who listens, which stack.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tidegate_local::seed::Fleet;
use tidegate_tests::stack::{TEXT, installed_with};

use crate::environment::{
    Asks, EXAMPLES, MAIL, adopted_with, breaks, is_told, play, play_on, told,
};

#[test]
fn a_way_of_events_that_is_cut() {
    breaks(
        |stage| {
            let rule = json!({ "Name": "tidegate-PromoteFunctionEcrPush" });
            stage.asks("events", "DisableRule", rule);
        },
        "failed event_paths PromoteFunctionEcrPush: it is disabled",
        "aws events enable-rule --name tidegate-PromoteFunctionEcrPush",
    );
    breaks(
        |stage| {
            stage.twin.world.with(|cloud, _| cloud.queues.send("tidegate-DeadLetters", json!({})));
        },
        "failed event_paths DeadLetters: 1 parked",
        "aws sqs receive-message",
    );
    let off = TEXT.replacen(
        "            BatchSize: 10\n",
        "            BatchSize: 10\n            Enabled: false\n",
        1,
    );
    play_on(&off, "healthy", async |stage| {
        let line = "failed event_paths NotifyFunctionWritten: it is Disabled";
        is_told(stage, line, "update-event-source-mapping").await;
    });
}

#[test]
fn a_reader_may_ask_who_listens_to_each_topic() {
    for (alarms, many) in [("true", 2), ("false", 1)] {
        let stack = installed_with(&[("Alarms", alarms)]);
        let policies = stack.managed_policies();
        let reader = policies.iter().find(|(arn, _)| arn.contains("TidegateReader"));
        let (_, reader) = reader.expect("the policy");
        let mut statements = reader["Statement"].as_array().expect("statements").iter();
        let told = statements.find(|it| it["Sid"] == "Told").expect("its statement");
        let named = told["Resource"].as_array().expect("a list").iter().filter_map(Value::as_str);
        let topics = stack.topics();
        assert_eq!(topics.len(), many);
        assert_eq!(
            named.collect::<BTreeSet<_>>(),
            topics.iter().map(String::as_str).collect::<BTreeSet<_>>()
        );
    }
}

#[test]
fn alarms_that_nobody_hears() {
    let (before, topic) = TEXT.split_once("\n  AlarmTopic:").expect("the topic of alarms");
    let deaf = topic.replacen("[EmailIsTold,", "[TeamsIsTold,", 1);
    play_on(&format!("{before}\n  AlarmTopic:{deaf}"), "healthy", async |stage| {
        let line = "warning event_paths AlarmTopic: its alarms ring unheard: no subscription";
        is_told(stage, line, "aws sns subscribe --topic-arn arn:aws:sns:us-west-2:").await;
    });
}

const SLACK: &str = "arn:aws:secretsmanager:us-west-2:123456789012:secret:tidegate/slack-AbCdEf";
const TEAMS: &str = "arn:aws:secretsmanager:us-west-2:123456789012:secret:tidegate/teams-AbCdEf";

#[test]
fn each_webhook_is_a_warning_of_its_own_whoever_subscribed() {
    let both = [MAIL[0], ("SlackSecretArn", SLACK), ("TeamsSecretArn", TEAMS)];
    let example = EXAMPLES[0];
    adopted_with(TEXT, &both, Fleet::default(), example, async |stage| {
        let (exit, bad) = told(stage).await;
        let [slack, teams] = &bad[..] else { panic!("{bad:#?}") };
        assert_eq!(exit, 0, "{bad:#?}");
        let said = |name: &str| {
            format!(
                "warning event_paths {name}: a webhook is configured; whether it takes messages"
            )
        };
        assert!(slack.starts_with(&said("SlackSecretArn")), "{slack}");
        assert!(slack.contains(&format!("{SLACK} --region us-west-2 ")), "{slack}");
        assert!(slack.contains(r#" | sed 's/..*/url = "&"/' | curl -K - -H "#), "{slack}");
        assert!(slack.contains(r#"'{"text":"a try"}'"#), "{slack}");
        assert!(teams.starts_with(&said("TeamsSecretArn")), "{teams}");
        assert!(teams.contains(TEAMS) && teams.contains(r#""type":"AdaptiveCard""#), "{teams}");
    });
    // Nobody subscribed to either topic.
    adopted_with(TEXT, &both[1..2], Fleet::default(), example, async |stage| {
        let (exit, bad) = told(stage).await;
        let [alarms, slack] = &bad[..] else { panic!("{bad:#?}") };
        assert_eq!(exit, 0, "{bad:#?}");
        assert!(alarms.starts_with("warning event_paths AlarmTopic: "), "{alarms}");
        assert!(slack.starts_with("warning event_paths SlackSecretArn: "), "{slack}");
    });
}

#[test]
fn a_stack_of_another_name_is_unknown() {
    play(async |stage| {
        let (exit, out, _) = stage.tidegate("verify someli-production --stack other").await;
        assert_eq!(exit, 1);
        assert!(out.contains("unknown  other"), "{out}");
        assert!(out.contains("TIDEGATE_STACK"), "{out}");
    });
}
