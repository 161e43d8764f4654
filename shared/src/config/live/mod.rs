//! A config against what AWS has: what must exist before anything moves.

use std::collections::{BTreeMap, BTreeSet};

mod takers;

use super::file::{Check, Image, Pipeline, Tags, Task};
use super::path::Path;
use super::pipeline::Registry;
use super::problem::Findings;
use super::{Config, Problem, TargetName, near, targets};
use crate::sighting::Controller;

/// The services of one cluster by name.
type Services = BTreeMap<String, LiveService>;

/// What there is in one account and region.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Live {
    /// The names of all ECS clusters.
    pub clusters: BTreeSet<String>,
    /// Cluster → service, for the clusters that a config names.
    pub services: BTreeMap<String, Services>,
    /// The schedules, rules and container services that a config names.
    pub others: BTreeMap<TargetName, LiveService>,
    /// Family → the containers of its newest revision, for the one-off tasks that a config names.
    pub tasks: BTreeMap<String, BTreeSet<String>>,
    /// The alarms that a config names and that CloudWatch does not have.
    pub no_alarms: BTreeSet<String>,
    /// Repository → its tags. Those that no config names may come without tags.
    pub repositories: BTreeMap<String, BTreeSet<String>>,
}

/// A target, as far as a config is judged by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveService {
    /// Who carries out its deployments.
    pub controller: Controller,
    /// Whether it runs one task on each host.
    pub daemon: bool,
    /// Container → image, as the running task definition names it.
    pub containers: BTreeMap<String, String>,
}

impl Config {
    /// Compares the config of an installation in `home` with what AWS has, by account and region.
    ///
    /// These problems take the place of [`Config::doubts`]. Where one is an error, the config
    /// cannot be applied.
    pub fn compare(&self, home: &Registry, live: &BTreeMap<Registry, Live>) -> Vec<Problem> {
        let mut findings = Findings::new(&self.name, &self.source);
        for (name, pipeline) in &self.file.pipelines {
            let path = Path::of(&["pipelines", name]);
            let mut images_exist = true;
            for (name, image) in &pipeline.images {
                let (place, path) = (image.registry_of(home), path.key("images").key(name));
                let look = Look::at(&place, live, &path.key("repository"), &mut findings);
                images_exist &= look.is_some_and(|mut look| look.image(image, &path));
            }
            self.copies(pipeline, &path, home, live, &mut findings);
            let settings = self.file.settings(pipeline);
            let place = settings.place(home);
            let (cluster, at) =
                (settings.cluster.unwrap_or_default(), self.file.cluster_path(name));
            let Some(mut look) = Look::at(&place, live, &at, &mut findings) else { continue };
            look.alarms(settings.checks.iter().flatten(), &self.file.checks_path(name));
            if let Some(services) = look.services(&cluster, &at) {
                for (at, task) in settings.pre_deploy.iter().flatten().enumerate() {
                    look.task(task, &self.file.pre_deploy_path(name).index(at));
                }
                let waves = path.key("waves");
                let services = Standing { services, cluster: &cluster, others: &look.live.others };
                look.targets(&services, pipeline, &waves);
                // Who runs an image that does not exist is no question.
                if images_exist {
                    look.takers(&services, pipeline, &self.sources(pipeline, home), &waves);
                }
            }
        }
        findings.all()
    }

    /// Where promoted images are copied to: ECR makes a repository there with its first image.
    fn copies<'s>(
        &'s self,
        pipeline: &Pipeline,
        path: &Path,
        home: &Registry,
        live: &BTreeMap<Registry, Live>,
        findings: &mut Findings<'s>,
    ) {
        if pipeline.registry.is_none() {
            return;
        }
        let path = path.key("registry");
        for (repository, place) in self.sources(pipeline, home) {
            let Some(look) = Look::at(&place, live, &path, findings) else { return };
            if !look.live.repositories.contains_key(repository) {
                let Registry { account, region } = &place;
                let message = format!(
                    "there is no repository `{repository}` in {region} of {account} yet: a release \
                     waits until replication has made it"
                );
                findings.value(&path, message).warning();
            }
        }
    }

    /// The repositories that the releases of a pipeline are read from, and where they are.
    fn sources<'s>(&'s self, pipeline: &'s Pipeline, home: &Registry) -> Vec<(&'s str, Registry)> {
        let source = |image: &Image| match &pipeline.registry {
            Some(replica) => replica.or(&image.registry_of(home)),
            None => image.registry_of(home),
        };
        let images = self.file.images(pipeline).values();
        images.map(|image| (image.repository.as_str(), source(image))).collect()
    }
}

/// The targets that a place has.
struct Standing<'l> {
    cluster: &'l str,
    services: &'l Services,
    others: &'l BTreeMap<TargetName, LiveService>,
}

impl Standing<'_> {
    fn get(&self, name: &TargetName) -> Option<&LiveService> {
        match name {
            TargetName::Service(service) => self.services.get(service),
            other => self.others.get(other),
        }
    }
}

/// A look at one account and region.
struct Look<'l, 's, 'f> {
    place: &'l Registry,
    live: &'l Live,
    findings: &'f mut Findings<'s>,
}

impl<'l, 's, 'f> Look<'l, 's, 'f> {
    fn at(
        place: &'l Registry,
        live: &'l BTreeMap<Registry, Live>,
        path: &Path,
        findings: &'f mut Findings<'s>,
    ) -> Option<Self> {
        let Some(live) = live.get(place) else {
            let Registry { account, region } = place;
            findings.value(path, format!("{account} in {region} was not looked at")).warning();
            return None;
        };
        Some(Self { place, live, findings })
    }

    /// The repository exists, and some tag matches each pattern.
    fn image(&mut self, image: &Image, path: &Path) -> bool {
        let (repository, tag) = (&image.repository, path.key("tag"));
        let Some(tags) = self.live.repositories.get(repository) else {
            let known = self.live.repositories.keys().map(String::as_str);
            let other = self.live.clusters.contains(repository).then_some("; it is a cluster");
            let message = self.absent("repository", repository, other);
            let meant = near::miss(repository, known);
            self.findings.value(&path.key("repository"), message).meant(meant);
            return false;
        };
        for (at, pattern) in image.tag.patterns().iter().enumerate() {
            if !tags.iter().any(|tag| pattern.matches(tag).is_some()) {
                let path = match image.tag {
                    Tags::One(_) => tag.clone(),
                    Tags::Several(_) => tag.index(at),
                };
                let message = format!("no tag of `{repository}` matches `{pattern}` yet");
                self.findings.value(&path, message).warning();
            }
        }
        true
    }

    /// Each alarm exists: a release waits for one that does not until its timeout.
    fn alarms<'c>(&mut self, checks: impl Iterator<Item = &'c Check>, path: &Path) {
        for (at, check) in checks.enumerate() {
            let absent = check.alarm.as_ref().filter(|name| self.live.no_alarms.contains(*name));
            if let Some(name) = absent {
                let message = self.absent("alarm", name, None);
                self.findings.value(&path.index(at).key("alarm"), message);
            }
        }
    }

    /// The cluster's services, if it exists; none, where no target needs one.
    fn services(&mut self, cluster: &str, path: &Path) -> Option<&'l Services> {
        if cluster.is_empty() {
            return Some(const { &Services::new() });
        }
        if !self.live.clusters.contains(cluster) {
            let known = self.live.clusters.iter().map(String::as_str);
            let other = self.live.repositories.contains_key(cluster);
            let message = self.absent("cluster", cluster, other.then_some("; it is a repository"));
            self.findings.value(path, message).meant(near::miss(cluster, known));
            return None;
        }
        self.live.services.get(cluster).or(Some(const { &Services::new() }))
    }

    fn absent(&self, kind: &str, name: &str, other: Option<&str>) -> String {
        let Registry { account, region } = self.place;
        format!("`{name}` is no {kind} of {account} in {region}{}", other.unwrap_or_default())
    }

    /// Every target exists, is one that Tidegate can drive, and has the containers named.
    fn targets(&mut self, live: &Standing<'_>, pipeline: &Pipeline, waves: &Path) {
        for (path, target) in targets::all(pipeline, waves) {
            let Some(name) = target.name() else { continue };
            let Some(service) = live.get(&name) else {
                let (message, meant) = match &name {
                    TargetName::Service(name) => (
                        format!("`{name}` is no service of cluster `{}`", live.cluster),
                        near::miss(name, live.services.keys().map(String::as_str)),
                    ),
                    other => (self.absent(other.parts().0.noun(), other.parts().1, None), None),
                };
                self.findings.value(&path, message).meant(meant);
                continue;
            };
            if let Some(reason) = reason_to_refuse(service) {
                self.findings.value(&path, format!("`{name}` {reason}"));
            }
            for container in target.containers().into_iter().flat_map(BTreeMap::keys) {
                if !service.containers.contains_key(container) {
                    let known = service.containers.keys().map(String::as_str);
                    let message = format!("`{container}` is no container of `{name}`");
                    let path = path.key("containers").key(container);
                    self.findings.key(&path, message).meant(near::miss(container, known));
                }
            }
        }
    }

    /// The task definition exists, and has the container whose exit code counts.
    fn task(&mut self, task: &Task, path: &Path) {
        let Some(containers) = self.live.tasks.get(&task.task_definition) else {
            let message =
                self.absent("family of active task definitions", &task.task_definition, None);
            self.findings.value(&path.key("task_definition"), message);
            return;
        };
        if !containers.contains(&task.container) {
            let message =
                format!("`{}` is no container of `{}`", task.container, task.task_definition);
            let known = containers.iter().map(String::as_str);
            let meant = near::miss(&task.container, known);
            self.findings.value(&path.key("container"), message).meant(meant);
        }
    }
}

fn reason_to_refuse(service: &LiveService) -> Option<&'static str> {
    match service.controller {
        Controller::CodeDeploy => {
            Some("is deployed by CodeDeploy, which Tidegate cannot drive; use ECS's own controller")
        }
        Controller::External => Some(
            "has the EXTERNAL deployment controller, which Tidegate cannot drive; use ECS's own",
        ),
        Controller::Ecs => service
            .daemon
            .then_some("is a DAEMON service, which Tidegate does not support; use REPLICA"),
    }
}
