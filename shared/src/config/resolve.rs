//! From what the file says to what is stored: defaults are merged, nothing is left open.

use std::time::Duration;

use super::Period;
use super::file::{self, File, Image, Pipeline, ServiceTarget, Settings, Target};
use super::path::Path;
use super::pipeline::{
    Approval, Check, HttpCheck, ImageConfig, PipelineConfig, Registry, TargetConfig, TaskConfig,
    Watch,
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
    /// The pipeline's settings, and the defaults' where it says nothing.
    pub(super) fn settings(&self, pipeline: &Pipeline) -> Settings {
        let (own, shared) = (pipeline.settings.clone(), self.defaults.clone());
        Settings {
            cluster: own.cluster.or(shared.cluster),
            region: own.region.or(shared.region),
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
        }
    }

    /// The path of the cluster a pipeline has, wherever it is said.
    pub(super) fn cluster_path(&self, name: &str) -> Path {
        self.path_of(name, "cluster", |own| own.cluster.is_some())
    }

    /// The path of the approval a pipeline asks for, wherever it is said.
    pub(super) fn approval_path(&self, name: &str) -> Path {
        self.path_of(name, "approval", |own| own.approval.is_some())
    }

    /// The path of the one-off tasks a pipeline has, wherever they are said.
    pub(super) fn pre_deploy_path(&self, name: &str) -> Path {
        self.path_of(name, "pre_deploy", |own| own.pre_deploy.is_some())
    }

    fn path_of(&self, name: &str, key: &str, says: impl Fn(&Settings) -> bool) -> Path {
        let own = self.pipelines.get(name).is_some_and(|own| says(&own.settings));
        let holder = if own { Path::of(&["pipelines", name]) } else { Path::of(&["defaults"]) };
        holder.key(key)
    }

    /// The stored form of each pipeline of an installation in this account and region.
    pub(super) fn resolve(&self, account: &str, region: &str) -> Vec<PipelineConfig> {
        let home = Registry { account: account.to_owned(), region: region.to_owned() };
        self.pipelines
            .iter()
            .map(|(name, pipeline)| resolve(name, pipeline, self.settings(pipeline), &home))
            .collect()
    }
}

impl Image {
    /// The registry, of an installation in `home`.
    pub(super) fn registry_of(&self, home: &Registry) -> Registry {
        let named = self.registry.clone().unwrap_or_default();
        Registry {
            account: named.account.unwrap_or_else(|| home.account.clone()),
            region: named.region.unwrap_or_else(|| home.region.clone()),
        }
    }
}

fn resolve(name: &str, from: &Pipeline, settings: Settings, home: &Registry) -> PipelineConfig {
    let watch = settings.watch;
    PipelineConfig {
        schema: PipelineConfig::SCHEMA,
        name: name.to_owned(),
        account: home.account.clone(),
        region: settings.region.unwrap_or_else(|| home.region.clone()),
        images: from
            .images
            .iter()
            .map(|(name, image)| (name.clone(), resolve_image(image, home)))
            .collect(),
        // The check has refused a file whose pipeline has none.
        cluster: settings.cluster.unwrap_or_default(),
        pre_deploy: settings.pre_deploy.into_iter().flatten().map(task).collect(),
        waves: from.waves.iter().map(|wave| wave.0.iter().map(target).collect()).collect(),
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
        approval: settings.approval.filter(|it| it.required).map(|it| Approval {
            expires: it.expires.map_or(EXPIRES, Period::get),
            unless_tag: it.unless_tag,
        }),
        checks: settings.checks.iter().flatten().filter_map(check).collect(),
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

fn target(target: &Target) -> TargetConfig {
    let service = target.service().to_owned();
    match target {
        Target::Name(_) => TargetConfig { service, ..TargetConfig::default() },
        Target::Service(ServiceTarget { containers, timeout, .. }) => TargetConfig {
            service,
            containers: containers.clone(),
            timeout: timeout.map(Period::get),
        },
    }
}
