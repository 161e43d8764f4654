//! The values that `template.yaml` and `target-role.yaml` ask for, so that policy and config cannot
//! drift apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::{PipelineConfig, Registry, Role, fold};
use crate::model::TargetKind;

/// What a template's permissions are narrowed to: the functions' own, or those of a role that they
/// take on. Each is a list of ARNs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parameters {
    /// What watch reads and deploy updates.
    pub service_arns: BTreeSet<String>,
    /// The families that deploy registers revisions of.
    pub task_definition_arns: BTreeSet<String>,
    /// What promote reads and deploy puts its keep tags into.
    pub repository_arns: BTreeSet<String>,
    /// The task and execution roles that deploy may pass to ECS.
    pub task_role_arns: BTreeSet<String>,
    /// The clusters of the services, and of the tasks that schedules and rules run. The functions hear
    /// the events of all of them.
    pub cluster_arns: BTreeSet<String>,
    /// The schedules and rules whose ECS task deploy changes.
    pub schedule_arns: BTreeSet<String>,
    /// The roles that those run their tasks with: deploy passes them on as they are.
    pub schedule_role_arns: BTreeSet<String>,
    /// The Lightsail container services.
    pub lightsail_arns: BTreeSet<String>,
    /// Those of these that the config needs and that only AWS knows.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    unknown: BTreeSet<&'static str>,
    /// Those whose ARNs are folded, and how many there were.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    folded: BTreeMap<&'static str, usize>,
    /// The roles that the functions may take on; a role takes on none.
    pub target_role_arns: BTreeSet<String>,
    /// They are target-role.yaml's, which lacks the optional ones.
    #[serde(skip)]
    of_role: bool,
}

/// What only the services themselves can tell: the ARNs that they run with now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Running {
    /// Task definitions, with their revisions.
    pub task_definitions: BTreeSet<String>,
    /// Task roles and execution roles.
    pub roles: BTreeSet<String>,
    /// The roles of schedules and rules.
    pub schedule_roles: BTreeSet<String>,
    /// The clusters that those run their tasks in: whichever they like.
    pub schedule_clusters: BTreeSet<String>,
    /// Lightsail's container services.
    pub lightsail: BTreeSet<String>,
}

impl Parameters {
    /// The parameters that have a default, nothing of that kind. target-role.yaml has none of them.
    pub const OPTIONAL: [&'static str; 4] =
        ["ScheduleArns", "ScheduleRoleArns", "LightsailArns", "TargetRoleArns"];

    /// The bytes that there is room for in a list, commas included. CloudFormation takes 4,096 of a
    /// parameter; where several lists stand in one policy, IAM's 6,144 characters leave them less.
    pub const ROOM: [(&'static str, usize); 7] = [
        ("ServiceArns", 4_096),
        ("TaskDefinitionArns", 4_096),
        ("RepositoryArns", 1_024),
        ("TaskRoleArns", 4_096),
        ("ScheduleArns", 1_024),
        ("ScheduleRoleArns", 512),
        ("LightsailArns", 512),
    ];

    /// The values for `role`, or without one for the functions themselves; `running` is what it
    /// reaches.
    pub fn new(pipelines: &[PipelineConfig], role: Option<&Role>, running: &Running) -> Self {
        let mut values = Self {
            task_role_arns: running.roles.clone(),
            schedule_role_arns: running.schedule_roles.clone(),
            cluster_arns: running.schedule_clusters.clone(),
            lightsail_arns: running.lightsail.clone(),
            of_role: role.is_some(),
            ..Self::default()
        };
        let families = running.task_definitions.iter().filter_map(|arn| arn.rsplit_once(':'));
        values.task_definition_arns = families.map(|(family, _)| format!("{family}:*")).collect();
        for pipeline in pipelines {
            let PipelineConfig { cluster, images, .. } = pipeline;
            let own = pipeline.role.as_ref() == role;
            if (own || role.is_none()) && !cluster.is_empty() {
                values.cluster_arns.insert(pipeline.cluster_arn());
            }
            if own {
                values.add_targets(pipeline, running);
            } else if role.is_none() {
                values.target_role_arns.extend(pipeline.role.iter().map(|role| role.arn.clone()));
            }
            let asks = |registry: &Registry| {
                Role::for_registry(pipeline.role.as_ref(), &registry.account) == role
            };
            let images = images.values().filter(|image| asks(&image.registry));
            values.repository_arns.extend(images.map(|image| {
                let (at, repository) = (&image.registry, &image.repository);
                format!("arn:aws:ecr:{}:{}:repository/{repository}", at.region, at.account)
            }));
        }
        let at_home = pipelines.iter().find(|pipeline| pipeline.role.is_none());
        if let (None, Some(at_home)) = (role, at_home) {
            values.stand_in(&at_home.account, &at_home.region);
        }
        values
    }

    /// Where nothing runs on ECS at home the template's parameters name what does not exist: it takes
    /// neither an empty list nor a bare `*`.
    fn stand_in(&mut self, account: &str, region: &str) {
        let ecs = format!("arn:aws:ecs:{region}:{account}");
        let fill = |arns: &mut BTreeSet<String>, name: String| {
            if arns.is_empty() {
                arns.insert(name);
            }
        };
        if !self.unknown.contains("ClusterArns") {
            fill(&mut self.cluster_arns, format!("{ecs}:cluster/none"));
        }
        fill(&mut self.service_arns, format!("{ecs}:service/none/none"));
        if !self.unknown.contains("TaskDefinitionArns") {
            fill(&mut self.task_definition_arns, format!("{ecs}:task-definition/none:*"));
            fill(&mut self.task_role_arns, format!("arn:aws:iam::{account}:role/none"));
        }
    }

    fn add_targets(&mut self, pipeline: &PipelineConfig, running: &Running) {
        for id in pipeline.waves.iter().flatten().map(|it| pipeline.target_id(&it.name)) {
            let arns = match id.kind {
                TargetKind::Service | TargetKind::Task => &mut self.service_arns,
                TargetKind::Schedule | TargetKind::Rule => {
                    self.unknown.insert("ScheduleRoleArns");
                    if running.schedule_clusters.is_empty() {
                        self.unknown.insert("ClusterArns");
                    }
                    &mut self.schedule_arns
                }
                TargetKind::Lightsail => {
                    self.unknown.insert("LightsailArns");
                    continue;
                }
            };
            self.unknown.extend(["TaskDefinitionArns", "TaskRoleArns"]);
            arns.extend(id.arn());
        }
    }

    /// The same, short enough to be deployed: a list that is too long is folded, ARNs that begin alike
    /// becoming one with a `*`. Clusters stay written out, for events are matched by them, and so do the
    /// roles that are taken on.
    #[must_use]
    pub fn fit(mut self) -> Self {
        let lists = [
            &mut self.service_arns,
            &mut self.task_definition_arns,
            &mut self.repository_arns,
            &mut self.task_role_arns,
            &mut self.schedule_arns,
            &mut self.schedule_role_arns,
            &mut self.lightsail_arns,
        ];
        for ((name, room), arns) in Self::ROOM.into_iter().zip(lists) {
            if let Some(fewer) = fold::fold(arns, room) {
                self.folded.insert(name, arns.len());
                *arns = fewer;
            }
        }
        self
    }

    /// The template's parameters and their values, in the template's order.
    pub fn all(&self) -> [(&'static str, &BTreeSet<String>); 9] {
        let Self {
            service_arns,
            task_definition_arns,
            repository_arns,
            task_role_arns,
            cluster_arns,
            schedule_arns,
            schedule_role_arns,
            lightsail_arns,
            unknown: _,
            folded: _,
            target_role_arns,
            of_role: _,
        } = self;
        [
            ("ServiceArns", service_arns),
            ("TaskDefinitionArns", task_definition_arns),
            ("RepositoryArns", repository_arns),
            ("TaskRoleArns", task_role_arns),
            ("ClusterArns", cluster_arns),
            ("ScheduleArns", schedule_arns),
            ("ScheduleRoleArns", schedule_role_arns),
            ("LightsailArns", lightsail_arns),
            ("TargetRoleArns", target_role_arns),
        ]
    }
}

impl fmt::Display for Parameters {
    /// The lines of samconfig.toml's `parameter_overrides`. What only AWS knows and nobody asked
    /// for is left out, by name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "parameter_overrides = [")?;
        let own = |(name, _): &(&str, _)| !(self.of_role && Self::OPTIONAL.contains(name));
        for (name, values) in self.all().into_iter().filter(own) {
            if values.is_empty() && self.unknown.contains(name) {
                writeln!(f, "    # {name}: only AWS knows; add --live")?;
            } else if values.is_empty() && self.may_be_empty(name) {
                // Said, for what is left out keeps the value it has: a permission would stay.
                writeln!(f, "    '{name}=\"\"',")?;
            } else if values.is_empty() {
                writeln!(f, "    # {name}: none is named; an ARN of what does not exist will do")?;
            } else {
                self.remark(f, name)?;
                let values = values.iter().map(String::as_str).collect::<Vec<_>>().join(",");
                writeln!(f, "    \"{name}={values}\",")?;
            }
        }
        f.write_str("]")
    }
}

impl Parameters {
    /// Whether the template takes this list without an ARN: nothing of that kind.
    fn may_be_empty(&self, name: &str) -> bool {
        if self.of_role { name == "RepositoryArns" } else { Self::OPTIONAL.contains(&name) }
    }

    /// What the values themselves do not say, above them.
    fn remark(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        if name == "ClusterArns" && self.unknown.contains(name) {
            writeln!(
                f,
                "    # {name}: where schedules and rules run their tasks only AWS knows; add --live"
            )?;
        }
        if let Some(many) = self.folded.get(name) {
            writeln!(
                f,
                "    # {name}: {many} ARNs are too long for one policy. A `*` stands for those that \
                 begin alike, and lets in whatever else begins so"
            )?;
        }
        Ok(())
    }
}
