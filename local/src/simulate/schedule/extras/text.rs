//! The extras as `tidegate.yaml` says them.

use std::fmt::Write as _;

use super::super::Pipeline;
use super::{Elsewhere, MARK, Promoted, TargetKind, Task, WORD};
use crate::places::{ACCOUNT, REGION};

/// The keys of a pipeline that say where its cluster is and what must be before its waves; those that
/// only extras have are left out where there are none.
pub(in super::super) fn write(text: &mut String, pipeline: &Pipeline) -> std::fmt::Result {
    let extras = &pipeline.extras;
    let region = extras.elsewhere.map_or(REGION, |_| Elsewhere::REGION);
    writeln!(text, "    region: {region}")?;
    if extras.elsewhere.is_some_and(|it| it.by_role) {
        let (role, id) = (Elsewhere::role(ACCOUNT), Elsewhere::EXTERNAL_ID);
        writeln!(text, "    role: {role}\n    external_id: {id}")?;
    }
    if let Some(Promoted { from, copies }) = &extras.promoted {
        writeln!(text, "    promote_from: {from}")?;
        if *copies {
            writeln!(text, "    registry: {{ region: {} }}", Elsewhere::REGION)?;
        }
    }
    if extras.joined && extras.promoted.is_none() {
        writeln!(text, "    join_on: sha")?;
    }
    if let Some(approval) = extras.approval {
        let unless = if approval.by_tag {
            format!(", unless_tag: \"{WORD}{{semver}}\"")
        } else {
            String::new()
        };
        let expires = approval.expires;
        writeln!(text, "    approval: {{ required: true, expires: {expires}m{unless} }}")?;
    }
    if extras.marks {
        writeln!(text, "    retag: {MARK}")?;
    }
    if !extras.tasks.is_empty() {
        writeln!(text, "    pre_deploy:")?;
        let service = pipeline.waves.iter().flatten().next().map_or("", |service| &service.name);
        for task in &extras.tasks {
            writeln!(text, "      - {}", one_off(task, service))?;
        }
    }
    if extras.url.is_some() || extras.alarm {
        writeln!(text, "    checks:")?;
    }
    if let Some(attempts) = extras.url {
        let url = url(&pipeline.name);
        writeln!(text, "      - {{ http: \"{url}\", attempts: {attempts} }}")?;
    }
    if extras.alarm {
        writeln!(text, "      - {{ alarm: {} }}", pipeline.name)?;
    }
    Ok(())
}

/// The URL that a pipeline's services stand behind.
pub(in crate::simulate) fn url(pipeline: &str) -> String {
    format!("https://{pipeline}.example.com/health")
}

/// A one-off task that runs where `service` does.
fn one_off(task: &Task, service: &str) -> String {
    let Task { name, timeout, undone } = task;
    let down = if *undone { ", down: [undo]" } else { "" };
    format!(
        "{{ name: {name}, task_definition: {name}, container: app, command: [migrate], network_from: \
         {service}, timeout: {timeout}m{down} }}"
    )
}

/// What stands in a wave beside its services.
pub(in super::super) fn targets_of(
    pipeline: &Pipeline,
    wave: usize,
) -> impl Iterator<Item = String> {
    let here = pipeline.extras.targets.iter().filter(move |target| target.wave == wave);
    here.map(|target| {
        let name = &target.name;
        match target.kind {
            TargetKind::Schedule => format!("{{ schedule: {name} }}"),
            TargetKind::Rule => format!("{{ rule: {name} }}"),
            TargetKind::Lightsail => {
                let images = pipeline.images.iter().map(|image| &image.repository);
                let containers: Vec<_> = images.map(|name| format!("{name}: {name}")).collect();
                format!("{{ lightsail: {name}, containers: {{ {} }} }}", containers.join(", "))
            }
        }
    })
}
