//! Does what a schedule says: as a build or an operator (here), or as somebody else (`others`), each
//! through AWS's own calls.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::schedule::{Deed, Elsewhere, Pipeline, Schedule, Verb};
use crate::api::Place;
use crate::call::{Answer, Call, Caller, Scope};
use crate::cloud::Reply;
use crate::ecr::{digest_of, index_manifest, manifest, serving};
use crate::places::ACCOUNT;
use crate::twin::Twin;

/// Everybody's hands but Tidegate's.
pub(super) struct Hands {
    pub(super) twin: Twin,
    seed: u64,
    /// What was pushed to each repository, in order: the manifests.
    pub(super) pushed: BTreeMap<String, Vec<String>>,
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
            Deed::Push { repository, tags, behaviour, answers, index } => {
                let made = self.image(repository, behaviour, answers.as_deref());
                self.push(repository, tags, made, *index);
                None
            }
            Deed::Tag { repository, push, tag } => {
                let manifest = self.nth(repository, *push)?.clone();
                self.put(repository, &manifest, Some(tag));
                None
            }
            Deed::Copies { repository } => {
                let there = Place::new(ACCOUNT, Elsewhere::REGION);
                self.twin.world.with(|cloud, now| {
                    // It fails where nothing was pushed yet: then nothing arrives.
                    let _ = cloud.ecr.replicate_the_rest(repository, &there, now);
                });
                None
            }
            Deed::Stamp { pipeline, tag } => {
                let own = schedule.pipelines.iter().filter(|it| it.name == *pipeline);
                for image in own.flat_map(|it| &it.images) {
                    let newest = self.pushed.get(&image.repository).and_then(|all| all.last());
                    if let Some(newest) = newest {
                        self.put(&image.repository, newest, Some(tag));
                    }
                }
                None
            }
            Deed::Alarm { pipeline, state } => {
                let own = schedule.pipelines.iter().find(|it| it.name == *pipeline)?;
                let input =
                    json!({ "AlarmName": pipeline, "StateValue": state, "StateReason": "drawn" });
                self.calls(self.scope(own), "cloudwatch", "SetAlarmState", input);
                None
            }
            Deed::Command { pipeline, verb } => self.types(schedule, pipeline, verb),
            Deed::Other { service, act } => {
                match schedule.target(service) {
                    Some(target) => self.changes(schedule, target, *act),
                    None => self.acts(schedule, service, *act),
                }
                None
            }
        }
    }

    /// The next image of a repository.
    fn image(&self, repository: &str, behaviour: &str, answers: Option<&str>) -> String {
        let number = self.pushed.get(repository).map_or(0, Vec::len);
        let image = manifest(&format!("{repository} {number} {}", self.seed), behaviour);
        answers.map_or(image.clone(), |answers| serving(&image, answers))
    }

    fn push(&mut self, repository: &str, tags: &[String], mut text: String, index: bool) {
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
        self.calls(Scope::default(), "ecr", "PutImage", input);
    }

    /// One of the pushes of a repository; `None` before the first.
    fn nth(&self, repository: &str, push: usize) -> Option<&String> {
        let pushed = self.pushed.get(repository)?;
        pushed.get(push % pushed.len())
    }

    /// Calls AWS, as anybody may; `None` where the call was refused or lost.
    pub(super) fn calls(
        &self,
        scope: Scope,
        service: &str,
        action: &str,
        input: Value,
    ) -> Option<Value> {
        let (service, action) = (service.to_owned(), action.to_owned());
        let call = Call { caller: Caller::Operator, scope, service, action, input };
        match self.twin.world.with(|cloud, now| cloud.call(call, now)) {
            Reply::Answered(Answer { status: 200, body }, _) => Some(body),
            _ => None,
        }
    }

    /// Where a pipeline's targets are reached, as whoever may.
    pub(super) fn scope(&self, pipeline: &Pipeline) -> Scope {
        let Some(elsewhere) = pipeline.extras.elsewhere else { return Scope::default() };
        let region = Some(Elsewhere::REGION.to_owned());
        let session = || {
            let role = Elsewhere::role(ACCOUNT);
            let input = json!({ "RoleArn": role, "RoleSessionName": "somebody",
                "ExternalId": Elsewhere::EXTERNAL_ID });
            let taken = self.calls(Scope::default(), "sts", "AssumeRole", input)?;
            Caller::of_access_key(taken["Credentials"]["AccessKeyId"].as_str()?).1
        };
        Scope { region, session: if elsewhere.by_role { session() } else { None } }
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
            Verb::Retire => vec!["config".into(), "retire".into()],
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
            Verb::Undo => vec!["rollback".into(), "--down".into(), "--yes".into()],
            Verb::RollbackTo { number } => {
                vec!["rollback".into(), "--yes".into(), "--to".into(), number.to_string()]
            }
            Verb::Approve => vec!["approve".into(), "--yes".into()],
            Verb::Reject => vec!["reject".into(), "--yes".into()],
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
}
