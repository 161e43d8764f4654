//! `promote_from`: where images come from without a push.

use std::iter::successors;

use super::file::{File, Pipeline};
use super::near;
use super::path::Path;
use super::problem::Findings;
use super::source::Source;

/// Whether a pipeline has images of its own, or of a pipeline that exists.
pub(super) fn check(
    file: &File,
    source: &Source,
    (name, pipeline): (&str, &Pipeline),
    path: &Path,
    findings: &mut Findings,
) {
    let Some(from) = &pipeline.promote_from else {
        if !source.has(&path.key("images")) {
            findings.key(path, "the key `images` is missing");
        }
        if pipeline.registry.is_some() {
            let message = "it says where promoted images are copied to, and nothing is promoted \
                           here; write it at each of `images`";
            findings.key(&path.key("registry"), message);
        }
        return;
    };
    let unless_tag = file.settings(pipeline).approval.and_then(|it| it.unless_tag);
    if let Some(tag) = unless_tag.filter(|_| pipeline.registry.is_some()) {
        let message = format!(
            "no event tells of `{tag}` on images that were copied there: leave `unless_tag` out, and \
             type `tidegate approve`"
        );
        findings.key(&path.key("registry"), message);
    }
    for key in ["images", "join_on"].into_iter().filter(|key| source.has(&path.key(key))) {
        let message = format!("`promote_from` brings what is live in `{from}`; leave `{key}` out");
        findings.key(&path.key(key), message);
    }
    let at = path.key("promote_from");
    // A pipeline of the wrong form is one all the same.
    let known = source.value["pipelines"].as_object();
    if !known.is_some_and(|known| known.contains_key(from)) {
        let names = known.into_iter().flatten().map(|(known, _)| known.as_str());
        let meant = near::miss(from, names.filter(|known| *known != name));
        findings.value(&at, format!("`{from}` is no pipeline of this file")).meant(meant);
        return;
    }
    let next = |name: &&String| file.pipelines.get(*name)?.promote_from.as_ref();
    let chain = || successors(Some(from), next).take(file.pipelines.len());
    if chain().any(|it| it == name) {
        let way: Vec<_> =
            chain().take_while(|it| *it != name).map(|it| format!("`{it}`")).collect();
        let message = match &way[..] {
            [] => format!("`{name}` cannot be promoted from itself"),
            way => format!("`{name}` is promoted from {}, and that from `{name}`", way.join(", ")),
        };
        findings.value(&at, message);
    }
}
