//! Names that differ only by `-`, `_`, `.`, `/` or case. Both may be right (the repository
//! `live_crons` feeds the cluster `live-crons`): who asks AWS knows, who cannot is told to look.

use std::collections::BTreeMap;

use super::file::File;
use super::near;
use super::path::Path;
use super::problem::Findings;

/// Finds names that are suspiciously alike.
pub(super) fn check(file: &File, findings: &mut Findings) {
    let mut names: Vec<(&str, String, Path)> = Vec::new();
    for (name, pipeline) in &file.pipelines {
        for (image, keys) in &pipeline.images {
            let path = Path::of(&["pipelines", name, "images", image, "repository"]);
            names.push(("repository", keys.repository.clone(), path));
        }
        if let Some(cluster) = file.settings(pipeline).cluster {
            names.push(("cluster", cluster, file.cluster_path(name)));
        }
    }
    let mut first: BTreeMap<String, (&str, String)> = BTreeMap::new();
    for (kind, name, path) in names {
        let (other_kind, other) =
            first.entry(near::plain(&name)).or_insert_with(|| (kind, name.clone()));
        if *other != name {
            let message = format!(
                "{kind} `{name}` is almost {other_kind} `{other}`; \
                 `tidegate config check --live` finds out whether both exist"
            );
            findings.value(&path, message).warning();
        }
    }
}
