//! What `template.yaml` promises: who may do what, what wakes whom, and that nothing is lost.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its template has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_core::config::{Config, Parameters, PipelineConfig};
use tidegate_local::api::Place;
use tidegate_local::laptop::pipelines_of;
use tidegate_local::places::{self, REGIONAL, TARGET_ROLE};
use tidegate_local::seed::parameters_of;
use tidegate_local::template::{Stack, Template};
use tidegate_tests::stack::{NAMED, TEXT, deploy, function, installed_with};

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().flat_map(strings).collect(),
        other => panic!("neither a text nor a list of texts: {other}"),
    }
}

/// Every action that the function's role allows, except writing its log and parking.
fn actions(stack: &Stack, program: &str) -> BTreeSet<String> {
    stack
        .statements(&function(program).role)
        .into_iter()
        .flat_map(|statement| strings(&statement["Action"]))
        .filter(|action| !action.starts_with("logs:") && action != "sqs:SendMessage")
        .collect()
}

fn set<const N: usize>(groups: [&[&str]; N]) -> BTreeSet<String> {
    groups.into_iter().flatten().map(|action| (*action).to_owned()).collect()
}

const TABLE: &[&str] = &[
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
];
const STREAM: &[&str] = &[
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
];
const LOOK: &[&str] = &[
    "ecs:DescribeServiceDeployments",
    "ecs:DescribeServiceRevisions",
    "ecs:DescribeServices",
    "ecs:DescribeTasks",
    "ecs:ListServiceDeployments",
    "ecs:ListTasks",
];

#[test]
fn each_function_may_do_what_it_needs_and_no_more() {
    let stack = installed_with(&[]);
    let images = &["ecr:DescribeImages", "ecr:BatchGetImage"];
    let change = &[
        "ecr:GetLifecyclePolicy",
        "ecr:PutImage",
        "ecs:DescribeTaskDefinition",
        "ecs:RegisterTaskDefinition",
        "ecs:RunTask",
        "ecs:StopServiceDeployment",
        "ecs:TagResource",
        "ecs:UpdateService",
        "iam:PassRole",
    ];
    assert_eq!(actions(&stack, "promote"), set([TABLE, images]));
    assert_eq!(actions(&stack, "deploy"), set([TABLE, STREAM, LOOK, images, change]));
    let checks = &["cloudwatch:DescribeAlarms", "elasticloadbalancing:DescribeTargetHealth"];
    assert_eq!(actions(&stack, "watch"), set([TABLE, LOOK, checks]));
    assert_eq!(actions(&stack, "notify"), set([STREAM, &["sns:Publish"]]));
}

#[test]
fn webhook_secrets_are_readable_only_where_they_are_named() {
    let slack = "arn:aws:secretsmanager:us-west-2:123456789012:secret:slack-Ab12Cd";
    let stack = installed_with(&[("SlackSecretArn", slack)]);
    let read: Vec<_> = stack
        .statements(&function("notify").role)
        .into_iter()
        .filter(|statement| statement["Action"] == "secretsmanager:GetSecretValue")
        .map(|statement| statement["Resource"].clone())
        .collect();
    assert_eq!(read, [json!(slack)]);
}

#[test]
fn a_star_is_granted_only_where_iam_knows_no_resource_or_the_cluster_limits_it() {
    let stack = installed_with(&[]);
    let no_resource_level = [
        // It has one, but composite alarms are shown only to whom all are.
        "cloudwatch:DescribeAlarms",
        "ecs:DescribeTaskDefinition",
        "elasticloadbalancing:DescribeTargetHealth",
    ];
    for program in ["promote", "deploy", "watch", "notify"] {
        for statement in stack.statements(&function(program).role) {
            assert_eq!(statement["Effect"], "Allow", "{program}: {statement}");
            let actions = strings(&statement["Action"]);
            assert!(actions.iter().all(|action| !action.contains('*')), "{program}: {statement}");
            if strings(&statement["Resource"]).iter().any(|resource| resource == "*") {
                let cluster = statement.pointer("/Condition/ArnEquals/ecs:cluster").is_some();
                let known = actions.iter().all(|it| no_resource_level.contains(&it.as_str()));
                assert!(cluster || known, "{program}: {statement}");
            }
        }
    }
}

#[test]
fn what_deploy_changes_is_what_the_installer_named() {
    let stack = installed_with(&[]);
    let named: BTreeMap<_, _> = NAMED.into_iter().collect();
    let statements = stack.statements(&function("deploy").role);
    for (action, parameter, condition) in [
        ("ecs:UpdateService", "ServiceArns", Some("/ArnEquals/ecs:task-definition")),
        ("ecs:RegisterTaskDefinition", "TaskDefinitionArns", None),
        ("ecs:RunTask", "TaskDefinitionArns", Some("/ArnEqualsIfExists/ecs:cluster")),
        ("iam:PassRole", "TaskRoleArns", Some("/StringEquals/iam:PassedToService")),
        ("ecr:PutImage", "RepositoryArns", None),
    ] {
        let granting: Vec<_> = statements
            .iter()
            .filter(|statement| strings(&statement["Action"]).iter().any(|it| it == action))
            .collect();
        assert_eq!(granting.len(), 1, "{action}");
        assert_eq!(strings(&granting[0]["Resource"]), [named[parameter]], "{action}");
        let found = condition.map(|pointer| granting[0]["Condition"].pointer(pointer).is_some());
        assert_ne!(found, Some(false), "{action} lost its condition");
    }
    // A tag is put on by a registration alone, and that is limited to the families.
    let tag = statements.iter().find(|statement| statement["Action"] == "ecs:TagResource").unwrap();
    let registers = json!({ "StringEquals": { "ecs:CreateAction": "RegisterTaskDefinition" } });
    assert_eq!(tag["Condition"], registers);
}

#[test]
fn what_tidegate_may_touch_has_no_default() {
    for (left_out, _) in NAMED {
        let refusal = deploy(NAMED.iter().filter(|(name, _)| *name != left_out)).unwrap_err();
        assert!(refusal.to_string().contains(left_out), "{refusal}");
    }
}

#[test]
fn deploy_is_fed_one_target_at_a_time_and_notify_for_six_hours() {
    let [deploy, notify] = ["deploy", "notify"].map(|name| function(name).mappings.remove(0));
    assert_eq!((deploy.batch, deploy.lanes, deploy.retries), (1, 10, Some(3)));
    assert_eq!(
        (deploy.age, deploy.partial, deploy.bisect),
        (Duration::from_secs(3600), true, false)
    );
    assert_eq!((notify.batch, notify.lanes, notify.retries), (10, 1, None));
    assert_eq!(
        (notify.age, notify.partial, notify.bisect),
        (Duration::from_secs(21_600), true, true)
    );
    // Promote and watch read no stream: two readers a shard is DynamoDB's limit.
    assert!(function("promote").mappings.is_empty() && function("watch").mappings.is_empty());
    assert_eq!(function("deploy").timeout, Duration::from_secs(90));
    assert_eq!(TEXT.matches("StartingPosition: TRIM_HORIZON").count(), 2);
}

#[test]
fn schedules_say_what_they_are() {
    let due = |program: &str| {
        let schedule = function(program).schedules.remove(0);
        (schedule.every, schedule.input)
    };
    assert_eq!(due("promote"), (Duration::from_secs(300), json!({ "kind": "sweep" })));
    assert_eq!(due("watch"), (Duration::from_secs(60), json!({ "kind": "tick" })));
}

#[test]
fn what_fails_in_a_function_is_parked() {
    for program in ["promote", "watch"] {
        assert!(function(program).retries.on_failure.is_some(), "{program}");
    }
    for program in ["deploy", "notify"] {
        let mapping = function(program).mappings.remove(0);
        assert!(mapping.on_failure.is_some(), "{program}");
    }
}

/// The words that stand between `before` and `after`, wherever they do.
fn between<'a>(before: &'a str, after: &'a str) -> BTreeSet<&'a str> {
    TEXT.split(before).skip(1).filter_map(|rest| Some(rest.split_once(after)?.0)).collect()
}

#[test]
fn every_rules_queue_is_under_the_alarm() {
    let rules: usize = ["promote", "watch"].map(|name| function(name).rules.len()).iter().sum();
    let mut queues = between("DeadLetterConfig: { Type: SQS, QueueLogicalId: ", " }");
    assert_eq!(queues.len(), rules, "each rule has a queue of its own");
    queues.insert("DeadLetters");
    assert_eq!(queues, between("Name: QueueName, Value: !GetAtt ", ".QueueName"));
}

#[test]
fn functions_are_told_these_things_and_no_others() {
    let shared = [
        "TIDEGATE_CLOCK",
        "TIDEGATE_ENDPOINT_URL",
        "TIDEGATE_NATIVE_ROOTS",
        "TIDEGATE_RETENTION_DAYS",
        "TIDEGATE_TABLE",
    ];
    let channels = [
        "TIDEGATE_DEAD_LETTERS_URL",
        "TIDEGATE_SLACK_SECRET_ARN",
        "TIDEGATE_TEAMS_SECRET_ARN",
        "TIDEGATE_TOPIC_ARN",
    ];
    for program in ["promote", "deploy", "watch", "notify"] {
        let environment = function(program).environment;
        let told: BTreeSet<_> = environment.keys().map(String::as_str).collect();
        let more = if program == "notify" { &channels[..] } else { &[] };
        assert_eq!(told, shared.iter().chain(more).copied().collect(), "{program}");
        // Empty is AWS and the system's clock: what is deployed is never the laptop.
        assert_eq!(environment["TIDEGATE_ENDPOINT_URL"], "");
        assert_eq!(environment["TIDEGATE_CLOCK"], "");
    }
}

#[test]
fn the_table_outlives_the_stack() {
    let table = TEXT.split("\n  ReleaseTable:\n").nth(1).unwrap();
    let table = table.split("\n\n").next().unwrap();
    for line in [
        "DeletionPolicy: Retain",
        "UpdateReplacePolicy: Retain",
        "DeletionProtectionEnabled: true",
        "PointInTimeRecoveryEnabled: true",
        "StreamViewType: NEW_AND_OLD_IMAGES",
        "AttributeName: expires_at, Enabled: true",
    ] {
        assert!(table.contains(line), "{line}");
    }
    let request = installed_with(&[]).tables().remove(0).request;
    let index = &request["GlobalSecondaryIndexes"][0];
    assert_eq!(index["IndexName"], "open");
    assert_eq!(index["KeySchema"][0]["AttributeName"], "open");
    assert_eq!(index["KeySchema"][1]["AttributeName"], "pk");
    assert_eq!(index["Projection"]["ProjectionType"], "KEYS_ONLY");
}

#[test]
fn nobody_is_allowed_to_delete() {
    let deletes = ["DeleteItem", "BatchWriteItem"];
    let lines = TEXT.lines().filter(|line| deletes.iter().any(|delete| line.contains(delete)));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 1, "only the operator's denial names them: {lines:?}");
    assert!(TEXT.contains("{ Sid: NeverDelete, Effect: Deny,"));
}

const ROLE: &str = "arn:aws:iam::123456789012:role/tidegate-target";

/// One of the other two templates, in the place of the installation.
fn other(template: &str, more: &[(&str, &str)], named: &[&str]) -> Stack {
    let given = NAMED.iter().filter(|(name, _)| named.contains(name)).chain(more);
    let parameters: BTreeMap<_, _> =
        given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let place = Place::new("123456789012", "us-west-2");
    Template::parse(template).unwrap().deploy(&parameters, &place).unwrap()
}

fn target_role() -> Stack {
    let trusted = function("deploy").role;
    let more = [("TrustedArns", trusted.as_str()), ("ExternalId", "zelly-2026")];
    other(TARGET_ROLE, &more, &NAMED.map(|(name, _)| name))
}

#[test]
fn a_role_is_taken_on_only_where_it_is_named() {
    let takes = |stack: &Stack, program: &str| -> Vec<Value> {
        let statements = stack.statements(&function(program).role).into_iter();
        let taking = statements.filter(|it| it["Action"] == "sts:AssumeRole");
        taking.map(|statement| statement["Resource"].clone()).collect()
    };
    let (without, with) = (installed_with(&[]), installed_with(&[("TargetRoleArns", ROLE)]));
    for program in ["promote", "deploy", "watch", "notify"] {
        assert!(takes(&without, program).is_empty(), "{program}");
        let expected = if program == "notify" { Vec::new() } else { vec![json!([ROLE])] };
        assert_eq!(takes(&with, program), expected, "{program}");
    }
    let account = "123456789012".to_owned();
    assert!(without.admitted().is_empty());
    assert_eq!(installed_with(&[("ForwardingAccounts", &account)]).admitted(), [account].into());
}

#[test]
fn a_role_elsewhere_may_do_what_the_functions_may_do_at_home() {
    // What belongs to the installation itself, and to its people's checks of names.
    const OWN: [&str; 5] = ["Table", "Stream", "Park", "Log", "Role"];
    const NAMES: [&str; 2] = ["ClusterServices", "Names"];
    let held = |stack: &Stack, role: &str| {
        let mut held: BTreeMap<String, (BTreeSet<String>, Value, Value)> = BTreeMap::new();
        for statement in stack.statements(role) {
            let sid = statement["Sid"].as_str().unwrap().to_owned();
            let (resource, condition) = (&statement["Resource"], &statement["Condition"]);
            let entry = (BTreeSet::new(), resource.clone(), condition.clone());
            held.entry(sid).or_insert(entry).0.extend(strings(&statement["Action"]));
        }
        held
    };
    let stack = installed_with(&[]);
    let mut home = BTreeMap::new();
    for program in ["promote", "watch", "deploy"] {
        for (sid, (actions, resource, condition)) in held(&stack, &function(program).role) {
            let entry = home.entry(sid).or_insert((BTreeSet::new(), resource, condition));
            entry.0.extend(actions);
        }
    }
    home.retain(|sid, _| !OWN.contains(&sid.as_str()));
    let mut there = held(&target_role(), ROLE);
    for names in NAMES {
        let (actions, _, condition) = there.remove(names).unwrap();
        let lists = |it: &String| it.contains(":List") || it == "ecr:DescribeRepositories";
        assert!(actions.iter().all(lists), "{actions:?}");
        let limited = condition.pointer("/ArnEquals/ecs:cluster").is_some();
        assert_eq!(limited, names == "ClusterServices", "{names}");
    }
    assert_eq!(there, home);
}

#[test]
fn a_role_elsewhere_trusts_those_who_are_named_and_say_its_external_id() {
    let stack = target_role();
    let [(arn, trust)] = &stack.trusts()[..] else { panic!("one role") };
    assert_eq!(arn, ROLE);
    let [only] = &trust[..] else { panic!("one statement: {trust:?}") };
    assert_eq!(only["Principal"], json!({ "AWS": [function("deploy").role] }));
    assert_eq!(only["Condition"], json!({ "StringEquals": { "sts:ExternalId": "zelly-2026" } }));
    for text in [TARGET_ROLE, REGIONAL] {
        assert!(!text.contains("Default: '*'"), "nothing is everybody's");
    }
}

#[test]
fn what_is_sent_home_is_what_the_functions_listen_to() {
    let bus = [("BusArn", "arn:aws:events:us-west-2:123456789012:event-bus/default")];
    let heard: Vec<_> = ["promote", "watch"]
        .into_iter()
        .flat_map(|program| function(program).rules)
        .map(|rule| rule.pattern)
        .collect();
    let sent = other(REGIONAL, &bus, &["ClusterArns"]).rules().unwrap();
    assert_eq!(sent.len(), heard.len());
    for pattern in &heard {
        assert!(sent.contains(pattern), "{pattern:?} is not sent home");
    }
    // Where only images are, only pushes.
    assert_eq!(other(REGIONAL, &bus, &[]).rules().unwrap(), heard[..1]);
}

/// What IAM takes, in characters without white space: of all that is inline in a role, and of a managed
/// policy.
const INLINE: usize = 10_240;
const MANAGED: usize = 6_144;
/// What CloudFormation takes of a parameter's value, in bytes.
const PARAMETER: usize = 4_096;

/// The characters of a policy. CloudFormation makes names longer than the local AWS does:
/// `tidegate-ReleaseTable-1A2B3C4D5E6F7`.
fn characters(document: &Value) -> usize {
    document.to_string().replace("tidegate-", "tidegate-1A2B3C4D5E6F7-").len()
}

#[track_caller]
fn fits(whose: &str, stack: &Stack) {
    for (name, value) in &stack.parameters {
        assert!(value.len() <= PARAMETER, "{whose}: {name} has {} bytes", value.len());
    }
    for (role, _) in stack.trusts() {
        let inline: usize = stack.inline_policies(&role).into_iter().map(characters).sum();
        assert!(inline <= INLINE, "{whose}: {role} has {inline} characters inline");
    }
    for (policy, document) in stack.managed_policies() {
        let managed = characters(document);
        assert!(managed <= MANAGED, "{whose}: {policy} has {managed} characters");
    }
}

/// The stack of a config's installation, and those of the roles that it takes on.
fn stacks(pipelines: &[PipelineConfig]) -> Vec<Stack> {
    let (place, parameters) = (places::home_of(pipelines), places::parameters(pipelines));
    let home = Template::parse(TEXT).unwrap().deploy(&parameters, &place).unwrap();
    let roles: BTreeSet<_> = pipelines.iter().filter_map(|it| it.role.as_ref()).collect();
    let there = roles.into_iter().map(|role| {
        let mut parameters = parameters_of(pipelines, Some(role));
        parameters.retain(|name, _| !Parameters::OPTIONAL.contains(&name.as_str()));
        let trusted = ("TrustedArns".to_owned(), function("deploy").role);
        let external = ("ExternalId".to_owned(), "zelly-2026".to_owned());
        parameters.extend([trusted, external]);
        Template::parse(TARGET_ROLE).unwrap().deploy(&parameters, &place).unwrap()
    });
    std::iter::once(home).chain(there).collect()
}

fn pipelines(text: &str) -> Vec<PipelineConfig> {
    pipelines_of(&Config::parse("tidegate.yaml", text).unwrap()).unwrap()
}

/// Services and schedules with names as long as those of examples/someli-fargate.yaml; `more` of the
/// pipeline.
fn fargate(services: usize, schedules: usize, more: &str) -> String {
    let services = (0..services).map(|it| format!("someli-api-staging-job-token-refresh-{it:02}"));
    let schedules = (0..schedules)
        .map(|it| format!("{{ schedule: someli-api-staging/billing-reconcile-{it:02} }}"));
    let targets: Vec<_> = services.chain(schedules).collect();
    format!(
        "version: 1\npipelines:\n  someli-api-staging:\n    region: us-west-2\n    \
         cluster: someli-api-staging\n    {more}\n    \
         images: {{ api: {{ repository: someli-api, tag: \"staging-{{sha}}\" }} }}\n    \
         waves: [[{}]]\n",
        targets.join(", ")
    )
}

#[test]
fn every_example_can_be_installed() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");
    let files = std::fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.collect();
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        let pipelines = pipelines(&std::fs::read_to_string(&file).unwrap());
        for stack in stacks(&pipelines) {
            fits(&file.display().to_string(), &stack);
        }
    }
}

#[test]
fn thirty_one_services_and_ten_schedules_fit_with_every_arn_written_out() {
    let elsewhere = format!("role: {ROLE}");
    for text in [fargate(31, 10, ""), fargate(31, 0, &elsewhere)] {
        for stack in stacks(&pipelines(&text)) {
            fits("31 services", &stack);
            for (name, value) in &stack.parameters {
                assert!(!value.replace(":*", "").contains('*'), "{name} is folded: {value}");
            }
        }
    }
}

#[test]
fn hundreds_of_services_and_schedules_fit_too() {
    let elsewhere = format!("role: {ROLE}");
    for text in [fargate(300, 100, ""), fargate(300, 0, &elsewhere)] {
        for stack in stacks(&pipelines(&text)) {
            fits("300 services", &stack);
        }
    }
}

#[test]
fn policies_fit_with_every_list_as_long_as_it_may_be() {
    let named: BTreeMap<_, _> = NAMED.into_iter().collect();
    let more = BTreeMap::from([
        ("ScheduleArns", "arn:aws:scheduler:us-west-2:123456789012:schedule/default/nightly"),
        ("ScheduleRoleArns", "arn:aws:iam::123456789012:role/live-crons-schedule"),
        ("LightsailArns", "arn:aws:lightsail:us-west-2:123456789012:ContainerService/0a1b2c3d"),
    ]);
    let brim = |(name, room): (&str, usize)| {
        let like = named.get(name).or(more.get(name)).unwrap();
        let many = room / (like.len() + "-00,".len());
        let arns: Vec<_> =
            (0..many).map(|it| format!("{}-{it:02}", like.trim_end_matches(":*"))).collect();
        (name.to_owned(), arns.join(","))
    };
    let mut parameters: BTreeMap<_, _> = Parameters::ROOM.into_iter().map(brim).collect();
    parameters.insert("ClusterArns".to_owned(), [named["ClusterArns"]; 4].join(","));
    let place = Place::new("123456789012", "us-west-2");
    let mut home = parameters.clone();
    home.insert("TargetRoleArns".to_owned(), [ROLE; 4].join(","));
    fits("home", &Template::parse(TEXT).unwrap().deploy(&home, &place).unwrap());
    parameters.retain(|name, _| !Parameters::OPTIONAL.contains(&name.as_str()));
    let trusted = ("TrustedArns".to_owned(), function("deploy").role);
    parameters.extend([trusted, ("ExternalId".to_owned(), "zelly-2026".to_owned())]);
    fits("there", &Template::parse(TARGET_ROLE).unwrap().deploy(&parameters, &place).unwrap());
}
