//! What one-off tasks may have wrong that their form does not show.

use std::collections::BTreeMap;

use super::file::File;
use super::path::Path;
use super::problem::Findings;
use super::{Registry, near, targets};

/// A task stands in one place, by its name and cluster; its time is bounded as a service's is.
pub(super) fn check(file: &File, findings: &mut Findings) {
    let mut stands = BTreeMap::new();
    for (name, pipeline) in &file.pipelines {
        let settings = file.settings(pipeline);
        let place = settings.place(&Registry::unknown());
        let holder = file.pre_deploy_path(name);
        for (at, task) in settings.pre_deploy.into_iter().flatten().enumerate() {
            let path = holder.index(at);
            targets::timeout(task.timeout, &path.key("timeout"), findings);
            let waves = Path::of(&["pipelines", name, "waves"]);
            let waves = targets::all(pipeline, &waves);
            let services: Vec<_> = waves.filter_map(|(_, target)| target.service()).collect();
            if !services.contains(&task.network_from.as_str()) {
                let message = format!("`{}` is in no wave of this pipeline", task.network_from);
                let meant = near::miss(&task.network_from, services);
                findings.value(&path.key("network_from"), message).meant(meant);
            }
            let id = (place.clone(), settings.cluster.clone(), task.name.clone());
            if let Some(first) = stands.get(&id) {
                let message = format!(
                    "`{}` stands in {first} already; a task has a name of its own in its cluster",
                    task.name
                );
                findings.value(&path.key("name"), message);
            } else {
                stands.insert(id, path);
            }
        }
    }
}
