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
    let is_marked = |place: &Place<'_>| marked.iter().any(|(_, marked)| marked == place);
    let mut wrong = shared(&marked);
    for (owner, other) in &file.pipelines {
        let is_own = owner == name;
        for (image, own) in &other.images {
            let place = (own.registry.as_ref(), own.repository.as_str());
            let pattern = own.tag.patterns().iter().find(|own| own.matches(retag).is_some());
            match pattern.filter(|_| is_marked(&place)) {
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
        let takes_it = file.settings(other).retag.as_ref() == Some(retag)
            && self::marked(file, other).iter().any(|(_, own)| is_marked(own));
        // Of two that fight over it the first is told.
        if takes_it && owner.as_str() > name {
            wrong.push(format!(
                "is put on the same repository by `{owner}` too: each would take it from the other"
            ));
        }
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
