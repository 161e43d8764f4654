//! What a file of the right form may still have wrong. Nothing here asks AWS.

use std::time::Duration;

use super::file::{File, Image, Pipeline, Watch};
use super::path::Path;
use super::problem::Findings;
use super::source::Source;
use super::{Registry, TargetName, approval, join, promote, retag, targets};

/// `config apply` is one transaction of at most 100 writes: four, and four for each image (who looks
/// at it now and did before, when what runs and what was pushed last were first seen).
const MOST_IMAGES: usize = 24;

/// Finds what is wrong in the pipelines themselves and between them.
pub(super) fn check(file: &File, source: &Source, findings: &mut Findings) {
    watch(&file.defaults.watch, &Path::of(&["defaults", "watch"]), findings);
    let shared_cluster = Path::of(&["defaults", "cluster"]);
    // Whoever's: a tag that one pipeline puts on an image must approve nothing in another.
    let approvals = file.pipelines.values().map(|pipeline| file.settings(pipeline).approval);
    let unless_tags: Vec<_> = approvals.filter_map(|it| it?.unless_tag).collect();
    for (name, pipeline) in &file.pipelines {
        let path = Path::of(&["pipelines", name]);
        let has_cluster = source.has(&path.key("cluster")) || source.has(&shared_cluster);
        if !has_cluster && targets::need_cluster(file, pipeline) {
            findings.key(&path, "the key `cluster` is missing, here and in `defaults`");
        }
        watch(&pipeline.settings.watch, &path.key("watch"), findings);
        targets::check(pipeline, file.images(pipeline), &path.key("waves"), findings);
        let settings = file.settings(pipeline);
        join::check(pipeline, settings.join_on, &path.key("images"), findings);
        approval::check(file.images(pipeline), &settings, &file.approval_path(name), findings);
        images_taken(pipeline, &path.key("images"), findings);
        if images_apart(pipeline, &path.key("images"), findings) {
            one_image_each(file, (name, pipeline), &path, findings);
        }
        promote::check(file, source, (name, pipeline), &path, findings);
        retag::check(file, name, &unless_tags, findings);
    }
    roles(file, findings);
    targets::once(file, &Registry::unknown(), findings);
}

/// An external id is told to a role, and a role reaches ECS services.
fn roles(file: &File, findings: &mut Findings) {
    let all = || file.pipelines.iter().map(|(name, own)| (name, own, file.settings(own)));
    let anywhere = all().any(|(_, _, settings)| settings.role.is_some());
    for (name, own, settings) in all() {
        // What the defaults say is for those that have a role.
        let idle =
            if own.settings.external_id.is_some() { settings.role.is_none() } else { !anywhere };
        if idle && settings.external_id.is_some() {
            let message = "an external id is told to a role; name it with `role`";
            findings.key(&file.external_id_path(name), message);
        }
        let waves = Path::of(&["pipelines", name, "waves"]);
        for (path, target) in targets::all(own, &waves) {
            let is_service = matches!(target.name(), None | Some(TargetName::Service(_)));
            if settings.role.is_some() && !is_service {
                let message = "a `role` reaches ECS services only yet: install Tidegate in that \
                               account for schedules, rules and container services";
                findings.value(&path, message);
            }
        }
    }
}

fn watch(watch: &Watch, path: &Path, findings: &mut Findings) {
    targets::timeout(watch.timeout, &path.key("timeout"), findings);
    let bake = watch.bake.unwrap_or_else(|| Duration::ZERO.into());
    if bake.get() > targets::A_DAY {
        findings.value(&path.key("bake"), format!("expected at most 1d, found {bake}"));
    }
}

/// A push is one image's: two images of one repository share no tag. Whether none do.
fn images_apart(pipeline: &Pipeline, path: &Path, findings: &mut Findings) -> bool {
    let images: Vec<_> = pipeline.images.iter().collect();
    if images.len() > MOST_IMAGES {
        let message = format!("expected at most {MOST_IMAGES} images, found {}", images.len());
        findings.key(path, message);
        return false;
    }
    let mut apart = true;
    for (at, (name, image)) in images.iter().enumerate() {
        for (other_name, other) in &images[..at] {
            let same = is_same_repository(image, other);
            let patterns = image.tag.patterns().iter();
            let mut pairs = patterns.flat_map(|a| other.tag.patterns().iter().map(move |b| (a, b)));
            if same && let Some((a, b)) = pairs.find(|(a, b)| a.overlaps(b)) {
                let message = format!(
                    "`{a}` and `{b}` of image `{other_name}` can match the same tag of `{}`; \
                     a push must be one image's",
                    image.repository
                );
                findings.value(&path.key(name).key("tag"), message);
                apart = false;
            }
        }
    }
    apart
}

/// Where two images come from one repository, the repository does not say which of them a container takes.
fn one_image_each(
    file: &File,
    (name, pipeline): (&str, &Pipeline),
    path: &Path,
    findings: &mut Findings,
) {
    let images: Vec<_> = file.images(pipeline).iter().collect();
    let twins = images.iter().enumerate().find_map(|(at, (one, image))| {
        let same = |(_, other): &&(&String, &Image)| is_same_repository(image, other);
        images[..at].iter().find(same).map(|(other, _)| (other, one, &image.repository))
    });
    let Some((one, other, repository)) = twins else { return };
    let both = format!("images `{one}` and `{other}` both come from `{repository}`");
    let waves = path.key("waves");
    let mut targets = targets::all(pipeline, &waves);
    if let Some((path, _)) = targets.find(|(_, target)| target.containers().is_none()) {
        let message = format!("{both}: say in `containers` which container takes which");
        findings.value(&path, message);
    }
    if file.settings(pipeline).pre_deploy.is_some_and(|tasks| !tasks.is_empty()) {
        let message = format!(
            "{both}, and a one-off task does not say which it runs: make two pipelines of it, each \
             with the images of its own"
        );
        findings.value(&file.pre_deploy_path(name), message);
    }
}

fn is_same_repository(one: &Image, other: &Image) -> bool {
    one.repository == other.repository && one.registry == other.registry
}

/// Some container takes each image. Only where every service names its containers is it certain
/// that none does.
fn images_taken(pipeline: &Pipeline, path: &Path, findings: &mut Findings) {
    let mut named = Vec::new();
    for (_, target) in targets::all(pipeline, path) {
        let Some(containers) = target.containers() else { return };
        named.extend(containers.values());
    }
    let taken = |name: &String| named.is_empty() || named.contains(&name);
    for name in pipeline.images.keys().filter(|name| !taken(name)) {
        findings.key(&path.key(name), "no container takes this image").warning();
    }
}
