//! A config against what AWS has, and what the template's permissions must name.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::config::{Live, LiveService, Parameters, Registry, Running, TargetName};
use tidegate_core::sighting::Controller;

use super::{SOMELI, config, with};

const SERVICES: [&str; 9] = [
    "AI_CONTENT",
    "Billing-Payments",
    "Carousel",
    "Content_Media",
    "Dynamic_Post",
    "Post_Schedule",
    "Rag",
    "Social_Media_Connection",
    "User_Specific_Content",
];

fn home() -> Registry {
    Registry { account: "123456789012".to_owned(), region: "us-west-2".to_owned() }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn service() -> LiveService {
    running("worker", "live_crons:uapi")
}

/// A service of one container.
fn running(container: &str, image: &str) -> LiveService {
    let image = format!("123456789012.dkr.ecr.us-west-2.amazonaws.com/{image}");
    LiveService {
        controller: Controller::Ecs,
        daemon: false,
        containers: BTreeMap::from([(container.to_owned(), image)]),
    }
}

/// The account: production's nine services, and what stands beside them.
fn someli() -> Live {
    let nine = SERVICES.iter().map(|name| ((*name).to_owned(), service())).collect();
    let beside = |services: &[(&str, &str)]| {
        let services = services.iter();
        services.map(|(name, image)| ((*name).to_owned(), running(name, image))).collect()
    };
    let services = [
        ("live-crons", nine),
        ("UAT", beside(&[("uapp", "uat:uapp-1f3a9c7"), ("uapi", "uat:uapi")])),
        (
            "designers",
            beside(&[
                ("dapi", "designers:dapi"),
                ("designers-post-schedule", "designers-crons:dapi"),
                ("designers-content-media", "designers-crons:dapi"),
                ("designers-carousel", "designers-crons:dapi"),
            ]),
        ),
        (
            "dev",
            beside(&[
                ("dev-post-schedule", "dev_crons:uapi"),
                ("dev-content-media", "dev_crons:uapi"),
            ]),
        ),
    ];
    let repositories = [
        ("live_crons", names(&["uapi", "prod-1f3a9c7"])),
        ("uat", names(&["uapp-1f3a9c7", "uapi"])),
        ("designers", names(&["dapi"])),
        ("designers-crons", names(&["dapi"])),
        ("dev_crons", names(&["uapi"])),
    ];
    Live {
        clusters: services.iter().map(|(name, _)| (*name).to_owned()).collect(),
        services: services.map(|(name, own)| (name.to_owned(), own)).into(),
        repositories: repositories.map(|(name, tags)| (name.to_owned(), tags)).into(),
        ..Live::default()
    }
}

/// Each problem is expected at the `|` of the first text, and says the second.
#[track_caller]
fn check(text: &str, live: &Live, expected: &[(&str, &str)]) {
    let found = config(text).compare(&home(), &BTreeMap::from([(home(), live.clone())]));
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(place, message)| {
            let (left, right) = place.split_once('|').unwrap();
            let at = text.find(&format!("{left}{right}")).unwrap() + left.len();
            let before = &text[..at];
            let row = before.matches('\n').count() + 1;
            let column = before.len() - before.rfind('\n').unwrap();
            format!("tidegate.yaml:{row}:{column}: {message}")
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_example_fits_what_runs() {
    check(SOMELI, &someli(), &[]);
}

#[test]
fn the_cluster_where_the_repository_is_meant_is_caught_with_the_near_miss() {
    check(
        &with(SOMELI, "repository: live_crons", "repository: live-crons"),
        &someli(),
        &[(
            "repository: |live-crons",
            "pipelines.someli-production.images.crons.repository: `live-crons` is no \
           repository of 123456789012 in us-west-2; it is a cluster; did you mean `live_crons`?",
        )],
    );
    check(
        &with(SOMELI, "cluster: live-crons", "cluster: live_crons"),
        &someli(),
        &[(
            "cluster: |live_crons",
            "pipelines.someli-production.cluster: `live_crons` is no cluster of 123456789012 \
           in us-west-2; it is a repository; did you mean `live-crons`?",
        )],
    );
}

#[test]
fn an_unknown_service_is_caught_with_the_near_miss() {
    check(
        &with(SOMELI, "- Billing-Payments", "- Billing_Payments"),
        &someli(),
        &[(
            "- |Billing_Payments",
            "pipelines.someli-production.waves[1][1]: `Billing_Payments` is no service of \
           cluster `live-crons`; did you mean `Billing-Payments`?",
        )],
    );
}

#[test]
fn a_pattern_that_matches_nothing_yet_is_a_warning() {
    let mut live = someli();
    live.repositories.insert("live_crons".to_owned(), names(&["uapi", "prod-latest"]));
    check(
        SOMELI,
        &live,
        &[(
            "[uapi, |\"prod-{sha}\"]",
            "warning: pipelines.someli-production.images.crons.tag[1]: no tag of \
           `live_crons` matches `prod-{sha}` yet",
        )],
    );
}

#[test]
fn what_tidegate_cannot_drive_is_refused_by_name() {
    let place = "pipelines.someli-production.waves[0][0]: `Rag`";
    for (change, expected) in [
        (
            LiveService { controller: Controller::CodeDeploy, ..service() },
            "is deployed by CodeDeploy, which Tidegate cannot drive; use ECS's own controller",
        ),
        (
            LiveService { controller: Controller::External, ..service() },
            "has the EXTERNAL deployment controller, which Tidegate cannot drive; use ECS's own",
        ),
        (
            LiveService { daemon: true, ..service() },
            "is a DAEMON service, which Tidegate does not support; use REPLICA",
        ),
    ] {
        let mut live = someli();
        live.services.get_mut("live-crons").unwrap().insert("Rag".to_owned(), change);
        check(SOMELI, &live, &[("- [|Rag]", &format!("{place} {expected}"))]);
    }
}

#[test]
fn a_service_that_runs_none_of_the_images_is_a_warning_and_no_service_at_all_an_error() {
    let other = BTreeMap::from([("web".to_owned(), "nginx:1".to_owned())]);
    let idle = LiveService { containers: other, ..service() };
    let mut live = someli();
    live.services.get_mut("live-crons").unwrap().insert("Rag".to_owned(), idle.clone());
    check(
        SOMELI,
        &live,
        &[(
            "- [|Rag]",
            "warning: pipelines.someli-production.waves[0][0]: no container of `Rag` runs an \
           image of this pipeline; releases will leave it as it is",
        )],
    );
    for service in live.services.get_mut("live-crons").unwrap().values_mut() {
        *service = idle.clone();
    }
    check(
        SOMELI,
        &live,
        &[(
            "    |waves:",
            "pipelines.someli-production.waves: no target runs an image of this pipeline",
        )],
    );
}

#[test]
fn a_service_that_runs_the_image_of_another_registry_is_named() {
    let mut live = someli();
    let rag = live.services.get_mut("live-crons").unwrap().get_mut("Rag").unwrap();
    for image in rag.containers.values_mut() {
        *image = image.replace("us-west-2", "eu-west-1");
    }
    check(
        SOMELI,
        &live,
        &[(
            "- [|Rag]",
            "warning: pipelines.someli-production.waves[0][0]: `Rag` runs \
           `123456789012.dkr.ecr.eu-west-1.amazonaws.com/live_crons`; releases bring `live_crons` \
           from us-west-2 of 123456789012, and will leave it as it is",
        )],
    );
}

#[test]
fn an_alarm_that_does_not_exist_is_caught() {
    let text = with(
        SOMELI,
        "    cluster: live-crons\n",
        "    cluster: live-crons\n    checks: [{ alarm: api-5xx }]\n",
    );
    check(&text, &someli(), &[]);
    let live = Live { no_alarms: names(&["api-5xx"]), ..someli() };
    check(
        &text,
        &live,
        &[(
            "{ alarm: |api-5xx }",
            "pipelines.someli-production.checks[0].alarm: `api-5xx` is no alarm of 123456789012 in \
           us-west-2",
        )],
    );
}

#[test]
fn a_container_that_does_not_exist_is_caught() {
    check(
        &with(SOMELI, "- [Rag]", "- [{ service: Rag, containers: { wroker: crons } }]"),
        &someli(),
        &[(
            "|wroker",
            "pipelines.someli-production.waves[0][0].containers.wroker: `wroker` is no \
           container of `Rag`; did you mean `worker`?",
        )],
    );
}

#[test]
fn what_was_not_looked_at_is_said() {
    let found = config(SOMELI).compare(&home(), &BTreeMap::new());
    let found: Vec<_> = found.iter().map(|problem| problem.message.as_str()).collect();
    let pipelines = config(SOMELI).resolve("123456789012", "us-west-2").unwrap().len();
    // The repository and the cluster of each.
    assert_eq!(found, vec!["123456789012 in us-west-2 was not looked at"; 2 * pipelines]);
}

#[test]
fn the_template_is_told_the_arns_of_a_config_and_nothing_wider() {
    let mut pipelines = config(SOMELI).resolve("123456789012", "us-west-2").unwrap();
    pipelines.retain(|pipeline| pipeline.name == "someli-production");
    let ecs = "arn:aws:ecs:us-west-2:123456789012";
    let running = Running {
        task_definitions: names(&[&format!("{ecs}:task-definition/worker:7")]),
        roles: names(&["arn:aws:iam::123456789012:role/worker"]),
        ..Running::default()
    };
    let values = Parameters::new(&pipelines, None, &running);
    let services: Vec<_> =
        SERVICES.iter().map(|name| format!("{ecs}:service/live-crons/{name}")).collect();
    assert_eq!(
        values.to_string(),
        format!(
            "parameter_overrides = [\n    \
             \"ServiceArns={}\",\n    \
             \"TaskDefinitionArns={ecs}:task-definition/worker:*\",\n    \
             \"RepositoryArns=arn:aws:ecr:us-west-2:123456789012:repository/live_crons\",\n    \
             \"TaskRoleArns=arn:aws:iam::123456789012:role/worker\",\n    \
             \"ClusterArns={ecs}:cluster/live-crons\",\n    \
             'ScheduleArns=\"\"',\n    \
             'ScheduleRoleArns=\"\"',\n    \
             'LightsailArns=\"\"',\n    \
             'TargetRoleArns=\"\"',\n\
             ]",
            services.join(","),
        ),
    );
    let offline = Parameters::new(&pipelines, None, &Running::default()).to_string();
    assert!(offline.contains("    # TaskRoleArns: only AWS knows; add --live\n"), "{offline}");
    assert!(!offline.contains('*'), "{offline}");
}

#[test]
fn what_is_no_service_has_parameters_of_its_own() {
    let text = with(
        SOMELI,
        "      - [Rag]",
        "      - [Rag, { schedule: jobs/nightly }, { rule: hourly }]",
    );
    let pipelines = config(&text).resolve("123456789012", "us-west-2").unwrap();
    let offline = Parameters::new(&pipelines, None, &Running::default()).to_string();
    let arns = "\"ScheduleArns=arn:aws:events:us-west-2:123456789012:rule/hourly,\
                arn:aws:scheduler:us-west-2:123456789012:schedule/jobs/nightly\"";
    assert!(offline.contains(arns), "{offline}");
    assert!(offline.contains("# ScheduleRoleArns: only AWS knows; add --live"), "{offline}");
    assert!(offline.contains("    'LightsailArns=\"\"',\n"), "{offline}");
    let clusters =
        "# ClusterArns: where schedules and rules run their tasks only AWS knows; add --live";
    assert!(offline.contains(clusters), "{offline}");
    let batch = "arn:aws:ecs:us-west-2:123456789012:cluster/batch";
    let running = Running { schedule_clusters: names(&[batch]), ..Running::default() };
    let live = Parameters::new(&pipelines, None, &running).to_string();
    assert!(
        live.contains(&format!(
            "\"ClusterArns=arn:aws:ecs:us-west-2:123456789012:cluster/UAT,{batch},"
        )),
        "{live}"
    );
    assert!(!live.contains("run their tasks"), "{live}");
}

#[test]
fn lists_that_would_not_fit_are_folded_and_that_is_said() {
    let pipelines = config(SOMELI).resolve("123456789012", "us-west-2").unwrap();
    let family =
        |it| format!("arn:aws:ecs:us-west-2:123456789012:task-definition/worker-{it:03}:7");
    let some = Running { task_definitions: (0..50).map(family).collect(), ..Running::default() };
    let whole = Parameters::new(&pipelines, None, &some);
    assert_eq!(whole.clone().fit(), whole, "it fits as it is");
    let many = Running { task_definitions: (0..500).map(family).collect(), ..Running::default() };
    let folded = Parameters::new(&pipelines, None, &many).fit();
    let tens = (0..50).map(|ten| family(ten).replace("worker-0", "worker-").replace(":7", "*:*"));
    assert_eq!(folded.task_definition_arns, tens.collect());
    assert_eq!(folded.service_arns, whole.service_arns);
    let said = folded.to_string();
    assert!(
        said.contains("    # TaskDefinitionArns: 500 ARNs are too long for one policy"),
        "{said}"
    );
    assert!(!said.contains("# ServiceArns"), "{said}");
}

#[test]
fn where_nothing_is_on_ecs_what_does_not_exist_is_named() {
    let text = "\
version: 1
pipelines:
  apps:
    images: { web: { repository: web, tag: \"{sha}\" } }
    waves: [[{ lightsail: apps }]]
";
    let pipelines = config(text).resolve("123456789012", "us-east-1").unwrap();
    let offline = Parameters::new(&pipelines, None, &Running::default()).to_string();
    let none = "ClusterArns=arn:aws:ecs:us-east-1:123456789012:cluster/none";
    assert!(offline.contains(none), "{offline}");
    assert!(offline.contains("TaskRoleArns=arn:aws:iam::123456789012:role/none"), "{offline}");
    assert!(offline.contains("# LightsailArns: only AWS knows; add --live"), "{offline}");
}

#[test]
fn a_schedule_that_is_not_there_is_said() {
    let text = with(SOMELI, "      - [Rag]", "      - [Rag, { schedule: nightly }]");
    let found = config(&text).compare(&home(), &BTreeMap::from([(home(), someli())]));
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    let said = "`nightly` is no schedule of 123456789012 in us-west-2";
    assert!(found.iter().any(|line| line.contains(said)), "{found:?}");
    let mut live = someli();
    live.others.insert(TargetName::Schedule("nightly".to_owned()), service());
    assert!(config(&text).compare(&home(), &BTreeMap::from([(home(), live)])).is_empty());
}

#[test]
fn what_a_role_reaches_is_its_own_templates_and_not_the_installations() {
    let account: String = "123456789012".chars().rev().collect();
    let role = format!("arn:aws:iam::{account}:role/tidegate-target");
    let text = format!(
        "version: 1\npipelines:\n  \
         here: {{ cluster: cc, images: {{ i: {{ repository: aa, tag: x }} }}, waves: [[one]] }}\n  \
         there:\n    cluster: dd\n    role: {role}\n    waves: [[two]]\n    images:\n      \
         i: {{ repository: bb, tag: x, registry: {{ account: \"{account}\" }} }}\n      \
         j: {{ repository: aa, tag: y }}\n"
    );
    let pipelines = config(&text).resolve("123456789012", "us-west-2").unwrap();
    let of = |role| Parameters::new(&pipelines, role, &Running::default());
    let (home, target) = (of(None), of(pipelines[1].role.as_ref()));
    let arn = |service: &str, account: &str, rest: &str| {
        format!("arn:aws:{service}:us-west-2:{account}:{rest}")
    };
    let own = |service: &str, rest: &str| arn(service, "123456789012", rest);
    let its = |service: &str, rest: &str| arn(service, &account, rest);
    assert_eq!(home.service_arns, [own("ecs", "service/cc/one")].into());
    assert_eq!(home.repository_arns, [own("ecr", "repository/aa")].into(), "also the other's");
    let clusters = [own("ecs", "cluster/cc"), its("ecs", "cluster/dd")];
    assert_eq!(home.cluster_arns, clusters.into(), "whose events are heard");
    assert_eq!(home.target_role_arns, [role].into());
    assert_eq!(target.service_arns, [its("ecs", "service/dd/two")].into());
    assert_eq!(target.repository_arns, [its("ecr", "repository/bb")].into());
    assert_eq!(target.cluster_arns, [its("ecs", "cluster/dd")].into());
    assert!(target.target_role_arns.is_empty());
    // What target-role.yaml has no parameter for is not said; what it has and nothing needs is emptied.
    let said = target.to_string();
    assert!(!said.contains("Schedule") && !said.contains("TargetRole"), "{said}");
    let without = config(&text.replace(", registry: { account: \"", ", x-registry: { account: \""));
    let without = without.resolve("123456789012", "us-west-2").unwrap();
    let said = Parameters::new(&without, without[1].role.as_ref(), &Running::default()).to_string();
    assert!(said.contains("    'RepositoryArns=\"\"',\n"), "{said}");
    // Nothing is asked as the functions themselves where every pipeline has a role.
    let none = Parameters::new(&pipelines[1..], None, &Running::default()).to_string();
    assert!(none.contains("    # ServiceArns: none is named; an ARN of what does not"), "{none}");
    assert!(!none.contains("only AWS knows"), "{none}");
}
