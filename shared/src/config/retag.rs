//! `retag`: a tag that Tidegate itself puts on what is live must mark each image, and start or approve
//! nothing.

use super::TagPattern;
use super::file::{self, File, Pipeline};
use super::problem::Findings;

/// A repository as the file says it: in which registry, if it says so, and its name.
type Place<'f> = (Option<&'f file::Registry>, &'f str);

/// What the tag of the pipeline `name` would do in the whole file; `unless_tags` are everybody's.
pub(super) fn check(file: &File, name: &str, unless_tags: &[TagPattern], findings: &mut Findings) {
    let Some(pipeline) = file.pipelines.get(name) else { return };
    let Some(retag) = &file.settings(pipeline).retag else { return };
    let marked = marked(file, pipeline);
    let mut wrong = shared(&marked);
    for (owner, other) in &file.pipelines {
        let is_own = owner == name;
        for (image, own) in &other.images {
            let place = (own.registry.as_ref(), own.repository.as_str());
            let marked = marked.iter().any(|(_, marked)| *marked == place);
            let pattern = own.tag.patterns().iter().find(|own| own.matches(retag).is_some());
            match pattern.filter(|_| marked) {
                Some(pattern) if is_own => wrong.push(format!(
                    "matches `{pattern}` of image `{image}`: every release would start the next one"
                )),
                Some(pattern) => wrong.push(format!(
                    "matches `{pattern}` of image `{image}` in `{owner}`: every release here would \
                     start one there"
                )),
                None => {}
            }
        }
    }
    let takes_it = |other: &&String| {
        let pipeline = file.pipelines.get(*other).filter(|_| other.as_str() > name);
        pipeline.is_some_and(|other| {
            let marks = || theirs(file, other).any(|it| marked.iter().any(|own| own.1 == it));
            file.settings(other).retag.as_ref() == Some(retag) && marks()
        })
    };
    if let Some(other) = file.pipelines.keys().find(takes_it) {
        wrong.push(format!(
            "is put on the same repository by `{other}` too: each would take it from the other"
        ));
    }
    for unless_tag in unless_tags.iter().filter(|pattern| pattern.matches(retag).is_some()) {
        wrong.push(format!(
            "matches `{unless_tag}` of `unless_tag`: what becomes live would approve what waits"
        ));
    }
    for wrong in wrong {
        findings.value(&file.retag_path(name), format!("the tag `{retag}` {wrong}"));
    }
}

/// The images that a pipeline marks, and where.
fn marked<'f>(file: &'f File, pipeline: &'f Pipeline) -> Vec<(&'f str, Place<'f>)> {
    let images = file.images(pipeline).iter();
    let registry = |own: &'f file::Image| pipeline.registry.as_ref().or(own.registry.as_ref());
    images.map(|(name, own)| (name.as_str(), (registry(own), own.repository.as_str()))).collect()
}

/// Where a pipeline marks its images.
fn theirs<'f>(file: &'f File, other: &'f Pipeline) -> impl Iterator<Item = Place<'f>> {
    marked(file, other).into_iter().map(|(_, place)| place)
}

/// A tag is on one image of a repository.
fn shared(marked: &[(&str, Place<'_>)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, (image, place)) in marked.iter().enumerate() {
        if let Some((other, (_, name))) = marked[..at].iter().find(|(_, other)| other == place) {
            wrong.push(format!(
                "would be on one of `{other}` and `{image}` only, which share the repository \
                 `{name}`; leave `retag` out"
            ));
        }
    }
    wrong
}
