//! `tidegate verify`: all green where all is well, and each fault is exactly its line.

#![expect(clippy::expect_used, reason = "a story whose stage breaks has failed")]

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_local::call::{Call, Caller, Scope};
use tidegate_local::cloud::Reply;
use tidegate_local::ecs::SeedService;
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_local::seed::Fleet;
use tidegate_tests::fleet::is_live;
use tidegate_tests::stack::{TEXT, function, installed_with};
use tidegate_tests::{Stage, play_with};

/// Two services behind a load balancer, a URL and an alarm.
const WELL: &str = r#"
version: 1
pipelines:
  someli-production:
    region: us-west-2
    images: { crons: { repository: live_crons, tag: [uapi, "prod-{sha}"] } }
    cluster: live-crons
    pre_deploy:
      - { name: migrate, task_definition: rag-migrate, container: api, command: [up], network_from: Rag }
    waves: [[Rag], [AI_CONTENT]]
    watch: { bake: 30s }
    checks: [{ http: "https://api.example.com/health" }, { alarm: api-5xx }]
"#;
const GROUP: &str =
    "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/rag/0123456789abcdef";
const MAIL: [(&str, &str); 1] = [("NotificationEmail", "team@example.com")];

/// `Rag` is behind a load balancer, and reads a parameter.
fn refit(seed: &mut SeedService) {
    if seed.name.service == "Rag" {
        seed.target_group = Some(GROUP.to_owned());
        let secrets = &mut seed.task_definition["containerDefinitions"][0]["secrets"];
        let token = json!({ "name": "TOKEN", "valueFrom": "/rag/token" });
        secrets.as_array_mut().expect("a list").push(token);
    }
}

const SLACK: &str = "arn:aws:secretsmanager:us-west-2:123456789012:secret:tidegate/slack-AbCdEf";
const TEAMS: &str = "arn:aws:secretsmanager:us-west-2:123456789012:secret:tidegate/teams-AbCdEf";

fn play_on<T>(template: &str, behaviour: &str, story: impl AsyncFnOnce(&Stage) -> T) -> T {
    let fleet = Fleet { behaviour, refit: &refit };
    adopted(template, fleet, WELL, async |stage| {
        stage.asks("ssm", "PutParameter", json!({ "Name": "/rag/token" }));
        story(stage).await
    })
}

/// Plays `story` where `config` was applied.
fn adopted<T>(
    template: &str,
    fleet: Fleet<'_>,
    config: &str,
    story: impl AsyncFnOnce(&Stage) -> T,
) -> T {
    adopted_with(template, &MAIL, fleet, config, story)
}

/// The same where the stack was given these parameters.
fn adopted_with<T>(
    template: &str,
    parameters: &[(&str, &str)],
    fleet: Fleet<'_>,
    config: &str,
    story: impl AsyncFnOnce(&Stage) -> T,
) -> T {
    play_with(template, parameters, fleet, 1, config, async |stage| {
        let said = stage.twin.operator().applies(config).await.expect("a command");
        assert_eq!(said.exit as u8, 0, "{}{}", said.out, said.talk);
        story(stage).await
    })
    .expect("a twin that begins")
}

fn play<T>(story: impl AsyncFnOnce(&Stage) -> T) -> T {
    play_on(TEXT, "healthy", story)
}

/// What a person asks of AWS.
trait Asks {
    fn asks(&self, service: &str, action: &str, input: Value) -> Value;
}

impl Asks for Stage {
    fn asks(&self, service: &str, action: &str, input: Value) -> Value {
        let (service, action) = (service.to_owned(), action.to_owned());
        let call =
            Call { caller: Caller::Operator, scope: Scope::default(), service, action, input };
        let what = call.name();
        let reply = self.twin.world.with(|cloud, now| cloud.call(call, now));
        let Reply::Answered(answer, _) = reply else { panic!("{what}: {reply:?}") };
        assert_eq!(answer.refusal(), None, "{what}: {answer:?}");
        answer.body
    }
}

/// What `verify` says: the exit code, and every line that is not green as
/// `state topic subject: said → remedy`.
async fn told(stage: &Stage) -> (u8, Vec<String>) {
    told_of(stage, "someli-production").await
}

async fn told_of(stage: &Stage, pipeline: &str) -> (u8, Vec<String>) {
    let (exit, out, talk) = stage.tidegate(&format!("verify {pipeline} --output json")).await;
    let view: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{talk}"));
    let lines = view["lines"].as_array().expect("lines").iter();
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let bad = lines.filter(|line| line["state"] != "green").map(|line| {
        let [state, topic, subject, said, remedy] =
            ["state", "topic", "subject", "said", "remedy"].map(|name| text(line, name));
        assert!(!remedy.is_empty(), "{line} names no remedy");
        format!("{state} {topic} {subject}: {said} → {remedy}")
    });
    (exit, bad.collect())
}

/// After `fault` there is this one line that is not green, and the exit code is 1 unless it only warns.
async fn is_told(stage: &Stage, line: &str, remedy: &str) {
    let (exit, bad) = told(stage).await;
    let [only] = &bad[..] else { panic!("{line}: {bad:#?}") };
    assert!(only.starts_with(line), "{line}: {only}");
    assert!(only.contains(remedy), "{remedy}: {only}");
    assert_eq!(exit, u8::from(!line.starts_with("warning")), "{only}");
}

fn breaks(fault: impl Fn(&Stage), line: &str, remedy: &str) {
    play(async |stage| {
        fault(stage);
        is_told(stage, line, remedy).await;
    });
}

#[test]
fn an_environment_that_is_well_is_green_before_and_after_a_release() {
    play(async |stage| {
        assert_eq!(told(stage).await, (0, vec![]));
        let before = stage.running();
        let text = stage.does("verify someli-production").await;
        assert!(text.contains("\nsomeli-production is well: "), "{text}");
        assert!(text.contains("2 of 2 targets: runs what adoption found"), "{text}");
        assert_eq!(stage.running(), before);
        stage.push("prod-1a2b3c4", "healthy");
        assert!(is_live(&stage.end_of("someli-production/2").await));
        assert_eq!(told(stage).await, (0, vec![]));
        let text = stage.does("verify someli-production").await;
        assert!(text.contains("2 of 2 targets: runs what its last release left"), "{text}");
    });
}

/// The configs of the five systems.
const EXAMPLES: [&str; 6] = [
    include_str!("../examples/someli.yaml"),
    include_str!("../examples/someli-fargate.yaml"),
    include_str!("../examples/scr.yaml"),
    include_str!("../examples/zelly.yaml"),
    include_str!("../examples/zelly-production.yaml"),
    include_str!("../examples/deml.yaml"),
];

/// A cluster of another account.
fn elsewhere() -> String {
    let other: String = "123456789012".chars().rev().collect();
    format!(
        "version: 1\n\
         pipelines:\n  \
           shop-web:\n    \
             region: eu-west-1\n    \
             cluster: shop\n    \
             role: arn:aws:iam::{other}:role/tidegate-target\n    \
             external_id: shop-2026\n    \
             images: {{ web: {{ repository: shop-web, tag: \"prod-{{sha}}\", registry: {{ account: \
             \"123456789012\", region: us-west-2 }} }} }}\n    \
             waves: [[web]]\n"
    )
}

/// What IAM was asked so far: program and action.
fn simulated(stage: &Stage) -> BTreeSet<(String, String)> {
    let calls = stage.twin.world.look(|cloud| cloud.calls().to_vec());
    let asked = calls.iter().filter(|it| it.call.name() == "iam:SimulatePrincipalPolicy");
    let pairs = asked.flat_map(|noted| {
        let role = noted.call.input["PolicySourceArn"].as_str().expect("a role");
        let mut programs = ["promote", "deploy", "watch"].into_iter();
        let program = programs.find(|it| role.to_lowercase().contains(it));
        let program = program.expect("a function's role").to_owned();
        let actions = noted.call.input["ActionNames"].as_array().expect("actions").iter();
        actions.map(move |it| (program.clone(), it.as_str().expect("an action").to_owned()))
    });
    pairs.collect()
}

/// What the template allows the functions beside their own table, queue and log.
fn allowed() -> BTreeSet<(String, String)> {
    const NONE: &str = "arn:aws:iam::123456789012:role/none";
    let all = [
        ("ScheduleArns", "arn:aws:events:us-west-2:123456789012:rule/none"),
        ("ScheduleRoleArns", NONE),
        ("LightsailArns", "arn:aws:lightsail:us-west-2:123456789012:ContainerService/none"),
        ("TargetRoleArns", NONE),
    ];
    let stack = installed_with(&all);
    let own = |action: &str| ["dynamodb:", "sqs:", "logs:"].iter().any(|it| action.starts_with(it));
    let mut allowed = BTreeSet::new();
    for program in ["promote", "deploy", "watch"] {
        for statement in stack.statements(&function(program).role) {
            let one = std::slice::from_ref(&statement["Action"]);
            for action in statement["Action"].as_array().map_or(one, Vec::as_slice) {
                let action = action.as_str().expect("an action");
                if !own(action) {
                    allowed.insert((program.to_owned(), action.to_owned()));
                }
            }
        }
    }
    allowed
}

#[test]
fn the_five_systems_are_well_once_adopted_and_all_that_the_roles_allow_is_asked_of_them() {
    let mut asked = play(async |stage| {
        told(stage).await;
        simulated(stage)
    });
    for example in EXAMPLES {
        adopted(TEXT, Fleet::default(), example, async |stage| {
            for pipeline in &stage.pipelines {
                let (exit, bad) = told_of(stage, &pipeline.name).await;
                assert_eq!((exit, bad), (0, vec![]), "{}", pipeline.name);
            }
            asked.extend(simulated(stage));
        });
    }
    adopted(TEXT, Fleet::default(), &elsewhere(), async |stage| {
        told_of(stage, "shop-web").await;
        asked.extend(simulated(stage));
    });
    assert_eq!(asked, allowed());
}

#[test]
fn what_is_in_another_account_is_unknown_where_its_role_may_not_look() {
    adopted(TEXT, Fleet::default(), &elsewhere(), async |stage| {
        let (exit, bad) = told_of(stage, "shop-web").await;
        assert_eq!(exit, 1);
        let topics: Vec<_> =
            bad.iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
        let unknown = ["logs", "secrets", "roles", "roles", "permissions"];
        assert_eq!(topics, unknown.map(|topic| format!("unknown {topic}")), "{bad:#?}");
        assert!(bad.iter().all(|line| line.contains("target-role.yaml")), "{bad:#?}");
        assert!(!bad.iter().any(|line| line.contains("ReaderPolicyArn")), "{bad:#?}");
    });
}

#[test]
fn a_one_off_task_that_is_called_like_a_service_hides_nothing_of_it() {
    let config = WELL.replacen("name: migrate", "name: Rag", 1);
    let fleet = Fleet { refit: &refit, ..Fleet::default() };
    adopted(TEXT, fleet, &config, async |stage| {
        is_told(stage, "failed secrets /rag/token: no such parameter", "put-parameter").await;
    });
}

#[test]
fn a_change_before_the_first_release_is_no_green_guess() {
    play(async |stage| {
        let other = stage.push("other-1a2b3c4", "healthy");
        let revision = stage.register_another("Rag", Some(&other));
        stage.update("Rag", json!({ "taskDefinition": revision }));
        stage.twin.run_for(Duration::from_secs(10 * 60)).await;
        let line = "warning drift Rag: not compared: nothing was released there yet, and it runs \
                    other bytes";
        is_told(stage, line, "`tidegate plan someli-production`").await;
    });
}

#[test]
fn what_it_asks_is_what_the_readers_policy_allows() {
    // ECS itself shifts the traffic of one of them, which is asked for by deployment.
    let refit = |seed: &mut SeedService| {
        refit(seed);
        if seed.name.service == "Rag" {
            let native = json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1 });
            seed.settings["deploymentConfiguration"] = native;
        }
    };
    let fleet = Fleet { refit: &refit, ..Fleet::default() };
    adopted(TEXT, fleet, WELL, async |stage| {
        stage.push("prod-1a2b3c4", "healthy");
        stage.twin.run_for(Duration::from_secs(20 * 60)).await;
        stage.twin.world.with(|cloud, _| cloud.queues.send("DeadLetters", json!({})));
        let calls = stage.twin.world.look(|cloud| cloud.calls().len());
        told(stage).await;
        let asked: BTreeSet<String> = stage.twin.world.look(|cloud| {
            let own = cloud.calls()[calls..].iter();
            let own = own.filter(|it| it.call.caller == Caller::Operator);
            own.map(|noted| noted.call.name()).collect()
        });
        let reader = TEXT.split("\n  TidegateReader:").nth(1).expect("the policy");
        let reader = reader.split("\n  TidegateOperator:").next().expect("its end");
        for native in ["ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments"] {
            assert!(asked.contains(native), "{native} was not asked: {asked:?}");
        }
        let reads = ["Get", "BatchGet", "Query", "Describe", "List", "Simulate"];
        for action in asked {
            let name = action.split(':').nth(1).expect("an action");
            assert!(reads.iter().any(|it| name.starts_with(it)), "{action} is no question");
            assert!(reader.contains(&action), "TidegateReader does not allow {action}");
            assert!(!name.contains("Value") && name != "GetParameter", "{action}: not for us");
        }
    });
}

#[test]
fn a_secret_or_parameter_that_is_gone() {
    let secret = |force: bool| {
        move |stage: &Stage| {
            let input =
                json!({ "SecretId": "live-crons-config", "ForceDeleteWithoutRecovery": force });
            stage.asks("secretsmanager", "DeleteSecret", input);
        }
    };
    breaks(secret(true), "failed secrets live-crons-config-LOCAL1: it is not there", "six letters");
    let deleted = "failed secrets live-crons-config-LOCAL1: it is marked for deletion";
    breaks(secret(false), deleted, "restore-secret");
    breaks(
        |stage| {
            stage.asks("ssm", "DeleteParameter", json!({ "Name": "/rag/token" }));
        },
        "failed secrets /rag/token: no such parameter is in us-west-2",
        "aws ssm put-parameter",
    );
}

#[test]
fn a_role_that_ecs_may_not_hand_out() {
    let policy = json!({ "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "Service": "lambda.amazonaws.com" } }] });
    let input = json!({ "RoleName": "live-crons-task", "PolicyDocument": policy.to_string() });
    breaks(
        |stage| {
            stage.asks("iam", "UpdateAssumeRolePolicy", input.clone());
        },
        "failed roles live-crons-task: it does not trust ecs-tasks.amazonaws.com",
        "update-assume-role-policy",
    );
    breaks(
        |stage| {
            stage.asks("iam", "DeleteRole", json!({ "RoleName": "live-crons-execution" }));
        },
        "failed roles live-crons-execution: it is not there",
        "Create it under the same name",
    );
}

#[test]
fn a_log_group_that_is_gone_or_silent() {
    let group = json!({ "logGroupName": "/ecs/live-crons" });
    let delete = |stage: &Stage| {
        stage.asks("logs", "DeleteLogGroup", group.clone());
    };
    breaks(delete, "failed logs /ecs/live-crons: it is not there", "aws logs create-log-group");
    play(async |stage| {
        stage.twin.run_for(Duration::from_secs(60)).await;
        delete(stage);
        stage.asks("logs", "CreateLogGroup", group.clone());
        stage.twin.run_for(Duration::from_secs(2 * 60 * 60)).await;
        let line = "failed logs /ecs/live-crons: nothing of AI_CONTENT, Rag, migrate ever arrived";
        is_told(stage, line, "logs:PutLogEvents").await;
    });
}

#[test]
fn what_runs_is_short_of_tasks() {
    play(async |stage| {
        stage.update("Rag", json!({ "desiredCount": 2 }));
        // ECS shows it late, but before another task runs.
        stage.twin.run_for(Duration::from_secs(6)).await;
        let line = "failed services Rag: 1 of 2 tasks run rag:1: no task stopped";
        is_told(stage, line, "aws ecs describe-services").await;
    });
}

#[test]
fn a_target_group_that_finds_nobody_healthy() {
    play_on(TEXT, "unhealthy", async |stage| {
        // A task is found unhealthy for ten seconds of its life; then ECS replaces it.
        let (mut bad, mut patience) = (Vec::new(), 60);
        while !bad.iter().any(|line: &String| line.contains("Target.")) && patience > 0 {
            stage.twin.run_for(Duration::from_secs(3)).await;
            (_, bad) = told(stage).await;
            patience -= 1;
        }
        let line = "failed target_groups rag: 0 of 1 targets of Rag healthy: \
                    Target.ResponseCodeMismatch";
        let own: Vec<_> = bad.iter().filter(|line| line.contains(" target_groups ")).collect();
        assert!(own.len() == 1 && own[0].starts_with(line), "{bad:#?}");
    });
}

#[test]
fn a_check_that_would_hold_every_release() {
    let alarm =
        json!({ "AlarmName": "api-5xx", "StateValue": "ALARM", "StateReason": "on purpose" });
    breaks(
        |stage| {
            stage.asks("cloudwatch", "SetAlarmState", alarm.clone());
        },
        "failed checks alarm api-5xx: it rings: on purpose",
        "Mend what it watches",
    );
}

#[test]
fn an_image_that_is_gone_or_may_go() {
    play(async |stage| {
        let digest = stage.digest("Rag");
        stage.ecr("BatchDeleteImage", json!({ "imageIds": [{ "imageDigest": digest }] }));
        is_told(stage, "failed images ", "next task that starts cannot pull it").await;
    });
    let rule = json!({ "rulePriority": 10, "selection": { "tagStatus": "any",
        "countType": "imageCountMoreThan", "countNumber": 50 }, "action": { "type": "expire" } });
    let policy = json!({ "rules": [rule] }).to_string();
    breaks(
        |stage| {
            stage.ecr("PutLifecyclePolicy", json!({ "lifecyclePolicyText": policy }));
        },
        "warning images ",
        "tidegate-keep-*",
    );
}

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
fn what_a_function_may_not_do() {
    let less = TEXT.replacen("Action: ecs:UpdateService, ", "Action: ecs:UpdateCluster, ", 1);
    play_on(&less, "healthy", async |stage| {
        let (exit, bad) = told(stage).await;
        let refused = "failed permissions deploy: it may not ecs:UpdateService on \
                       arn:aws:ecs:us-west-2:123456789012:service/live-crons/";
        assert_eq!((exit, bad.len()), (1, 2), "{bad:#?}");
        assert!(bad.iter().all(|line| line.starts_with(refused)), "{bad:#?}");
    });
}

#[test]
fn what_aws_refuses_to_show_is_unknown_and_hides_nothing_else() {
    for (service, action, topic) in [
        ("logs", "DescribeLogStreams", "logs"),
        ("iam", "SimulatePrincipalPolicy", "permissions"),
        ("ecr", "GetLifecyclePolicy", "images"),
        ("scheduler", "GetSchedule", "event_paths"),
        ("cloudformation", "DescribeStackResources", "event_paths"),
        ("cloudformation", "DescribeStacks", "event_paths"),
    ] {
        play(async |stage| {
            let deny = FaultRule {
                caller: Some("operator".to_owned()),
                service: Some(service.to_owned()),
                action: Some(action.to_owned()),
                ..FaultRule::always(Fault::Deny)
            };
            stage.twin.world.with(|cloud, _| cloud.faults.add(deny));
            let (exit, bad) = told(stage).await;
            assert_eq!(exit, 1, "{bad:#?}");
            assert!(
                bad.iter().any(|line| line.starts_with(&format!("unknown {topic} "))),
                "{bad:#?}"
            );
            let named = |line: &String| {
                line.starts_with("unknown ") && line.contains(&format!("{service}:{action}"))
            };
            assert!(bad.iter().all(named), "{bad:#?}");
        });
    }
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

#[test]
fn a_change_between_releases_is_told_by_verify_and_by_the_next_release() {
    play(async |stage| {
        stage.push("prod-1a2b3c4", "healthy");
        assert!(is_live(&stage.end_of("someli-production/2").await));
        let revision = stage.register_another("Rag", None);
        stage.update("Rag", json!({ "taskDefinition": revision }));
        stage.twin.run_for(Duration::from_secs(10 * 60)).await;
        let line = "warning drift Rag: somebody changed it: it runs rag:4, where \
                    someli-production/2 left rag:3; arn:aws:iam::123456789012:root registered rag:4";
        is_told(stage, line, "aws cloudtrail lookup-events --region us-west-2").await;
        stage.push("prod-5d6e7f8", "healthy");
        stage.until_phase("someli-production/3", "rolling").await;
        let (_, status, _) = stage.tidegate("status someli-production").await;
        for text in [status, stage.journal("someli-production/3").await] {
            assert!(text.contains("where someli-production/2 left rag:3"), "{text}");
            assert!(text.contains("`aws cloudtrail lookup-events"), "{text}");
        }
    });
}
