//! Which targets a release will change, as far as what they run shows it.

use std::collections::BTreeSet;

use super::{LiveService, Look, Path, Pipeline, Registry, Standing, targets};
use crate::config::file::Target;
use crate::definition::repository_of;
use crate::model::repository_uri;

impl Look<'_, '_, '_> {
    /// Some target runs an image of `sources`, the repositories that releases are read from; those
    /// that do not are named.
    pub(super) fn takers(
        &mut self,
        live: &Standing<'_>,
        pipeline: &Pipeline,
        sources: &[(&str, Registry)],
        waves: &Path,
    ) {
        let uris = sources.iter().map(|(name, at)| repository_uri(&at.account, &at.region, name));
        let uris: BTreeSet<String> = uris.collect();
        let takes = |target: &Target| {
            let service = || target.name().and_then(|name| live.get(&name));
            // What is unknown was said to be; nothing else can be said of it.
            target.containers().is_some()
                || service().is_none_or(|it| repositories(it).any(|uri| uris.contains(uri)))
        };
        let (takers, others): (Vec<_>, Vec<_>) =
            targets::all(pipeline, waves).partition(|(_, target)| takes(target));
        for (path, target) in others {
            let Some(name) = target.name() else { continue };
            let namesake = live.get(&name).and_then(|service| namesake(service, sources));
            let message = match namesake {
                Some((theirs, (repository, Registry { account, region }))) => format!(
                    "`{name}` runs `{theirs}`; releases bring `{repository}` from {region} of \
                     {account}, and will leave it as it is"
                ),
                None if takers.is_empty() => continue,
                None => format!(
                    "no container of `{name}` runs an image of this pipeline; \
                     releases will leave it as it is"
                ),
            };
            self.findings.value(&path, message).warning();
        }
        if takers.is_empty() {
            self.findings.key(waves, "no target runs an image of this pipeline");
        }
    }
}

/// The repositories of its images, with their registries.
fn repositories(service: &LiveService) -> impl Iterator<Item = &str> {
    service.containers.values().map(|image| repository_of(image))
}

/// A repository that it runs from one registry and that releases bring from another.
fn namesake<'a>(
    service: &'a LiveService,
    sources: &'a [(&'a str, Registry)],
) -> Option<(&'a str, &'a (&'a str, Registry))> {
    repositories(service).find_map(|uri| {
        let (_, name) = uri.split_once('/').filter(|(host, _)| host.contains(".dkr.ecr."))?;
        let source = sources.iter().find(|(repository, _)| *repository == name)?;
        Some((uri, source))
    })
}
