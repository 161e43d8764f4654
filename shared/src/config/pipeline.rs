//! The stored form of one pipeline: everything is said, nothing is left to a default.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::as_seconds;
use super::{Placeholder, TagPattern};
use crate::fingerprint::fingerprint;
use crate::model::{ReleaseImage, TargetKind, repository_uri};

/// One pipeline's config as the table holds it, immutable under its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineConfig {
    /// [`PipelineConfig::SCHEMA`] of the program that wrote it.
    pub schema: u32,
    /// The pipeline's name.
    pub name: String,
    /// The account that holds the cluster.
    pub account: String,
    /// The region that holds the cluster.
    pub region: String,
    /// The role that is taken on to reach what is there; without it each function asks as itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The image repositories, by the name the file gives them.
    pub images: BTreeMap<String, ImageConfig>,
    /// The ECS cluster's name; empty where no target needs one.
    pub cluster: String,
    /// Tasks that run once, in order, before the first wave: all of them must end well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pre_deploy: Vec<TaskConfig>,
    /// Targets that change at the same time; the waves go one after the other.
    pub waves: Vec<Vec<TargetConfig>>,
    /// How a rollout is judged.
    pub watch: Watch,
    /// What follows a failure.
    pub on_failure: OnFailure,
    /// Which task definition a new revision is made from.
    pub base: Base,
    /// One release for all images, once each repository holds a tag with the same value of this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_on: Option<Placeholder>,
    /// A person's word before anything moves, where it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// What else must be green before the next wave opens, and through the bake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// The pipeline whose live releases are offered here; then no tag of an image starts anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promote_from: Option<String>,
    /// The promoted images are read from where they are copied to: a release waits for its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replica: bool,
    /// The pipelines to which what becomes live here is offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promotes_to: Vec<String>,
    /// A tag that is put on the images of a release once it is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retag: Option<String>,
}

impl PipelineConfig {
    /// The images of a release of the pipeline that this one is promoted from, as they are read here.
    pub fn promoted(
        &self,
        images: &BTreeMap<String, ReleaseImage>,
    ) -> BTreeMap<String, ReleaseImage> {
        let own = images.iter().filter(|(name, _)| self.images.contains_key(*name));
        own.map(|(name, image)| (name.clone(), self.read_here(name, image.clone()))).collect()
    }

    /// The same bytes, from the registry that the config names for this image by now.
    pub fn read_here(&self, name: &str, image: ReleaseImage) -> ReleaseImage {
        match self.images.get(name).map(|own| own.registry.clone()) {
            Some(Registry { account, region }) => ReleaseImage { account, region, ..image },
            None => image,
        }
    }

    /// The alarms that its checks name.
    pub fn alarms(&self) -> impl Iterator<Item = &str> {
        self.checks.iter().filter_map(|check| match check {
            Check::Alarm { name } => Some(name.as_str()),
            Check::Http(_) => None,
        })
    }

    /// The schema that this program writes; what is newer is left alone, by name.
    pub const SCHEMA: u32 = 1;

    /// The config as JSON in one form only: equal configs give equal texts.
    pub fn canonical(&self) -> String {
        // Through `Value`, whose objects are sorted; strings and numbers always serialise.
        serde_json::to_value(self).map(|value| value.to_string()).unwrap_or_default()
    }

    /// SHA-256 of the canonical form, in hex: two versions are the same when it is.
    pub fn digest(&self) -> String {
        fingerprint(&self.canonical())
    }
}

/// An ECR repository and the tags whose pushes are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// The registry that holds the repository.
    pub registry: Registry,
    /// The repository's name.
    pub repository: String,
    /// A push is this image's when its tag matches one of these; none, where it is promoted.
    pub tags: Vec<TagPattern>,
}

impl ImageConfig {
    /// The repository as task definitions name it.
    pub fn uri(&self) -> String {
        repository_uri(&self.registry.account, &self.registry.region, &self.repository)
    }
}

/// An ECR registry: one for each account and region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Registry {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
}

impl Registry {
    /// The installation's place, where nobody was asked for it.
    pub(super) fn unknown() -> Self {
        Self { account: String::new(), region: String::new() }
    }
}

/// An IAM role that is taken on to reach a pipeline's account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Role {
    /// Its ARN: `arn:aws:iam::ACCOUNT:role/NAME`.
    pub arn: String,
    /// What its trust policy asks to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

impl Role {
    /// The account that it belongs to.
    pub fn account(&self) -> &str {
        account_of(&self.arn)
    }

    /// As whom the registry of `account` is asked in a pipeline of `role`: as the role in its own
    /// account; elsewhere as whoever asks, whom the repository's policy must let in.
    pub fn for_registry<'r>(role: Option<&'r Self>, account: &str) -> Option<&'r Self> {
        role.filter(|role| role.account() == account)
    }
}

/// The account of a role's ARN.
pub(super) fn account_of(role: &str) -> &str {
    role.split(':').nth(4).unwrap_or_default()
}

/// Something that runs images, as a wave names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetConfig {
    /// What it is, and its name.
    #[serde(flatten)]
    pub name: TargetName,
    /// Container → image by name. Empty: every container whose image comes from a repository of
    /// this pipeline.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub containers: BTreeMap<String, String>,
    /// This target's own time to become stable, where it differs from the pipeline's.
    #[serde(default, with = "as_seconds::optional", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
}

impl TargetConfig {
    /// An ECS service with nothing more to say.
    pub fn service(name: impl Into<String>) -> Self {
        Self::new(TargetName::Service(name.into()))
    }

    /// A target with nothing more to say.
    pub fn new(name: TargetName) -> Self {
        Self { name, containers: BTreeMap::new(), timeout: None }
    }
}

/// What a target is, and its name there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetName {
    /// An ECS service of the pipeline's cluster.
    Service(String),
    /// A schedule of EventBridge Scheduler that runs an ECS task; `GROUP/NAME` where its group is not
    /// the default one.
    Schedule(String),
    /// A rule of EventBridge's default bus that runs an ECS task.
    Rule(String),
    /// A Lightsail container service.
    Lightsail(String),
}

impl TargetName {
    /// The schedule `NAME` or `GROUP/NAME`; the default group is left out, so that it has one name.
    pub fn schedule(name: &str) -> Self {
        Self::Schedule(name.strip_prefix("default/").unwrap_or(name).to_owned())
    }

    /// The kind, and the name in the words of the file.
    pub fn parts(&self) -> (TargetKind, &str) {
        match self {
            Self::Service(name) => (TargetKind::Service, name),
            Self::Schedule(name) => (TargetKind::Schedule, name),
            Self::Rule(name) => (TargetKind::Rule, name),
            Self::Lightsail(name) => (TargetKind::Lightsail, name),
        }
    }
}

impl fmt::Display for TargetName {
    /// As people name it: a service by its bare name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.parts().1)
    }
}

/// A task that runs once, to its end, before the first wave: a migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskConfig {
    /// Its name: once in a cluster.
    pub name: String,
    /// The family of its task definition. The newest revision that Tidegate did not make is taken,
    /// with the release's images in it.
    pub task_definition: String,
    /// The container whose exit code counts: 0 and nothing else is well.
    pub container: String,
    /// What that container runs instead of its own command.
    pub command: Vec<String>,
    /// The service of the cluster whose network and launch settings it takes.
    pub network_from: String,
    /// So long it may take to its end.
    #[serde(with = "as_seconds")]
    pub timeout: Duration,
    /// What undoes it: run only where a person asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<Vec<String>>,
}

/// How a rollout is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// How long a target may take to become stable.
    #[serde(with = "as_seconds")]
    pub timeout: Duration,
    /// How long a release must hold after everything is stable.
    #[serde(with = "as_seconds")]
    pub bake: Duration,
    /// So many failed tasks of a new revision fail the rollout.
    pub failed_tasks: u32,
    /// What a deadline without evidence means.
    pub on_timeout: OnTimeout,
}

/// A person's word before anything moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// How long a release waits for it before it expires.
    #[serde(with = "as_seconds")]
    pub expires: Duration,
    /// A tag of this form that arrives on every image of a release that waits is that word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless_tag: Option<TagPattern>,
}

/// A question asked while a release settles and bakes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Check {
    /// A URL that must answer as it should.
    Http(HttpCheck),
    /// A CloudWatch alarm, metric or composite, that must not begin to ring.
    Alarm {
        /// Its name, in the pipeline's account and region.
        name: String,
    },
}

/// A URL, and what is a right answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpCheck {
    /// `https://…` or `http://…`, without user name and password.
    pub url: String,
    /// The statuses that are right; at least one.
    pub expect: Vec<u16>,
    /// A text that must occur in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// So many wrong answers one after the other fail the release.
    pub attempts: u32,
    /// From one question to the next.
    #[serde(with = "as_seconds")]
    pub every: Duration,
    /// It may lead to a private address.
    #[serde(default)]
    pub private: bool,
}

impl HttpCheck {
    /// The shortest `every`. A tick that waits for a URL stays awake: more often it would never sleep.
    pub const SHORTEST: Duration = Duration::from_secs(15);

    /// The URL as it may be shown: a query may hold a secret.
    pub fn shown(&self) -> &str {
        self.url.split('?').next().unwrap_or(&self.url)
    }
}

impl fmt::Display for Check {
    /// As messages name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(check) => write!(f, "GET {}", check.shown()),
            Self::Alarm { name } => write!(f, "alarm {name}"),
        }
    }
}

/// What a deadline without evidence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnTimeout {
    /// Bring all targets of the release back.
    #[default]
    Rollback,
    /// Touch nothing, freeze the pipeline, tell people.
    Freeze,
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Bring all targets of the release back.
    #[default]
    Rollback,
    /// Touch nothing, freeze the pipeline, tell people.
    Freeze,
}

/// Which task definition a new revision is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// The one the service runs.
    #[default]
    Running,
    /// The newest ACTIVE revision of its family: for definitions that other tools own, such as
    /// Terraform.
    Family,
}
