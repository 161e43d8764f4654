//! The values of the templates' parameters.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::config::{Parameters, PipelineConfig, Role, Running};
use tidegate_core::model::TargetKind;

use super::definition::{family, roles, schedule_cluster, schedule_role};
use crate::api::Place;

/// The values that a template's parameters must have for what [`super::fleet`] makes: for the functions
/// themselves, or for what they reach as `role`.
pub fn parameters_of(
    pipelines: &[PipelineConfig],
    role: Option<&Role>,
) -> BTreeMap<String, String> {
    let mut running = Running::default();
    for pipeline in pipelines.iter().filter(|pipeline| pipeline.role.as_ref() == role) {
        let place = Place::of(pipeline);
        let targets = pipeline.waves.iter().flatten();
        let on_ecs = targets.filter(|it| it.name.parts().0 != TargetKind::Lightsail);
        let services = on_ecs.map(|target| family(target.name.parts().1));
        let tasks = pipeline.pre_deploy.iter().map(|task| task.task_definition.clone());
        running.task_definitions.extend(
            services
                .chain(tasks)
                .map(|family| place.arn("ecs", &format!("task-definition/{family}:1"))),
        );
        running.roles.extend(roles(pipeline));
        for (kind, name) in pipeline.waves.iter().flatten().map(|target| target.name.parts()) {
            match kind {
                TargetKind::Service | TargetKind::Task => {}
                TargetKind::Schedule | TargetKind::Rule => {
                    running.schedule_roles.insert(schedule_role(pipeline));
                    let cluster = format!("cluster/{}", schedule_cluster(pipeline));
                    running.schedule_clusters.insert(place.arn("ecs", &cluster));
                }
                TargetKind::Lightsail => {
                    running.lightsail.insert(place.container_service(name));
                }
            }
        }
    }
    let values = Parameters::new(pipelines, role, &running).fit();
    let join = |arns: &BTreeSet<String>| arns.iter().cloned().collect::<Vec<_>>().join(",");
    values.all().into_iter().map(|(name, arns)| (name.to_owned(), join(arns))).collect()
}
