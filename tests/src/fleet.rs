//! What ECS and ECR really hold, asked of the models as any client would: never of the code under
//! test. And what people and chance do to them meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_core::model::{Digest, NoticeKind, Phase, Release};
use tidegate_local::api::ApiError;
use tidegate_local::call::{Call, Caller};
use tidegate_local::cloud::Cloud;
use tidegate_local::ecs::ServiceName;

use crate::Stage;

/// The cluster of the stories.
const CLUSTER: &str = "live-crons";
/// The repository of the stories.
const REPOSITORY: &str = "live_crons";
/// More than any of them takes to end, or to stop where a person decides.
const LONG: Duration = Duration::from_secs(40 * 60);

/// What members `RegisterTaskDefinition` never takes: AWS writes them.
const WRITTEN_BY_AWS: [&str; 7] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
];

/// What holds a release before anything moved.
pub fn hold_of(release: &Release) -> Option<String> {
    match &release.phase {
        Phase::Surveying { held: Some(hold), .. } => Some(hold.to_string()),
        _ => None,
    }
}

fn name(service: &str) -> ServiceName {
    ServiceName::new(CLUSTER, service)
}

/// Asks ECS for the truth of this moment, without using up the account's rates.
fn ask(
    cloud: &mut Cloud,
    action: &str,
    input: &Value,
    now: jiff::Timestamp,
) -> Result<Value, ApiError> {
    let usual = cloud.ecs.switches.clone();
    cloud.ecs.switches.throttle = false;
    cloud.ecs.switches.lag = Duration::ZERO;
    let answer = cloud.ecs.call(action, input, now, &cloud.ecr);
    cloud.ecs.switches = usual;
    answer
}

impl Stage {
    /// A person calls ECS.
    pub fn ecs(&self, action: &str, mut input: Value) -> Value {
        input["cluster"] = json!(CLUSTER);
        if action == "DescribeTaskDefinition" || action == "RegisterTaskDefinition" {
            input.as_object_mut().expect("members").remove("cluster");
        }
        self.twin.world.with(|cloud, now| ask(cloud, action, &input, now)).expect("an answer")
    }

    /// A person calls ECR.
    pub fn ecr(&self, action: &str, mut input: Value) -> Value {
        input["repositoryName"] = json!(REPOSITORY);
        self.twin.world.with(|cloud, now| cloud.ecr.call(action, &input, now)).expect("an answer")
    }

    /// Pushes an image that behaves so, under one tag; returns its digest.
    pub fn push(&self, tag: &str, behaviour: &str) -> String {
        self.twin.push(REPOSITORY, &[tag], behaviour).expect("a push")
    }

    /// The digests that the running tasks of one service show.
    pub fn runs(&self, service: &str) -> BTreeSet<String> {
        self.running().remove(service).unwrap_or_default()
    }

    /// The one digest that all running tasks of a service show.
    #[track_caller]
    pub fn digest(&self, service: &str) -> String {
        let digests: Vec<_> = self.runs(service).into_iter().collect();
        let [only] = &digests[..] else { panic!("{service} runs {digests:?}") };
        only.clone()
    }

    /// The services of all pipelines, in the order of their waves.
    pub fn services(&self) -> Vec<String> {
        let waves = self.pipelines.iter().flat_map(|pipeline| &pipeline.waves);
        waves.flatten().map(|target| target.name.to_string()).collect()
    }

    /// The newest tasks of a service that run.
    pub fn tasks(&self, service: &str) -> Vec<String> {
        self.twin.world.look(|cloud| cloud.ecs.running_tasks(&name(service)))
    }

    /// The service's primary deployment.
    pub fn primary(&self, service: &str) -> Value {
        let answer = self.ecs("DescribeServices", json!({ "services": [service] }));
        let deployments = list(&answer["services"][0]["deployments"]);
        let primary = |it: &&Value| it["status"] == "PRIMARY";
        deployments.into_iter().find(primary).expect("a primary deployment").clone()
    }

    /// The revision that the service is asked to run.
    pub fn revision(&self, service: &str) -> String {
        text(&self.primary(service)["taskDefinition"]).to_owned()
    }

    /// A task definition as ECS keeps it, tags beside it, without what AWS writes.
    pub fn definition(&self, revision: &str) -> (Value, Value) {
        let input = json!({ "taskDefinition": revision, "include": ["TAGS"] });
        let mut answer = self.ecs("DescribeTaskDefinition", input);
        let mut definition = answer["taskDefinition"].take();
        definition
            .as_object_mut()
            .expect("members")
            .retain(|member, _| !WRITTEN_BY_AWS.contains(&member.as_str()));
        (definition, answer["tags"].take())
    }

    /// A person brings a service to a revision, or the same one anew.
    pub fn update(&self, service: &str, mut input: Value) {
        input["service"] = json!(service);
        self.ecs("UpdateService", input);
    }

    /// A person registers what the service runs with more cpu, and with other bytes if they are
    /// said; returns its ARN.
    pub fn register_another(&self, service: &str, digest: Option<&str>) -> String {
        let (mut definition, _) = self.definition(&self.revision(service));
        definition["cpu"] = json!("1024");
        if let Some(digest) = digest {
            let image = &mut definition["containerDefinitions"][0]["image"];
            let repository = text(image).split(['@', ':']).next().unwrap_or_default();
            *image = json!(format!("{repository}@{digest}"));
        }
        let answer = self.ecs("RegisterTaskDefinition", definition);
        text(&answer["taskDefinition"]["taskDefinitionArn"]).to_owned()
    }

    /// Does something to the model of ECS.
    pub fn befalls(
        &self,
        service: &str,
        act: impl FnOnce(&mut Cloud, &ServiceName, jiff::Timestamp),
    ) {
        self.twin.world.with(|cloud, now| act(cloud, &name(service), now));
    }

    /// The calls of `action` that a function made and that were answered well, with their input.
    pub fn called(&self, program: &str, action: &str) -> Vec<Value> {
        let own = |call: &Call| {
            let by = matches!(&call.caller, Caller::Function(it) if it.program == program);
            by && call.action == action
        };
        self.twin.world.look(|cloud| {
            let calls = cloud.calls().iter();
            let answered = calls.filter(|it| it.refusal.is_none() && own(&it.call));
            answered.map(|it| it.call.input.clone()).collect()
        })
    }

    /// How often deploy brought a service to another revision.
    pub fn updates(&self, service: &str) -> usize {
        let calls = self.called("deploy", "UpdateService");
        calls.iter().filter(|input| text(&input["service"]) == service).count()
    }

    /// Waits until the release ends, or stops where only a person decides.
    pub async fn end_of(&self, id: &str) -> Release {
        self.until(id, LONG, |it| it.phase.is_ended() || it.phase.is_stuck()).await
    }

    /// Waits until the release is in the phase of this name.
    pub async fn until_phase(&self, id: &str, name: &str) -> Release {
        self.until(id, LONG, |it| it.phase.name() == name).await
    }

    /// Waits until a service of the release is in the slot phase of this name.
    pub async fn until_service(&self, pipeline: &str, service: &str, phase: &str) {
        let deadline = self.twin.now() + LONG;
        loop {
            let scene = self.scene(pipeline).await;
            let slot = scene.slots.values().find(|slot| slot.target.name == service);
            let is = slot.map(|slot| slot.phase.name());
            if is == Some(phase) {
                return;
            }
            assert!(self.twin.now() < deadline, "{service} is {is:?}, never {phase}");
            self.twin.run_for(Duration::from_secs(1)).await;
        }
    }

    /// The kinds of what people were told about a release, in order.
    pub async fn kinds(&self, id: &str) -> Vec<NoticeKind> {
        self.notices(id).await.into_iter().map(|notice| notice.kind).collect()
    }

    /// Whether these bytes may not be released in the pipeline.
    pub async fn is_blocked(&self, pipeline: &str, digest: &str) -> bool {
        let digest: Digest = digest.parse().expect("a digest");
        self.scene(pipeline).await.blocked.contains_key(&digest)
    }

    /// Types a command that must do what it says.
    pub async fn does(&self, line: &str) -> String {
        let (exit, out, talk) = self.tidegate(line).await;
        assert_eq!(exit, 0, "tidegate {line}\n{out}{talk}");
        out + &talk
    }

    /// Types a command that must be refused; what it says.
    pub async fn refuses(&self, line: &str) -> String {
        let (exit, out, talk) = self.tidegate(line).await;
        assert_eq!(exit, 1, "tidegate {line}\n{out}{talk}");
        out + &talk
    }
}

/// Whether the release is live because it held.
pub fn is_live(release: &Release) -> bool {
    matches!(release.phase, Phase::Live { unproven: false, accepted: false, .. })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
