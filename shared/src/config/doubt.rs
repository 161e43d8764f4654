//! Names that differ only by `-`, `_`, `.`, `/` or case. Both may be right (the repository
//! `live_crons` feeds the cluster `live-crons`): who asks AWS knows, who cannot is told to look.

use super::file::File;
use super::near;
use super::path::Path;
use super::problem::Findings;

/// Finds names that are suspiciously alike.
pub(super) fn check(file: &File, findings: &mut Findings) {
    let mut names: Vec<(&str, String, Path)> = Vec::new();
    for (name, pipeline) in &file.pipelines {
        let path = Path::of(&["pipelines", name]);
        for (image, keys) in &pipeline.images {
            let path = path.key("images").key(image).key("repository");
            names.push(("repository", keys.repository.clone(), path));
        }
        if let Some(cluster) = file.settings(pipeline).cluster {
            names.push(("cluster", cluster, file.cluster_path(name)));
        }
    }
    for (at, (kind, name, path)) in names.iter().enumerate() {
        let alike =
            names[..at].iter().find(|(_, other, _)| near::same_but_for_separators(name, other));
        if let Some((other_kind, other, _)) = alike {
            let message = format!(
                "{kind} `{name}` is almost {other_kind} `{other}`; \
                 `tidegate config check --live` finds out whether both exist"
            );
            findings.value(path, message).warning();
        }
    }
}
