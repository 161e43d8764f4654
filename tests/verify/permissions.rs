//! What the functions may do, what a reader may ask, and what is said of what nobody may see.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tidegate_local::call::Caller;
use tidegate_local::ecs::SeedService;
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_local::seed::Fleet;
use tidegate_tests::Stage;
use tidegate_tests::stack::{TEXT, function, installed_with};

use crate::environment::{EXAMPLES, WELL, adopted, play, play_on, refit, told, told_of};

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
