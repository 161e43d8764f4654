//! Nobody may do more than the template allows, and nothing that it allows is too much: without
//! any one of its actions a story can no longer be told.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its template has failed")]

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_local::call::{Call, Caller, Instance, Noted, Scope};
use tidegate_local::cloud::Reply;
use tidegate_local::ecr::{digest_of, index_manifest, manifest};
use tidegate_local::ecs::SeedService;
use tidegate_local::faults::{Fault, FaultRule};
use tidegate_local::seed::Fleet;
use tidegate_local::twin::TwinError;
use tidegate_tests::faults::SMALL;
use tidegate_tests::stack::{TEXT, function, installed_with};
use tidegate_tests::{Stage, play, play_with};

const SLACK: &str = "arn:aws:secretsmanager:us-west-2:123456789012:secret:slack-Ab12Cd";
const TEAMS: &str = "arn:aws:secretsmanager:us-west-2:123456789012:secret:teams-Ab12Cd";
const WEBHOOKS: [(&str, &str); 2] = [("SlackSecretArn", SLACK), ("TeamsSecretArn", TEAMS)];

/// Actions that no call here can show to be needed, and why they are granted.
const UNSHOWN: [(&str, &str); 2] = [
    // A line that is not logged fails nothing, and the local AWS keeps no logs.
    ("*", "logs:CreateLogStream"),
    ("*", "logs:PutLogEvents"),
];

/// What is played, each as long as it takes.
#[derive(Debug, Clone, Copy)]
enum Story {
    Good,
    Bad,
    /// ECS's events about tasks come an hour late.
    LateEvents,
    /// ECS shifts the traffic, behind a load balancer.
    BlueGreenGood,
    BlueGreenBad,
    /// An image for several platforms.
    Index,
    /// Services that run from before ECS kept service revisions.
    Old,
    /// A one-off task runs before the first wave.
    Migrating,
    /// A webhook's secret that is not there: the message is parked.
    NoSecret,
    /// An alarm is listened to.
    Alarm,
}

impl Story {
    const ALL: [Self; 10] = [
        Self::Good,
        Self::Bad,
        Self::LateEvents,
        Self::BlueGreenGood,
        Self::BlueGreenBad,
        Self::Index,
        Self::Old,
        Self::Migrating,
        Self::NoSecret,
        Self::Alarm,
    ];

    fn config(self) -> String {
        let task = "pre_deploy: [{ name: migrate, task_definition: rag-migrate, container: api, \
                    command: [up], network_from: Rag }]";
        match self {
            Self::Migrating => SMALL.replacen("    waves:", &format!("    {task}\n    waves:"), 1),
            Self::Alarm => format!("{}\n    checks: [{{ alarm: api-5xx }}]\n", SMALL.trim_end()),
            _ => SMALL.to_owned(),
        }
    }

    /// Plays it with what `template` allows: the functions' calls.
    fn play(self, template: &str) -> Result<Vec<Noted>, TwinError> {
        let blue_green = Fleet { refit: &blue_green, ..Fleet::default() };
        let old = Fleet { refit: &|seed| seed.before_service_revisions = true, ..Fleet::default() };
        let (fleet, minutes) = match self {
            Self::Old => (old, 5),
            Self::BlueGreenGood | Self::BlueGreenBad => (blue_green, 20),
            Self::LateEvents => (Fleet::default(), 10),
            _ => (Fleet::default(), 5),
        };
        let parameters = if matches!(self, Self::NoSecret) { &WEBHOOKS[..] } else { &[] };
        play_with(template, parameters, fleet, 3, &self.config(), async |stage| {
            stage.adopt().await;
            self.begin(stage);
            stage.twin.run_for(Duration::from_secs(60 * minutes)).await;
            stage.twin.world.look(|cloud| cloud.calls().to_vec())
        })
    }

    fn begin(self, stage: &Stage) {
        let behaviour = match self {
            Self::Bad | Self::LateEvents | Self::BlueGreenBad => "crash",
            _ => "healthy",
        };
        stage.twin.world.with(|cloud, now| {
            if let Self::LateEvents = self {
                let action = Some("ECS Task State Change".to_owned());
                cloud
                    .faults
                    .add(FaultRule { action, ..FaultRule::always(Fault::Reorder(3_600_000)) });
            }
            let mut put = |manifest: &str, tag: Option<&str>| {
                let tag = tag.map_or(json!({}), |tag| json!({ "imageTag": tag }));
                let mut put = json!({ "repositoryName": "live_crons", "imageManifest": manifest });
                put.as_object_mut().unwrap().extend(tag.as_object().unwrap().clone());
                cloud.ecr.call("PutImage", &put, now).unwrap();
            };
            let image = manifest("pushed", behaviour);
            if let Self::Index = self {
                put(&image, None);
                put(&index_manifest(&[digest_of(&image)]), Some("uapi"));
            } else {
                put(&image, Some("uapi"));
            }
        });
    }
}

fn blue_green(seed: &mut SeedService) {
    let group = seed.name.service.to_lowercase().replace('_', "-");
    seed.target_group = Some(format!(
        "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/{group}/0123456789abcdef"
    ));
    seed.settings = json!({ "deploymentConfiguration": {
        "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1,
    } });
}

/// The calls of `program` that its role did not allow.
fn denied<'a>(calls: &'a [Noted], program: &str) -> Vec<&'a Noted> {
    let refused = |noted: &&Noted| {
        let refusal = noted.refusal.as_deref().unwrap_or_default();
        refusal.contains("AccessDenied") || refusal.contains("Authorization")
    };
    calls.iter().filter(refused).filter(|it| it.call.caller.to_string() == program).collect()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(many) => many.iter().flat_map(texts).collect(),
        Value::String(one) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// Every action that the role of `program` allows.
fn allowed(program: &str) -> BTreeSet<String> {
    let stack = installed_with(&WEBHOOKS);
    let statements = stack.statements(&function(program).role);
    statements.iter().flat_map(|statement| texts(&statement["Action"])).collect()
}

/// The template with one action less in the role of `program` and in the policies that stand below it.
fn without(program: &str, action: &str) -> String {
    let role = format!("\n  {}{}Role:\n", program[..1].to_uppercase(), &program[1..]);
    let begin = TEXT.find(&role).unwrap() + role.len();
    let end = begin + TEXT[begin..].find("\n  # ──").unwrap();
    let mut less = String::new();
    let mut rest = &TEXT[begin..end];
    while let Some(at) = rest.find(action) {
        let (before, after) = (&rest[..at], &rest[at + action.len()..]);
        let whole = !after.starts_with(|it: char| it.is_ascii_alphanumeric());
        less += before;
        less += if whole { "nothing:Whatever" } else { action };
        rest = after;
    }
    less += rest;
    assert_ne!(less, TEXT[begin..end], "{program}'s role never mentions {action}");
    format!("{}{less}{}", &TEXT[..begin], &TEXT[end..])
}

/// The stories, those first in which `program` makes a call of this name.
fn likely(program: &str, action: &str) -> Vec<Story> {
    static CALLS: OnceLock<Vec<(Story, BTreeSet<String>)>> = OnceLock::new();
    let calls = CALLS.get_or_init(|| {
        let name = |noted: Noted| format!("{} {}", noted.call.caller, noted.call.name());
        let calls = |it: Story| it.play(TEXT).unwrap().into_iter().map(name).collect();
        Story::ALL.map(|it| (it, calls(it))).into()
    });
    let wanted = format!("{program} {action}");
    let mut stories: Vec<_> = calls.iter().collect();
    stories.sort_by_key(|(_, calls)| !calls.contains(&wanted));
    stories.into_iter().map(|(story, _)| *story).collect()
}

/// Whether any story shows that the action is missed.
fn is_missed(program: &str, action: &str) -> bool {
    let template = without(program, action);
    likely(program, action).into_iter().any(|story| match story.play(&template) {
        Ok(calls) => !denied(&calls, program).is_empty(),
        // AWS does not even set it up.
        Err(refused) => refused.to_string().contains(action),
    })
}

fn every_action_is_needed(program: &str) {
    let idle: Vec<_> = allowed(program)
        .into_iter()
        .filter(|action| {
            !UNSHOWN.iter().any(|(of, it)| (*of == "*" || *of == program) && it == action)
        })
        .filter(|action| !is_missed(program, action))
        .collect();
    assert!(
        idle.is_empty(),
        "no story misses {idle:?} of {program}: take it from {program}'s role in template.yaml, or \
         add the story that needs it"
    );
}

#[test]
fn promote_is_allowed_nothing_that_it_does_not_need() {
    every_action_is_needed("promote");
}

#[test]
fn deploy_is_allowed_nothing_that_it_does_not_need() {
    every_action_is_needed("deploy");
}

#[test]
fn watch_is_allowed_nothing_that_it_does_not_need() {
    every_action_is_needed("watch");
}

#[test]
fn notify_is_allowed_nothing_that_it_does_not_need() {
    every_action_is_needed("notify");
}

#[test]
fn every_story_gets_by_with_what_the_template_allows() {
    for story in Story::ALL {
        let calls = story.play(TEXT).unwrap();
        for program in ["promote", "deploy", "watch", "notify"] {
            let denied = denied(&calls, program);
            assert!(denied.is_empty(), "{story:?}: {program} is not allowed {denied:#?}");
        }
    }
}

#[test]
fn a_build_is_allowed_what_wait_asks_and_no_more() {
    let role = [("TargetRoleArns", "arn:aws:iam::123456789012:role/tidegate-target")];
    let stack = installed_with(&role);
    let policies = stack.managed_policies();
    let (_, waiter) = policies.iter().find(|(arn, _)| arn.contains("TidegateWaiter")).unwrap();
    let statements = waiter["Statement"].as_array().unwrap();
    let of = |name: &str| statements.iter().flat_map(|it| texts(&it[name])).collect::<Vec<_>>();
    let allowed: BTreeSet<_> = of("Action").into_iter().collect();
    let tables = |arn: &String| arn.contains(":table/") && !arn.contains("/index/");
    let named = |arn: &String| tables(arn) || arn.ends_with(":repository/live_crons");
    assert!(of("Resource").iter().all(|arn| named(arn) && !arn.contains('*')), "{waiter}");
    play(1, SMALL, async |stage| {
        let asks = async |line: &str| {
            let before = stage.twin.world.look(|cloud| cloud.calls().len());
            let (exit, out, talk) = stage.tidegate(line).await;
            assert_eq!(exit, 20, "{line}: {out}{talk}");
            stage.twin.world.look(|cloud| -> BTreeSet<String> {
                let own = cloud.calls()[before..].iter();
                let own = own.filter(|noted| noted.call.caller == Caller::Operator);
                own.map(|noted| noted.call.name()).collect()
            })
        };
        stage.adopt().await;
        // What waits for a person is looked at whole.
        stage.tidegate("freeze someli-production --reason audit").await;
        Story::Index.begin(stage);
        stage.twin.run_for(Duration::from_secs(10)).await;
        assert_eq!(asks("wait someli-production --tag uapi").await, allowed);
        let waiting = stage.scene("someli-production").await.waiting.unwrap();
        let digest = &waiting.images["crons"].digest;
        let asked = asks(&format!("wait someli-production --digest {digest}")).await;
        assert!(asked.iter().all(|action| action.starts_with("dynamodb:")), "{asked:?}");
    });
}

#[test]
fn only_deploy_can_change_a_target_and_only_those_it_was_given() {
    let service = |name: &str| json!({ "cluster": "live-crons", "service": name });
    let update = |name: &str, revision: &str| {
        let mut input = service(name);
        input["taskDefinition"] = json!(revision);
        input
    };
    let mut desired = service("Rag");
    desired["desiredCount"] = json!(0);
    let table = |key: &str| json!({ "TableName": "t", "Key": { "pk": { "S": key } } });
    play(1, SMALL, async |stage| {
        let other = json!({ "family": "somebody-else", "containerDefinitions": [] });
        let escalated = json!({
            "family": "rag", "containerDefinitions": [],
            "taskRoleArn": "arn:aws:iam::123456789012:role/administrator",
        });
        let before = stage.running();
        for (program, service, action, input) in [
            ("watch", "ecs", "UpdateService", update("Rag", "rag:1")),
            ("watch", "ecs", "RegisterTaskDefinition", json!({ "family": "rag" })),
            ("watch", "ecs", "StopServiceDeployment", json!({ "serviceDeploymentArn": "a/b/c/d" })),
            ("promote", "ecs", "UpdateService", update("Rag", "rag:1")),
            (
                "promote",
                "ecs",
                "DescribeServices",
                json!({ "cluster": "live-crons", "services": ["Rag"] }),
            ),
            ("promote", "ecr", "PutImage", json!({ "repositoryName": "live_crons" })),
            ("notify", "ecs", "UpdateService", update("Rag", "rag:1")),
            ("notify", "dynamodb", "GetItem", table("pipeline#someli-production")),
            (
                "notify",
                "sns",
                "Publish",
                json!({ "TopicArn": "arn:aws:sns:us-west-2:123456789012:other" }),
            ),
            ("deploy", "ecs", "UpdateService", update("Somebody-Else", "rag:1")),
            ("deploy", "ecs", "UpdateService", update("Rag", "somebody-else:1")),
            // Without a definition of the named families it is not Tidegate's call.
            ("deploy", "ecs", "UpdateService", desired.clone()),
            ("deploy", "ecs", "RegisterTaskDefinition", other),
            ("deploy", "ecs", "RegisterTaskDefinition", escalated),
            (
                "deploy",
                "ecs",
                "RunTask",
                json!({ "cluster": "live-crons", "taskDefinition": "somebody-else:1" }),
            ),
            ("deploy", "ecs", "RunTask", json!({ "cluster": "other", "taskDefinition": "rag:1" })),
            (
                "deploy",
                "ecs",
                "DeleteService",
                json!({ "cluster": "live-crons", "service": "Rag" }),
            ),
            ("deploy", "ecr", "BatchDeleteImage", json!({ "repositoryName": "live_crons" })),
            ("deploy", "ecr", "PutImage", json!({ "repositoryName": "other" })),
            ("deploy", "ecr", "PutLifecyclePolicy", json!({ "repositoryName": "live_crons" })),
            ("deploy", "dynamodb", "DeleteItem", table("pipeline#someli-production")),
            (
                "deploy",
                "sns",
                "Publish",
                json!({ "TopicArn": "arn:aws:sns:us-west-2:123456789012:other" }),
            ),
        ] {
            let caller = Caller::Function(Instance { program: program.to_owned(), number: 1 });
            let (service, action) = (service.to_owned(), action.to_owned());
            let call = Call { caller, scope: Scope::default(), service, action, input };
            let what = format!("{program}: {} {}", call.name(), call.input);
            let reply = stage.twin.world.with(|cloud, now| cloud.call(call, now));
            let Reply::Answered(answer, _) = reply else { panic!("{what}: {reply:?}") };
            let refusal = answer.refusal().unwrap_or_default();
            assert!(
                refusal.contains("AccessDenied") || refusal.contains("AuthorizationError"),
                "{what} was answered {answer:?}: narrow the statement in template.yaml that allows it"
            );
        }
        assert_eq!(stage.running(), before);
    });
}
