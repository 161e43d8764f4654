//! What the topics' tests share: a service that is well, and a config that names it.

use super::{Service, list};
use crate::config::{Config, PipelineConfig};
use crate::model::{TargetId, TargetKind};
use crate::sighting::{Controller, Deployment, Guards, RolloutState, Sighting, Strategy};

const CONFIG: &str = "
version: 1
pipelines:
  someli-production:
    images: { crons: { repository: live_crons, tag: uapi } }
    cluster: live-crons
    waves: [[Rag]]
";

pub(super) fn config() -> PipelineConfig {
    let config = Config::parse("tidegate.yaml", CONFIG).unwrap();
    config.resolve("123456789012", "us-west-2").unwrap().remove(0)
}

/// A service of that config.
pub(super) fn target(name: &str) -> TargetId {
    config().service_id(name)
}

pub(super) fn sighting() -> Sighting {
    let at = "2026-11-21T09:00:00Z".parse().unwrap();
    let deployment = Deployment {
        id: "ecs-svc/1".to_owned(),
        primary: true,
        revision: "arn:aws:ecs:us-west-2:123456789012:task-definition/rag:3".to_owned(),
        rollout: Some(RolloutState::Completed),
        reason: String::new(),
        failed_tasks: 0,
        desired: 1,
        running: 1,
        pending: 0,
        created_at: at,
    };
    Sighting {
        at,
        desired: 1,
        running: 1,
        controller: Controller::Ecs,
        strategy: Strategy::Rolling,
        daemon: false,
        deployments: vec![deployment],
        service_deployment: None,
        guards: Guards::default(),
        target_groups: Vec::new(),
        native_minutes: 0,
        unhealthy: Vec::new(),
        failures: Vec::new(),
        service_revision: None,
        resolved: std::collections::BTreeMap::new(),
    }
}

pub(super) fn service() -> Service {
    Service { sighting: sighting(), stopped: Vec::new() }
}

#[test]
fn many_names_are_cut() {
    let names = |count: usize| (0..count).map(|number| target(&number.to_string())).collect();
    assert_eq!(list(&names(3)), "0, 1, 2");
    assert_eq!(list(&names(5)), "0, 1, 2, 2 more");
    let task = TargetId { kind: TargetKind::Task, ..target("0") };
    assert_eq!(list(&[target("0"), task].into()), "0", "one name is said once");
}
