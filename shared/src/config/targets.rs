//! What the targets of waves may have wrong that their form does not show.

use std::collections::BTreeMap;
use std::time::Duration;

use super::file::{File, Image, Pipeline, Target, TargetObject};
use super::path::Path;
use super::problem::Findings;
use super::{Period, Registry, TargetName, near};

/// ECS needs about this long to notice anything; below it every rollout would time out.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(10);
/// A release that moves or bakes for more than a day keeps every later push waiting.
pub(super) const A_DAY: Duration = Duration::from_hours(24);

/// A pipeline's targets, each with its path.
pub(super) fn all<'p>(
    pipeline: &'p Pipeline,
    waves: &Path,
) -> impl Iterator<Item = (Path, &'p Target)> {
    pipeline.waves.iter().enumerate().flat_map(move |(wave, targets)| {
        let path = waves.index(wave);
        targets.0.iter().enumerate().map(move |(at, target)| (path.index(at), target))
    })
}

/// What single targets say for themselves.
pub(super) fn check(
    pipeline: &Pipeline,
    images: &BTreeMap<String, Image>,
    waves: &Path,
    findings: &mut Findings,
) {
    for (path, target) in all(pipeline, waves) {
        if let Target::Object(object) = target {
            timeout(object.timeout, &path.key("timeout"), findings);
            names_one(object, &path, findings);
        }
        for (container, image) in target.containers().into_iter().flatten() {
            if !images.contains_key(image) {
                let known = images.keys().map(String::as_str);
                let path = path.key("containers").key(container);
                let message = format!("`{image}` is no image of this pipeline");
                findings.value(&path, message).meant(near::miss(image, known));
            }
        }
    }
}

fn names_one(object: &TargetObject, path: &Path, findings: &mut Findings) {
    let TargetObject { service, schedule, rule, lightsail, .. } = object;
    let said = [service, schedule, rule, lightsail].into_iter().flatten().count();
    match said {
        1 => {}
        0 => {
            let message =
                "expected a target: `service`, `schedule`, `rule` or `lightsail`, and its name";
            findings.value(path, message);
        }
        _ => {
            let message =
                "a target is one of `service`, `schedule`, `rule`, `lightsail`; make two of it";
            findings.value(path, message);
        }
    }
}

/// Some target, or the network of a task, is an ECS service: then a cluster must be named.
pub(super) fn need_cluster(file: &File, pipeline: &Pipeline) -> bool {
    let mut targets = pipeline.waves.iter().flat_map(|wave| &wave.0);
    targets.any(|target| target.service().is_some())
        || file.settings(pipeline).pre_deploy.is_some_and(|tasks| !tasks.is_empty())
}

/// A target stands in one wave of one pipeline. Offline the place of the installation is unknown
/// (""); it is asked again once it is known.
pub(super) fn once(file: &File, home: &Registry, findings: &mut Findings) {
    let mut stands = BTreeMap::new();
    for (name, pipeline) in &file.pipelines {
        let settings = file.settings(pipeline);
        let place = settings.place(home);
        for (path, target) in all(pipeline, &Path::of(&["pipelines", name, "waves"])) {
            let Some(target) = target.name() else { continue };
            let cluster = match &target {
                TargetName::Service(_) => settings.cluster.clone(),
                _ => None,
            };
            let id = (place.clone(), cluster, target);
            if let Some(first) = stands.get(&id) {
                let target = id.2;
                let message = format!(
                    "`{target}` stands in {first} already; a target has one wave of one pipeline"
                );
                findings.value(&path, message);
            } else {
                stands.insert(id, path);
            }
        }
    }
}

/// A target's, or a pipeline's, own time to become stable.
pub(super) fn timeout(timeout: Option<Period>, path: &Path, findings: &mut Findings) {
    let Some(timeout) = timeout else { return };
    if !(SHORTEST_TIMEOUT..=A_DAY).contains(&timeout.get()) {
        findings.value(path, format!("expected 10s to 1d, found {timeout}"));
    }
}
