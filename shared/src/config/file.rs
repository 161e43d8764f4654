//! The keys of `tidegate.yaml`. These types are the only list of them: the JSON Schema, the check
//! of a file's form, and what is read all come from here, and so do the words people read there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::path::Path;
use super::problem::Findings;
use super::{Base, OnFailure, OnTimeout, Period, Placeholder, TagPattern, TargetName};
use crate::model::Slot;

/// What Tidegate brings where, and how it judges it. Keys that begin with `x-` are ignored
/// everywhere: a home for YAML anchors.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(title = "tidegate.yaml")]
pub(super) struct File {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub(super) version: u32,
    /// What every pipeline has that does not say otherwise.
    #[schemars(default)]
    pub(super) defaults: Settings,
    /// The pipelines by name: lower-case letters, digits and `-`, 64 at most.
    #[schemars(extend("minProperties" = 1, "propertyNames" = json!({"format": "pipeline-name"})))]
    pub(super) pipelines: BTreeMap<String, Pipeline>,
}

impl File {
    /// Reads what can be read: pipelines of the wrong form are left out, so that everything else
    /// that is wrong is found at once.
    pub(super) fn read(value: &Value, findings: &mut Findings) -> Self {
        let pipelines = value["pipelines"].as_object().into_iter().flatten();
        Self {
            version: 1,
            defaults: read(&value["defaults"], &Path::of(&["defaults"]), findings)
                .unwrap_or_default(),
            pipelines: pipelines
                .filter_map(|(name, value)| {
                    let pipeline = read(value, &Path::of(&["pipelines", name]), findings)?;
                    Some((name.clone(), pipeline))
                })
                .collect(),
        }
    }
}

/// Reads a value. What the check of its form found wrong is said already; anything else that
/// cannot be read is said in serde's words rather than lost.
fn read<T: DeserializeOwned>(value: &Value, path: &Path, findings: &mut Findings) -> Option<T> {
    if value.is_null() {
        return None;
    }
    match T::deserialize(value) {
        Ok(read) => Some(read),
        Err(error) => {
            if !findings.any_error() {
                findings.value(path, error.to_string());
            }
            None
        }
    }
}

/// A way from image repositories to one environment. One release moves in it at a time.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub(super) struct Pipeline {
    /// The images by a name of your own; releases and messages use it. Where `promote_from` stands,
    /// they come from there.
    #[serde(default)]
    #[schemars(extend("minProperties" = 1, "propertyNames" = json!({"format": "image-name"})))]
    pub(super) images: BTreeMap<String, Image>,
    /// Waves go one after the other; the targets of one wave change at the same time.
    #[schemars(extend("minItems" = 1))]
    pub(super) waves: Vec<Wave>,
    /// The pipeline whose live releases are offered here: the same digests. No push starts anything.
    #[schemars(extend("format" = "pipeline-name"))]
    pub(super) promote_from: Option<String>,
    /// Where promoted images are replicated to, if it is not where they come from; each key that is left
    /// out is as there. A release waits until its digests have arrived.
    pub(super) registry: Option<Registry>,
    /// The keys that `defaults` takes as well.
    #[serde(flatten)]
    pub(super) settings: Settings,
}

/// What a pipeline may leave to `defaults`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
pub(super) struct Settings {
    /// The ECS cluster that holds the services; not needed where no target is one.
    #[schemars(extend("format" = "ecs-name"))]
    pub(super) cluster: Option<String>,
    /// The cluster's region, where it is not the installation's.
    #[schemars(extend("format" = "region"))]
    pub(super) region: Option<String>,
    /// The ARN of the IAM role that is taken on to reach the cluster, where it is in another account:
    /// the cluster's account is the role's.
    #[schemars(extend("format" = "role-arn"))]
    pub(super) role: Option<String>,
    /// The external id that the role's trust policy asks for.
    #[schemars(extend("format" = "external-id"))]
    pub(super) external_id: Option<String>,
    /// How a rollout is judged.
    #[serde(default)]
    pub(super) watch: Watch,
    /// What follows a failure; `rollback` unless said otherwise.
    pub(super) on_failure: Option<OnFailure>,
    /// Which task definition a new revision is made from; `running` unless said otherwise.
    pub(super) base: Option<Base>,
    /// One release for all images, once every repository holds a tag with the same captured value.
    /// Without it a push changes its own image only.
    pub(super) join_on: Option<Placeholder>,
    /// Whether a person must approve a release before anything moves.
    pub(super) approval: Option<Approval>,
    /// Tasks that run once, in order, before the first wave. One that does not end with exit code 0
    /// stops the release, and no service is touched.
    pub(super) pre_deploy: Option<Vec<Task>>,
    /// What else must be green before the next wave opens, and through the bake.
    pub(super) checks: Option<Vec<Check>>,
    /// A tag that is put on the images of a release once it is live.
    #[schemars(extend("format" = "tag"))]
    pub(super) retag: Option<String>,
}

/// A task that runs once, to its end: a migration.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub(super) struct Task {
    /// A name of your own, once in a cluster.
    #[schemars(extend("format" = "ecs-name"))]
    pub(super) name: String,
    /// The family of its task definition; the release's images are put into its newest revision.
    #[schemars(extend("format" = "ecs-name"))]
    pub(super) task_definition: String,
    /// The container that runs the command, and whose exit code counts.
    #[schemars(extend("format" = "ecs-name"))]
    pub(super) container: String,
    /// The command, word by word.
    #[schemars(extend("minItems" = 1))]
    pub(super) command: Vec<String>,
    /// The service of the cluster whose subnets, security groups and launch settings it takes.
    #[schemars(extend("format" = "ecs-name"))]
    pub(super) network_from: String,
    /// How long it may take: 10s to 1d, 15m unless said otherwise.
    pub(super) timeout: Option<Period>,
    /// The command that undoes it; never run by itself, only by `tidegate rollback --down`.
    #[schemars(extend("minItems" = 1))]
    pub(super) down: Option<Vec<String>>,
}

/// A person's word before anything moves.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub(super) struct Approval {
    /// Whether every release waits for `tidegate approve`, but an operator's rollback.
    pub(super) required: bool,
    /// How long it waits before it expires: 1m to 30d, 1d unless said otherwise.
    pub(super) expires: Option<Period>,
    /// A tag of this form that arrives on every image of a release that waits approves it: whoever
    /// may push may then approve.
    pub(super) unless_tag: Option<TagPattern>,
}

/// A question asked while a release settles and bakes: `http` or `alarm`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) struct Check {
    /// The URL that is asked: `https://…` or `http://…`. Redirects are not followed.
    #[schemars(extend("format" = "url"))]
    pub(super) http: Option<String>,
    /// The statuses that are right; 200 unless said otherwise.
    #[schemars(extend("minItems" = 1))]
    pub(super) expect: Option<Vec<u16>>,
    /// A text that must occur in the first 64 KiB of the answer.
    pub(super) body: Option<String>,
    /// So many wrong answers one after the other fail the release: 1 to 100, 10 unless said
    /// otherwise.
    #[schemars(range(min = 1, max = 100))]
    pub(super) attempts: Option<u32>,
    /// How long from one question to the next: 15s to 1h, 15s unless said otherwise.
    pub(super) every: Option<Period>,
    /// The URL may lead to a private address, such as one of the VPC.
    pub(super) private: Option<bool>,
    /// The name of a CloudWatch alarm, metric or composite, that must not begin to ring.
    #[schemars(extend("format" = "alarm-name"))]
    pub(super) alarm: Option<String>,
}

/// How a rollout is judged.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
pub(super) struct Watch {
    /// How long a target may take to become stable: 10s to 1d, 15m unless said otherwise.
    pub(super) timeout: Option<Period>,
    /// How long a release must hold after everything is stable: at most 1d, 2m unless said
    /// otherwise.
    pub(super) bake: Option<Period>,
    /// So many failed tasks of a new revision fail the rollout: 1 to 20, 2 unless said otherwise.
    #[schemars(range(min = 1, max = Slot::MOST_TASKS))]
    pub(super) failed_tasks: Option<u32>,
    /// What a deadline without evidence means; `rollback` unless said otherwise.
    pub(super) on_timeout: Option<OnTimeout>,
}

/// An ECR repository, and the tags whose pushes are meant.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub(super) struct Image {
    /// The repository's name, without registry and tag.
    #[schemars(extend("format" = "repository"))]
    pub(super) repository: String,
    /// A tag, or a form of tags, or a list of them: text, `{sha}` (7 to 64 hex digits),
    /// `{version}` (numbers with dots), `{semver}` (pushes are then ordered by it), `*`.
    pub(super) tag: Tags,
    /// The registry, where it is not the installation's own.
    pub(super) registry: Option<Registry>,
}

/// One tag pattern or several.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Tags {
    /// One.
    One(TagPattern),
    /// Several: a push counts when its tag matches one of them.
    Several(#[schemars(extend("minItems" = 1))] Vec<TagPattern>),
}

impl Tags {
    /// All of them.
    pub(super) fn patterns(&self) -> &[TagPattern] {
        match self {
            Self::One(pattern) => std::slice::from_ref(pattern),
            Self::Several(patterns) => patterns,
        }
    }
}

/// An ECR registry: one for each account and region.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
pub(super) struct Registry {
    /// The account, twelve digits in quotes.
    #[schemars(extend("format" = "account"))]
    pub(super) account: Option<String>,
    /// The region.
    #[schemars(extend("format" = "region"))]
    pub(super) region: Option<String>,
}

/// Targets that change at the same time.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(extend("minItems" = 1))]
pub(super) struct Wave(pub(super) Vec<Target>);

/// Something that runs images: the bare name of an ECS service of `cluster`, or an object.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Target {
    /// The name of an ECS service.
    Name(#[schemars(extend("format" = "ecs-name"))] String),
    /// A target with more to say.
    Object(Box<TargetObject>),
}

/// A target with more to say: `service`, `schedule`, `rule` or `lightsail`, and what goes with it.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub(super) struct TargetObject {
    /// The name of an ECS service of `cluster`.
    #[schemars(extend("format" = "ecs-name"))]
    pub(super) service: Option<String>,
    /// The name of a schedule of EventBridge Scheduler that runs an ECS task; `GROUP/NAME` where its
    /// group is not `default`.
    #[schemars(extend("format" = "schedule"))]
    pub(super) schedule: Option<String>,
    /// The name of an EventBridge rule of the default bus that runs an ECS task.
    #[schemars(extend("format" = "rule"))]
    pub(super) rule: Option<String>,
    /// The name of a Lightsail container service.
    #[schemars(extend("format" = "lightsail"))]
    pub(super) lightsail: Option<String>,
    /// Container: name of an image above. Without it, every container whose image comes from one of
    /// the pipeline's repositories. A container whose name begins with `x-` cannot be named here.
    #[serde(default)]
    #[schemars(extend("propertyNames" = json!({"format": "ecs-name"})))]
    pub(super) containers: BTreeMap<String, String>,
    /// This target's own time to become stable: 10s to 1d.
    pub(super) timeout: Option<Period>,
}

impl Target {
    /// What it is, and its name; `None` where the object does not say exactly one thing, which the
    /// check of the file refuses.
    pub(super) fn name(&self) -> Option<TargetName> {
        let object = match self {
            Self::Name(service) => return Some(TargetName::Service(service.clone())),
            Self::Object(object) => object,
        };
        let TargetObject { service, schedule, rule, lightsail, .. } = object.as_ref();
        let mut named = [
            service.clone().map(TargetName::Service),
            schedule.as_deref().map(TargetName::schedule),
            rule.clone().map(TargetName::Rule),
            lightsail.clone().map(TargetName::Lightsail),
        ]
        .into_iter()
        .flatten();
        let only = named.next()?;
        named.next().is_none().then_some(only)
    }

    /// The name, where it is an ECS service.
    pub(super) fn service(&self) -> Option<&str> {
        match self {
            Self::Name(service) => Some(service),
            Self::Object(object) => object.service.as_deref(),
        }
    }

    /// The containers it names, if it names any.
    pub(super) fn containers(&self) -> Option<&BTreeMap<String, String>> {
        match self {
            Self::Name(_) => None,
            Self::Object(object) => Some(&object.containers).filter(|named| !named.is_empty()),
        }
    }
}
