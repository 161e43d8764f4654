//! What a config means: its targets, in which order, and how long each may take.

use std::time::Duration;

use crate::config::{PipelineConfig, TargetConfig, TargetName, TaskConfig};
use crate::model::{Cause, TargetId};
use crate::stage::pipeline;

fn task(name: &str, goes_back: bool) -> TaskConfig {
    TaskConfig {
        name: name.to_owned(),
        task_definition: name.to_owned(),
        container: "main".to_owned(),
        command: Vec::new(),
        network_from: "Rag".to_owned(),
        timeout: Duration::from_secs(300),
        down: goes_back.then(Vec::new),
    }
}

/// Three one-off tasks, of which two can be undone, before two waves of services.
fn with_tasks() -> PipelineConfig {
    let mut config = pipeline(&[&["Rag"], &["Billing"]], &["app"]);
    config.pre_deploy = vec![task("migrate", true), task("seed", false), task("index", true)];
    config
}

fn names(waves: &[Vec<TargetId>]) -> Vec<&str> {
    waves.iter().flatten().map(|target| target.name.as_str()).collect()
}

#[test]
fn a_release_runs_its_tasks_first_and_what_goes_back_runs_none_or_nothing_else() {
    let config = with_tasks();
    let all = ["migrate", "seed", "index", "Rag", "Billing"];
    assert_eq!(names(&config.waves_of(&Cause::Push)), all);
    assert_eq!(names(&config.waves_of(&Cause::Rollback { to: 1 })), ["Rag", "Billing"]);
    assert_eq!(names(&config.waves_of(&Cause::Undo { of: 1 })), ["index", "migrate"]);
    let kinds: Vec<_> = config.target_waves().iter().map(|wave| wave[0].is_task()).collect();
    assert_eq!(kinds, [true, true, true, false, false]);
}

#[test]
fn a_target_is_held_by_its_cluster_its_group_its_bus_or_by_nothing() {
    let config = with_tasks();
    let id = |name: fn(String) -> TargetName, text: &str| {
        config.target_id(&name(text.to_owned())).to_string()
    };
    let place = "123456789012/us-west-2";
    assert_eq!(id(TargetName::Service, "Rag"), format!("ecs/{place}/cluster/Rag"));
    assert_eq!(id(TargetName::Schedule, "nightly"), format!("schedule/{place}/default/nightly"));
    assert_eq!(
        id(TargetName::Schedule, "crons/nightly"),
        format!("schedule/{place}/crons/nightly")
    );
    assert_eq!(id(TargetName::Rule, "hourly"), format!("rule/{place}/default/hourly"));
    assert_eq!(id(TargetName::Lightsail, "apps"), format!("lightsail/{place}/-/apps"));
    assert_eq!(config.service_id("Rag").to_string(), format!("ecs/{place}/cluster/Rag"));
    let migrate = config.task_id(&config.pre_deploy[0]).to_string();
    assert_eq!(migrate, format!("task/{place}/cluster/migrate"));
    assert_eq!(config.cluster_arn(), "arn:aws:ecs:us-west-2:123456789012:cluster/cluster");
}

#[test]
fn a_config_names_its_own_targets_and_no_others() {
    let config = with_tasks();
    let (seed, billing) = (config.task_id(&config.pre_deploy[1]), config.service_id("Billing"));
    assert_eq!(config.task(&seed).map(|task| task.name.as_str()), Some("seed"));
    let named = config.target(&billing).map(|target| target.name.to_string());
    assert_eq!(named.as_deref(), Some("Billing"));
    assert!(config.task(&billing).is_none() && config.target(&seed).is_none());
    let others = ["Carousel", "seed"].map(|service| config.service_id(service));
    assert!(config.names(&seed) && config.names(&billing));
    assert!(!others.iter().any(|target| config.names(target)), "a service is no task of its name");
}

#[test]
fn a_target_has_its_own_time_or_the_pipelines_and_what_ecs_itself_adds() {
    let mut config = with_tasks();
    config.waves[1] = vec![TargetConfig {
        timeout: Some(Duration::from_secs(1200)),
        ..TargetConfig::service("Billing")
    }];
    let migrate = config.task_id(&config.pre_deploy[0]);
    let seconds = |target: &TargetId, added| config.patience(target, added).as_secs();
    assert_eq!(seconds(&migrate, 0), 300);
    assert_eq!(seconds(&config.service_id("Rag"), 0), 900);
    assert_eq!(seconds(&config.service_id("Billing"), 10), 1200 + 600);
}
