//! Does what a schedule says: as a build, an operator, or somebody else, each through AWS's own calls.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::schedule::{Act, CLUSTER, Deed, Schedule, Verb};
use crate::api::Input;
use crate::call::{Answer, Call, Caller, Scope};
use crate::cloud::Reply;
use crate::ecr::{digest_of, index_manifest, manifest};
use crate::ecs::ServiceName;
use crate::twin::Twin;

/// Everybody's hands but Tidegate's.
pub(super) struct Hands {
    twin: Twin,
    seed: u64,
    /// What was pushed to each repository, in order: the manifests.
    pushed: BTreeMap<String, Vec<String>>,
}

impl Hands {
    pub(super) fn new(twin: &Twin, seed: u64) -> Self {
        Self { twin: twin.clone(), seed, pushed: BTreeMap::new() }
    }

    /// `config apply`, before anything goes wrong.
    pub(super) async fn adopt(&self, config: &str) -> Result<(), Box<dyn std::error::Error>> {
        let said = self.twin.operator().applies(config).await?;
        match said.exit {
            tidegate_cli::Exit::Done => Ok(()),
            _ => Err(format!("{}{}", said.out, said.talk).into()),
        }
    }

    /// Does it; a command is typed beside what happens next.
    pub(super) fn does(&mut self, schedule: &Schedule, deed: &Deed) -> Option<JoinHandle<()>> {
        match deed {
            Deed::Push { repository, tags, behaviour, index } => {
                self.push(repository, tags, behaviour, *index);
                None
            }
            Deed::Tag { repository, push, tag } => {
                let manifest = self.nth(repository, *push)?.clone();
                self.put(repository, &manifest, Some(tag));
                None
            }
            Deed::Command { pipeline, verb } => self.types(schedule, pipeline, verb),
            Deed::Other { service, act } => {
                self.acts(schedule, service, *act);
                None
            }
        }
    }

    fn push(&mut self, repository: &str, tags: &[String], behaviour: &str, index: bool) {
        let number = self.pushed.get(repository).map_or(0, Vec::len);
        let mut text = manifest(&format!("{repository} {number} {}", self.seed), behaviour);
        if index {
            self.put(repository, &text, None);
            text = index_manifest(&[digest_of(&text)]);
        }
        for tag in tags {
            self.put(repository, &text, Some(tag));
        }
        self.pushed.entry(repository.to_owned()).or_default().push(text);
    }

    fn put(&self, repository: &str, manifest: &str, tag: Option<&str>) {
        let mut input = json!({ "repositoryName": repository, "imageManifest": manifest });
        if let Some(tag) = tag {
            input["imageTag"] = json!(tag);
        }
        self.calls("ecr", "PutImage", input);
    }

    /// One of the pushes of a repository; `None` before the first.
    fn nth(&self, repository: &str, push: usize) -> Option<&String> {
        let pushed = self.pushed.get(repository)?;
        pushed.get(push % pushed.len())
    }

    /// Calls AWS, as anybody may; `None` where the call was refused or lost.
    fn calls(&self, service: &str, action: &str, input: Value) -> Option<Value> {
        let (service, action) = (service.to_owned(), action.to_owned());
        let call =
            Call { caller: Caller::Operator, scope: Scope::default(), service, action, input };
        match self.twin.world.with(|cloud, now| cloud.call(call, now)) {
            Reply::Answered(Answer { status: 200, body }, _) => Some(body),
            _ => None,
        }
    }

    fn types(&self, schedule: &Schedule, name: &str, verb: &Verb) -> Option<JoinHandle<()>> {
        let pipeline = schedule.pipelines.iter().find(|it| it.name == name)?;
        let image = &pipeline.images.first()?.repository;
        let digest = |push: &usize| self.nth(image, *push).map(|text| digest_of(text));
        let mut words: Vec<String> = match verb {
            Verb::Apply { bake } => {
                let (operator, config) = (self.twin.operator(), schedule.config_of(name, *bake));
                return Some(tokio::task::spawn_local(async move {
                    let _ = operator.applies(&config).await;
                }));
            }
            Verb::Start => vec!["start".into()],
            Verb::StartImage { push } => {
                vec!["start".into(), "--image".into(), format!("{image}={}", digest(push)?)]
            }
            Verb::StartWithoutWayBack => {
                vec!["start".into(), "--without-way-back".into(), "--yes".into()]
            }
            Verb::Rollback { no_block, no_freeze, include_drifted } => {
                let flags = [
                    (no_block, "--no-block"),
                    (no_freeze, "--no-freeze"),
                    (include_drifted, "--include-drifted"),
                ];
                let flags = flags.into_iter().filter(|(set, _)| **set).map(|(_, flag)| flag.into());
                ["rollback".into(), "--yes".into()].into_iter().chain(flags).collect()
            }
            Verb::RollbackTo { number } => {
                vec!["rollback".into(), "--yes".into(), "--to".into(), number.to_string()]
            }
            Verb::Accept => vec!["accept".into(), "--yes".into()],
            Verb::Abandon => vec!["abandon".into(), "--yes".into()],
            Verb::Freeze => vec!["freeze".into()],
            Verb::Unfreeze => vec!["unfreeze".into()],
            Verb::Block { .. } => vec!["block".into()],
            Verb::Unblock { .. } => vec!["unblock".into()],
        };
        words.push(name.to_owned());
        if let Verb::Block { push } | Verb::Unblock { push } = verb {
            words.push(digest(push)?);
        }
        let operator = self.twin.operator();
        // Beside everything else; whether it is refused is for others to judge.
        Some(tokio::task::spawn_local(async move {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let _ = operator.types(&words).await;
        }))
    }

    fn acts(&self, schedule: &Schedule, service: &str, act: Act) {
        let name = ServiceName::new(CLUSTER, service);
        let newest_task = || {
            self.twin.world.look(|cloud| cloud.ecs.running_tasks(&name)).pop().unwrap_or_default()
        };
        let with = &self.twin.world;
        match act {
            Act::Deploys { newest } => self.deploys(schedule, &name, newest),
            Act::Forces => {
                self.updates(service, json!({ "forceNewDeployment": true }));
            }
            Act::Scales(desired) => {
                with.with(|cloud, now| cloud.ecs.autoscale(&name, desired, now, &cloud.ecr));
            }
            Act::TakesSpot => {
                let task = newest_task();
                with.with(|cloud, now| cloud.ecs.interrupt_spot(&task, now, &cloud.ecr));
            }
            Act::StopsTask => {
                let task = newest_task();
                with.with(|cloud, now| cloud.ecs.stop_by_user(&task, now, &cloud.ecr));
            }
            Act::FindsNoPlace(tasks) => {
                with.with(|cloud, _| cloud.ecs.fail_placement(&name, tasks));
            }
            Act::Exits(code) => {
                let task = newest_task();
                with.with(|cloud, now| cloud.ecs.exit_task(&task, code, now, &cloud.ecr));
            }
            Act::Deregisters => {
                let primary = with.look(|cloud| cloud.ecs.primary(&name));
                if let Some(primary) = primary {
                    let input = json!({ "taskDefinition": primary.definition });
                    self.calls("ecs", "DeregisterTaskDefinition", input);
                }
            }
        }
    }

    fn updates(&self, service: &str, mut input: Value) {
        input["cluster"] = json!(CLUSTER);
        input["service"] = json!(service);
        self.calls("ecs", "UpdateService", input);
    }

    /// Registers what runs with more cpu, and with the newest bytes or the same, and brings it in.
    fn deploys(&self, schedule: &Schedule, name: &ServiceName, newest: bool) {
        let Some(definition) = self.twin.world.look(|cloud| {
            let primary = cloud.ecs.primary(name)?;
            cloud.ecs.definition(&primary.definition).map(|(body, _)| body.clone())
        }) else {
            return;
        };
        let mut next = registrable(&definition);
        next["cpu"] = json!("512");
        let containers = next["containerDefinitions"].as_array_mut();
        for container in containers.into_iter().flatten().filter(|_| newest) {
            let repository = Input(container).text("name").unwrap_or_default().to_owned();
            let images = schedule.pipelines.iter().flat_map(|pipeline| &pipeline.images);
            let known = images.into_iter().any(|image| image.repository == repository);
            let last = self.pushed.get(&repository).and_then(|pushed| pushed.last());
            if let (true, Some(last)) = (known, last) {
                let image = Input(container).text("image").unwrap_or_default();
                let uri = image.split(['@', ':']).next().unwrap_or_default();
                container["image"] = json!(format!("{uri}@{}", digest_of(last)));
            }
        }
        let Some(made) = self.calls("ecs", "RegisterTaskDefinition", next) else { return };
        let revision = made["taskDefinition"]["taskDefinitionArn"].clone();
        self.updates(&name.service, json!({ "taskDefinition": revision }));
    }
}

/// What of a described definition can be registered again.
fn registrable(definition: &Value) -> Value {
    let taken = [
        "family",
        "networkMode",
        "requiresCompatibilities",
        "runtimePlatform",
        "cpu",
        "memory",
        "taskRoleArn",
        "executionRoleArn",
        "containerDefinitions",
    ];
    taken.into_iter().map(|name| (name.to_owned(), definition[name].clone())).collect()
}
