//! From what the file says to what is stored: defaults are merged, nothing is left open.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Period;
use super::file::{self, File, Image, Pipeline, Settings, Target};
use super::path::Path;
use super::pipeline::{
    Approval, Check, HttpCheck, ImageConfig, PipelineConfig, Registry, Role, TargetConfig,
    TaskConfig, Watch, account_of,
};

/// Longer than most services take to start and drain; `DescribeServices` calls it steady by then.
const TIMEOUT: Duration = Duration::from_mins(15);
/// A crash loop shows within two restarts.
const BAKE: Duration = Duration::from_mins(2);
/// Whoever is asked in the evening answers the next day.
const EXPIRES: Duration = Duration::from_hours(24);
/// One stray crash is bad luck, two are the image.
const FAILED_TASKS: u32 = 2;
/// The status of a health check that has nothing to say.
const OK: u16 = 200;
/// Asked every 15 s two minutes and a half: a load balancer needs up to that long to know new tasks.
const ATTEMPTS: u32 = 10;

impl File {
    /// A pipeline's images: its own, or those of the pipeline that it is promoted from.
    pub(super) fn images<'f>(&'f self, pipeline: &'f Pipeline) -> &'f BTreeMap<String, Image> {
        let upstream = |it: &&'f Pipeline| self.pipelines.get(it.promote_from.as_ref()?);
        // Where the chain is a circle, which the check refuses, it is followed once around.
        let chain = std::iter::successors(Some(pipeline), upstream).take(self.pipelines.len() + 1);
        chain.last().map_or(&pipeline.images, |root| &root.images)
    }

    /// The pipelines that are promoted from this one.
    fn promotes_to(&self, name: &str) -> Vec<String> {
        let from = |it: &Pipeline| it.promote_from.as_deref() == Some(name);
        let pipelines = self.pipelines.iter().filter(|(_, pipeline)| from(pipeline));
        pipelines.map(|(name, _)| name.clone()).collect()
    }

    /// The pipeline's settings, and the defaults' where it says nothing.
    pub(super) fn settings(&self, pipeline: &Pipeline) -> Settings {
        let (own, shared) = (pipeline.settings.clone(), self.defaults.clone());
        Settings {
            cluster: own.cluster.or(shared.cluster),
            region: own.region.or(shared.region),
            role: own.role.or(shared.role),
            external_id: own.external_id.or(shared.external_id),
            watch: file::Watch {
                timeout: own.watch.timeout.or(shared.watch.timeout),
                bake: own.watch.bake.or(shared.watch.bake),
                failed_tasks: own.watch.failed_tasks.or(shared.watch.failed_tasks),
                on_timeout: own.watch.on_timeout.or(shared.watch.on_timeout),
            },
            on_failure: own.on_failure.or(shared.on_failure),
            base: own.base.or(shared.base),
            pre_deploy: own.pre_deploy.or(shared.pre_deploy),
            join_on: own.join_on.or(shared.join_on),
            approval: own.approval.or(shared.approval),
            checks: own.checks.or(shared.checks),
            retag: own.retag.or(shared.retag),
        }
    }

    /// The path of the cluster a pipeline has, wherever it is said.
    pub(super) fn cluster_path(&self, name: &str) -> Path {
        self.path_of(name, "cluster", |own| own.cluster.is_some())
    }

    /// The path of the external id that a pipeline tells its role, wherever it is said.
    pub(super) fn external_id_path(&self, name: &str) -> Path {
        self.path_of(name, "external_id", |own| own.external_id.is_some())
    }

    /// The path of the approval a pipeline asks for, wherever it is said.
    pub(super) fn approval_path(&self, name: &str) -> Path {
        self.path_of(name, "approval", |own| own.approval.is_some())
    }

    /// The path of the one-off tasks a pipeline has, wherever they are said.
    pub(super) fn pre_deploy_path(&self, name: &str) -> Path {
        self.path_of(name, "pre_deploy", |own| own.pre_deploy.is_some())
    }

    /// The path of the checks a pipeline has, wherever they are said.
    pub(super) fn checks_path(&self, name: &str) -> Path {
        self.path_of(name, "checks", |own| own.checks.is_some())
    }

    /// The path of the tag that a pipeline puts on what is live, wherever it is said.
    pub(super) fn retag_path(&self, name: &str) -> Path {
        self.path_of(name, "retag", |own| own.retag.is_some())
    }

    fn path_of(&self, name: &str, key: &str, says: impl Fn(&Settings) -> bool) -> Path {
        let own = self.pipelines.get(name).is_some_and(|own| says(&own.settings));
        let holder = if own { Path::of(&["pipelines", name]) } else { Path::of(&["defaults"]) };
        holder.key(key)
    }

    /// The stored form of each pipeline of an installation in `home`.
    pub(super) fn resolve(&self, home: &Registry) -> Vec<PipelineConfig> {
        self.pipelines.iter().map(|(name, pipeline)| self.stored(name, pipeline, home)).collect()
    }
}

impl Settings {
    /// Where the cluster is, of an installation in `home`: in the role's account, if there is one.
    pub(super) fn place(&self, home: &Registry) -> Registry {
        Registry {
            account: self.role.as_deref().map_or(home.account.as_str(), account_of).to_owned(),
            region: self.region.clone().unwrap_or_else(|| home.region.clone()),
        }
    }
}

impl Image {
    /// The registry, of an installation in `home`.
    pub(super) fn registry_of(&self, home: &Registry) -> Registry {
        self.registry.clone().unwrap_or_default().or(home)
    }
}

impl file::Registry {
    /// What it says, and `other` where it says nothing.
    pub(super) fn or(&self, other: &Registry) -> Registry {
        let Self { account, region } = self;
        Registry {
            account: account.as_ref().unwrap_or(&other.account).clone(),
            region: region.as_ref().unwrap_or(&other.region).clone(),
        }
    }
}

impl File {
    fn stored(&self, name: &str, from: &Pipeline, home: &Registry) -> PipelineConfig {
        let settings = self.settings(from);
        let Registry { account, region } = settings.place(home);
        let watch = settings.watch;
        // No tag of a promoted image starts anything, and it may be read from where it is copied to.
        let replica = from.registry.clone().unwrap_or_default();
        let stored = |image: &Image| {
            let config = resolve_image(image, home);
            match &from.promote_from {
                None => config,
                Some(_) => ImageConfig {
                    tags: Vec::new(),
                    registry: replica.or(&config.registry),
                    ..config
                },
            }
        };
        PipelineConfig {
            schema: PipelineConfig::SCHEMA,
            name: name.to_owned(),
            account,
            region,
            role: settings.role.map(|arn| Role { arn, external_id: settings.external_id }),
            images: self
                .images(from)
                .iter()
                .map(|(name, image)| (name.clone(), stored(image)))
                .collect(),
            // The check has refused a file whose pipeline needs one and has none.
            cluster: settings.cluster.unwrap_or_default(),
            pre_deploy: settings.pre_deploy.into_iter().flatten().map(task).collect(),
            waves: from
                .waves
                .iter()
                .map(|wave| wave.0.iter().filter_map(target).collect())
                .collect(),
            watch: Watch {
                timeout: watch.timeout.map_or(TIMEOUT, Period::get),
                bake: watch.bake.map_or(BAKE, Period::get),
                failed_tasks: watch.failed_tasks.unwrap_or(FAILED_TASKS),
                on_timeout: watch.on_timeout.unwrap_or_default(),
            },
            on_failure: settings.on_failure.unwrap_or_default(),
            base: settings.base.unwrap_or_default(),
            // One image alone has nothing to join with.
            join_on: settings.join_on.filter(|_| from.images.len() > 1),
            promote_from: from.promote_from.clone(),
            replica: from.promote_from.is_some() && from.registry.is_some(),
            promotes_to: self.promotes_to(name),
            retag: settings.retag,
            approval: settings.approval.filter(|it| it.required).map(|it| Approval {
                expires: it.expires.map_or(EXPIRES, Period::get),
                unless_tag: it.unless_tag,
            }),
            checks: settings.checks.iter().flatten().filter_map(check).collect(),
        }
    }
}

/// `None` where the check of the file has refused it.
fn check(check: &file::Check) -> Option<Check> {
    let file::Check { http, expect, body, attempts, every, private, alarm } = check.clone();
    match (http, alarm) {
        (Some(url), None) => Some(Check::Http(HttpCheck {
            url,
            expect: expect.unwrap_or_else(|| vec![OK]),
            body,
            attempts: attempts.unwrap_or(ATTEMPTS),
            every: every.map_or(HttpCheck::SHORTEST, Period::get),
            private: private.unwrap_or_default(),
        })),
        (None, Some(name)) => Some(Check::Alarm { name }),
        _ => None,
    }
}

fn resolve_image(image: &Image, home: &Registry) -> ImageConfig {
    ImageConfig {
        registry: image.registry_of(home),
        repository: image.repository.clone(),
        tags: image.tag.patterns().to_vec(),
    }
}

fn task(task: file::Task) -> TaskConfig {
    let file::Task { name, task_definition, container, command, network_from, timeout, down } =
        task;
    let timeout = timeout.map_or(TIMEOUT, Period::get);
    TaskConfig { name, task_definition, container, command, network_from, timeout, down }
}

/// `None` where the check of the file has refused it.
fn target(target: &Target) -> Option<TargetConfig> {
    let bare = TargetConfig::new(target.name()?);
    Some(match target {
        Target::Name(_) => bare,
        Target::Object(object) => TargetConfig {
            containers: object.containers.clone(),
            timeout: object.timeout.map(Period::get),
            ..bare
        },
    })
}
