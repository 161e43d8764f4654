//! An ECS service that brings revisions in, in twenty seconds, unless their bytes do not behave.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::build::arn;
use crate::model::{Baseline, Digest};
use crate::sighting::{
    Controller, Deployment, Guards, RolloutState, RunningImage, Sighting, Strategy,
};

/// From `UpdateService` to steady.
const START: Duration = Duration::from_secs(20);

/// How bytes behave once they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Behaviour {
    #[default]
    Healthy,
    /// Its container exits with code 1, again and again.
    Crashes,
    /// It neither fails nor becomes steady.
    Hangs,
}

/// One ECS service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Service {
    name: String,
    /// The image it runs, by its name in the config.
    pub(crate) image: String,
    pub(crate) desired: u32,
    /// Nobody knows the bytes that it runs.
    pub(crate) unknown: bool,
    /// Newest first.
    pub(crate) deployments: Vec<Deployment>,
    digests: BTreeMap<String, Digest>,
    made: u32,
}

impl Service {
    pub(super) fn running(name: &str, image: &str, bytes: &Digest, now: Timestamp) -> Self {
        let revision = arn(name, 1);
        let mut service = Self {
            name: name.to_owned(),
            image: image.to_owned(),
            desired: 1,
            unknown: false,
            deployments: Vec::new(),
            digests: BTreeMap::from([(revision.clone(), bytes.clone())]),
            made: 0,
        };
        service.update(&revision, now);
        service.complete();
        service
    }

    /// A revision for a release; registering it again gives the same.
    pub(super) fn register(&mut self, release: u64, bytes: &Digest) -> String {
        let revision = arn(&self.name, format!("r{release}"));
        self.digests.insert(revision.clone(), bytes.clone());
        revision
    }

    /// `UpdateService`: the new deployment, or `None` where it runs that already.
    pub(crate) fn update(&mut self, revision: &str, now: Timestamp) -> Option<String> {
        if self.deployments.first().is_some_and(|d| d.revision == revision) {
            return None;
        }
        self.made += 1;
        for deployment in &mut self.deployments {
            deployment.primary = false;
        }
        let id = format!("ecs-svc/{}", self.made);
        let deployment = Deployment {
            id: id.clone(),
            primary: true,
            revision: revision.to_owned(),
            rollout: Some(RolloutState::InProgress),
            reason: format!("ECS deployment {id} in progress."),
            failed_tasks: 0,
            desired: self.desired,
            running: 0,
            pending: self.desired,
            created_at: now,
        };
        self.deployments.insert(0, deployment);
        Some(id)
    }

    /// The breaker gives the newest deployment up and brings the one before it back, as a new
    /// deployment or (`same_id`) as the old one in progress again.
    pub(crate) fn roll_back_by_itself(&mut self, same_id: bool, now: Timestamp) {
        let mut failed = self.deployments.remove(0);
        failed.primary = false;
        failed.rollout = Some(RolloutState::Failed);
        failed.reason = "ECS deployment circuit breaker: task failed to start.".to_owned();
        let before = self.deployments.remove(0);
        self.update(&before.revision, now);
        let back = &mut self.deployments[0];
        if same_id {
            (back.id, back.created_at) = (before.id.clone(), before.created_at);
        }
        let id = &before.id;
        back.reason = format!("ECS deployment circuit breaker: rolling back to deploymentId {id}.");
        self.deployments.push(failed);
    }

    /// Whether its newest deployment started so long ago that it is steady or fails.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let primary = self.primary();
        primary.rollout == Some(RolloutState::InProgress) && now >= primary.created_at + START
    }

    /// Time passes; whether a task of the primary crashed.
    pub(super) fn work(&mut self, behaves: Behaviour, now: Timestamp) -> bool {
        if !self.is_due(now) {
            return false;
        }
        let primary = &mut self.deployments[0];
        match behaves {
            Behaviour::Healthy => self.complete(),
            Behaviour::Crashes => primary.failed_tasks += 1,
            Behaviour::Hangs => {}
        }
        behaves == Behaviour::Crashes
    }

    /// The primary is steady, and nothing else runs.
    pub(crate) fn complete(&mut self) {
        self.deployments.truncate(1);
        let primary = &mut self.deployments[0];
        primary.rollout = Some(RolloutState::Completed);
        primary.reason = format!("ECS deployment {} completed.", primary.id);
        (primary.desired, primary.running, primary.pending) = (self.desired, self.desired, 0);
    }

    pub(crate) fn primary(&self) -> &Deployment {
        &self.deployments[0]
    }

    /// The bytes that its primary runs.
    pub(crate) fn running_digest(&self) -> Digest {
        self.digests.get(&self.primary().revision).cloned().unwrap_or_else(|| super::digest("f0"))
    }

    pub(crate) fn sighting(&self, now: Timestamp) -> Sighting {
        Sighting {
            at: now,
            desired: self.desired,
            running: self.deployments.iter().map(|d| d.running).sum(),
            controller: Controller::Ecs,
            strategy: Strategy::Rolling,
            daemon: false,
            deployments: self.deployments.clone(),
            service_deployment: None,
            target_groups: Vec::new(),
            native_minutes: 0,
            guards: Guards::default(),
            unhealthy: Vec::new(),
            failures: Vec::new(),
            service_revision: None,
            resolved: BTreeMap::new(),
        }
    }

    /// What a survey writes down.
    pub(crate) fn baseline(&self, now: Timestamp) -> Baseline {
        let primary = self.primary();
        Baseline {
            at: now,
            running: primary.revision.clone(),
            revision: primary.revision.clone(),
            base: primary.revision.clone(),
            images: vec![RunningImage {
                container: "main".to_owned(),
                repository: "repository".to_owned(),
                named: "repository:uapi".to_owned(),
                digest: Some(self.running_digest()).filter(|_| !self.unknown),
                source: "its running tasks".to_owned(),
            }],
            desired: self.desired,
            ran: primary.running,
            strategy: Strategy::Rolling,
            native_minutes: 0,
            notes: Vec::new(),
        }
    }
}
