//! What a release asks of the functions' roles: exactly what this config leads to, no guess.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Parameters, PipelineConfig, Running};
use crate::model::{TargetId, TargetKind};

/// Actions that one function's role must allow on all of these resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The function's program: `deploy`.
    pub program: &'static str,
    /// As IAM writes them.
    pub actions: Vec<&'static str>,
    /// ARNs, or `*`.
    pub resources: Vec<String>,
    /// What the call says beside it: condition key and value.
    pub context: Option<(&'static str, String)>,
}

/// What only AWS knows of a target, and permissions name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// The ARN of the revision that it runs, of a task definition or in its likeness.
    pub revision: String,
    /// The role of a schedule or a rule; a container service's own ARN.
    pub holder: Option<String>,
    /// The cluster that a schedule or a rule runs its task in, by ARN.
    pub cluster: Option<String>,
}

/// Actions on a service that read how it is deployed.
const LOOKS: [&str; 4] = [
    "ecs:DescribeServices",
    "ecs:ListServiceDeployments",
    "ecs:DescribeServiceDeployments",
    "ecs:DescribeServiceRevisions",
];
const TASKS: [&str; 2] = ["ecs:ListTasks", "ecs:DescribeTasks"];
const IMAGES: [&str; 2] = ["ecr:DescribeImages", "ecr:BatchGetImage"];

/// Everything that a release through this pipeline asks of the functions' roles at home.
///
/// `running` is what its targets run with, `named` has those that are there. What is done as a pipeline's
/// `role` is asked of that role, not of these.
pub fn demands(
    config: &PipelineConfig,
    running: &Running,
    named: &BTreeMap<TargetId, Named>,
) -> Vec<Demand> {
    let parameters = Parameters::new(std::slice::from_ref(config), None, running);
    let mut all = Demands(Vec::new());
    all.images(&list(&parameters.repository_arns));
    if config.role.is_some() {
        for program in ["promote", "deploy", "watch"] {
            all.add(program, &["sts:AssumeRole"], &list(&parameters.target_role_arns), None);
        }
        return all.0;
    }
    let targets: Vec<_> = config.target_waves().into_iter().flatten().collect();
    // Where nothing is on ECS the parameters name what stands in for it, and nobody calls it.
    if targets.iter().any(|target| target.kind != TargetKind::Lightsail) {
        all.of_ecs(config, &parameters);
    }
    let services = targets.iter().filter(|target| target.kind == TargetKind::Service);
    all.of_services(&services.filter_map(TargetId::arn).collect::<Vec<_>>());
    for target in &targets {
        all.of_target(target, named.get(target));
    }
    if config.alarms().next().is_some() {
        all.add("watch", &["cloudwatch:DescribeAlarms"], &any(), None);
    }
    all.0
}

fn list(arns: &BTreeSet<String>) -> Vec<String> {
    arns.iter().cloned().collect()
}

/// For actions that know no resource.
fn any() -> Vec<String> {
    vec!["*".to_owned()]
}

struct Demands(Vec<Demand>);

impl Demands {
    /// Each demand once; nothing is asked on nothing.
    fn add(
        &mut self,
        program: &'static str,
        actions: &[&'static str],
        resources: &[String],
        context: Option<(&'static str, &str)>,
    ) {
        if resources.is_empty() {
            return;
        }
        let demand = Demand {
            program,
            actions: actions.to_vec(),
            resources: resources.to_vec(),
            context: context.map(|(key, value)| (key, value.to_owned())),
        };
        if !self.0.contains(&demand) {
            self.0.push(demand);
        }
    }

    fn images(&mut self, repositories: &[String]) {
        let [describe, get] = IMAGES;
        let keeps = [describe, get, "ecr:PutImage", "ecr:GetLifecyclePolicy"];
        self.add("promote", &IMAGES, repositories, None);
        self.add("deploy", &keeps, repositories, None);
    }

    /// What everything that runs tasks in the cluster leads to.
    fn of_ecs(&mut self, config: &PipelineConfig, parameters: &Parameters) {
        let cluster = config.cluster_arn();
        let in_cluster = Some(("ecs:cluster", cluster.as_str()));
        let families = list(&parameters.task_definition_arns);
        let created = Some(("ecs:CreateAction", "RegisterTaskDefinition"));
        let passed = Some(("iam:PassedToService", "ecs-tasks.amazonaws.com"));
        self.add("deploy", &["ecs:DescribeTaskDefinition"], &any(), None);
        self.add("deploy", &["ecs:RegisterTaskDefinition"], &families, None);
        self.add("deploy", &["ecs:TagResource"], &families, created);
        self.add("deploy", &["iam:PassRole"], &list(&parameters.task_role_arns), passed);
        if config.cluster.is_empty() {
            return;
        }
        self.add("deploy", &TASKS, &any(), in_cluster);
        self.add("watch", &TASKS, &any(), in_cluster);
        let of_tasks = config.pre_deploy.iter().map(|task| {
            let PipelineConfig { account, region, .. } = config;
            format!("arn:aws:ecs:{region}:{account}:task-definition/{}:1", task.task_definition)
        });
        self.add("deploy", &["ecs:RunTask"], &of_tasks.collect::<Vec<_>>(), in_cluster);
    }

    fn of_target(&mut self, target: &TargetId, named: Option<&Named>) {
        let arn: Vec<_> = target.arn().into_iter().collect();
        let holder: Vec<_> = named.and_then(|named| named.holder.clone()).into_iter().collect();
        match target.kind {
            TargetKind::Service => {
                let revision = named.map(|named| ("ecs:task-definition", named.revision.as_str()));
                if revision.is_some() {
                    self.add("deploy", &["ecs:UpdateService"], &arn, revision);
                }
            }
            TargetKind::Schedule => {
                let calls = ("scheduler:GetSchedule", "scheduler:UpdateSchedule");
                self.of_scheduled(calls, &arn, &holder, "scheduler.amazonaws.com");
            }
            TargetKind::Rule => {
                let calls = ("events:ListTargetsByRule", "events:PutTargets");
                self.of_scheduled(calls, &arn, &holder, "events.amazonaws.com");
            }
            TargetKind::Lightsail => {
                for program in ["deploy", "watch"] {
                    self.add(program, &["lightsail:GetContainerServices"], &holder, None);
                    let deployments = ["lightsail:GetContainerServiceDeployments"];
                    self.add(program, &deployments, &any(), None);
                }
                let create = ["lightsail:CreateContainerServiceDeployment"];
                self.add("deploy", &create, &holder, None);
            }
            TargetKind::Task => {}
        }
    }

    /// All services at once: `ecs:UpdateService` alone depends on what each of them runs.
    fn of_services(&mut self, arns: &[String]) {
        // Three of these ask for the deployment or the revision as well.
        let of = |kind: &str| -> Vec<String> {
            arns.iter().map(|arn| arn.replace(":service/", &format!(":{kind}/")) + "/1").collect()
        };
        self.add("deploy", &LOOKS, arns, None);
        self.add("deploy", &["ecs:StopServiceDeployment"], arns, None);
        self.add("watch", &LOOKS, arns, None);
        if !arns.is_empty() {
            self.add("watch", &["elasticloadbalancing:DescribeTargetHealth"], &any(), None);
        }
        let (deployments, revisions) = (of("service-deployment"), of("service-revision"));
        for program in ["deploy", "watch"] {
            self.add(program, &["ecs:DescribeServiceDeployments"], &deployments, None);
            self.add(program, &["ecs:DescribeServiceRevisions"], &revisions, None);
        }
        self.add("deploy", &["ecs:StopServiceDeployment"], &deployments, None);
    }

    fn of_scheduled(
        &mut self,
        (reads, writes): (&'static str, &'static str),
        arn: &[String],
        role: &[String],
        service: &str,
    ) {
        self.add("deploy", &[reads, writes], arn, None);
        self.add("deploy", &["iam:PassRole"], role, Some(("iam:PassedToService", service)));
        self.add("watch", &[reads], arn, None);
        // Whose run a task was stands in its definition's tags.
        self.add("watch", &["ecs:DescribeTaskDefinition"], &any(), None);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, target};
    use super::*;
    use crate::config::{Config, Role};

    const ACCOUNT: &str = "arn:aws:iam::123456789012";

    fn demanded(config: &PipelineConfig, named: &BTreeMap<TargetId, Named>) -> Vec<Demand> {
        demands(config, &Running::default(), named)
    }

    fn of<'a>(all: &'a [Demand], program: &str, action: &str) -> Vec<&'a Demand> {
        let asks = |it: &&Demand| it.program == program && it.actions.contains(&action);
        all.iter().filter(asks).collect()
    }

    #[test]
    fn what_is_demanded_is_what_the_config_names() {
        let revision = "arn:aws:ecs:us-west-2:123456789012:task-definition/rag:3".to_owned();
        let named = Named { revision: revision.clone(), ..Named::default() };
        let all = demanded(&config(), &[(target("Rag"), named)].into());
        let update = of(&all, "deploy", "ecs:UpdateService").remove(0);
        assert_eq!(update.resources, ["arn:aws:ecs:us-west-2:123456789012:service/live-crons/Rag"]);
        assert_eq!(update.context, Some(("ecs:task-definition", revision)));
        // Without one-off tasks nobody runs any, and without an alarm nobody listens.
        assert_eq!(of(&all, "deploy", "ecs:RunTask"), Vec::<&Demand>::new());
        assert_eq!(of(&all, "watch", "cloudwatch:DescribeAlarms"), Vec::<&Demand>::new());
    }

    #[test]
    fn schedules_and_container_services_are_asked_for_with_what_they_hold() {
        let config = parsed("schedule: nightly }, { rule: hourly }, { lightsail: apps");
        let ids = config.waves[0].iter().map(|it| config.target_id(&it.name));
        let named = ids.map(|id| {
            let holder = Some(format!("{ACCOUNT}:role/{}", id.name));
            (id, Named { holder, ..Named::default() })
        });
        let all = demanded(&config, &named.collect());
        let passed: Vec<_> = of(&all, "deploy", "iam:PassRole")
            .into_iter()
            .filter(|it| it.context.as_ref().unwrap().1 != "ecs-tasks.amazonaws.com")
            .map(|it| (it.resources[0].as_str(), it.context.as_ref().unwrap().1.as_str()))
            .collect();
        let roles = ["nightly", "hourly"].map(|name| format!("{ACCOUNT}:role/{name}"));
        let [nightly, hourly] = [&*roles[0], &*roles[1]];
        assert_eq!(
            passed,
            [(nightly, "scheduler.amazonaws.com"), (hourly, "events.amazonaws.com")]
        );
        let create = of(&all, "deploy", "lightsail:CreateContainerServiceDeployment").remove(0);
        assert_eq!(create.resources, [format!("{ACCOUNT}:role/apps")]);
        for program in ["deploy", "watch"] {
            assert_eq!(of(&all, program, "lightsail:GetContainerServices").len(), 1);
            assert_eq!(of(&all, program, "lightsail:GetContainerServiceDeployments").len(), 1);
        }
    }

    fn parsed(wave: &str) -> PipelineConfig {
        let text = format!(
            "version: 1\npipelines:\n  apps:\n    images: {{ apps: {{ repository: apps, tag: v1 }} }}\n    \
             cluster: jobs\n    waves: [[{{ {wave} }}]]"
        );
        let config = Config::parse("tidegate.yaml", &text).unwrap();
        config.resolve("123456789012", "us-east-1").unwrap().remove(0)
    }

    #[test]
    fn what_stands_in_for_nothing_is_not_asked_for() {
        for (wave, service) in [("lightsail: apps", "ecs:"), ("schedule: nightly", "none")] {
            let all = demanded(&parsed(wave), &BTreeMap::new());
            let named = |it: &Demand| {
                it.actions.iter().any(|action| action.starts_with(service))
                    || it.resources.iter().any(|arn| arn.contains(service))
            };
            assert!(!all.iter().any(named), "{wave}: {all:#?}");
        }
    }

    #[test]
    fn as_a_role_of_another_account_only_that_role_and_what_is_at_home_is_asked_for() {
        let mut config = config();
        let arn = "arn:aws:iam::another:role/tidegate-target".to_owned();
        config.role = Some(Role { arn: arn.clone(), external_id: None });
        config.account = "another".to_owned();
        let all = demanded(&config, &BTreeMap::new());
        let programs: Vec<_> = all
            .iter()
            .filter(|it| it.actions == ["sts:AssumeRole"])
            .map(|it| (it.program, it.resources[0].as_str()))
            .collect();
        assert_eq!(programs, ["promote", "deploy", "watch"].map(|it| (it, arn.as_str())));
        let others = all.iter().filter(|it| it.actions != ["sts:AssumeRole"]);
        let images = |it: &Demand| it.actions.iter().all(|action| action.starts_with("ecr:"));
        assert!(others.clone().count() == 2 && others.clone().all(images), "{all:?}");
    }
}
