//! What the functions may do: exactly what this config asks of them, no guess.

use std::collections::{BTreeMap, BTreeSet};

use super::{Hidden, Line, Shown, Topic};
use crate::config::{Parameters, PipelineConfig};
use crate::model::TargetKind;

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

/// An action on a resource.
pub type Denied = (String, String);

/// What was demanded, and what of it a role does not allow.
pub type Answered = Vec<(Demand, Shown<Vec<Denied>>)>;

/// Actions that read services and how they are deployed.
const LOOKS: [&str; 4] = [
    "ecs:DescribeServices",
    "ecs:ListServiceDeployments",
    "ecs:DescribeServiceDeployments",
    "ecs:DescribeServiceRevisions",
];

/// Everything that a release through this pipeline asks of the functions' roles.
///
/// `families` has the task definition family of each service, as `….:task-definition/NAME:*`.
pub fn demands(
    config: &PipelineConfig,
    parameters: &Parameters,
    families: &BTreeMap<String, String>,
) -> Vec<Demand> {
    let all = |arns: &BTreeSet<String>| arns.iter().cloned().collect::<Vec<_>>();
    let any = || vec!["*".to_owned()];
    let (services, repositories) =
        (all(&parameters.service_arns), all(&parameters.repository_arns));
    let (families_all, roles) =
        (all(&parameters.task_definition_arns), all(&parameters.task_role_arns));
    let cluster = ("ecs:cluster", config.cluster_arn());
    let demand = |program, actions: &[&'static str], resources, context| Demand {
        program,
        actions: actions.to_vec(),
        resources,
        context,
    };
    let tasks = ["ecs:ListTasks", "ecs:DescribeTasks"];
    let images = ["ecr:DescribeImages", "ecr:BatchGetImage"];
    let keeps = [images[0], images[1], "ecr:PutImage", "ecr:GetLifecyclePolicy"];
    let created = ("ecs:CreateAction", "RegisterTaskDefinition".to_owned());
    let passed = ("iam:PassedToService", "ecs-tasks.amazonaws.com".to_owned());
    let mut found = vec![
        demand("promote", &images, repositories.clone(), None),
        demand("deploy", &keeps, repositories, None),
        demand("deploy", &["ecs:DescribeTaskDefinition"], any(), None),
        demand("deploy", &["ecs:RegisterTaskDefinition"], families_all.clone(), None),
        demand("deploy", &["ecs:TagResource"], families_all, Some(created)),
        demand("deploy", &["iam:PassRole"], roles, Some(passed)),
        demand("deploy", &LOOKS, services.clone(), None),
        demand("deploy", &["ecs:StopServiceDeployment"], services.clone(), None),
        demand("deploy", &tasks, any(), Some(cluster.clone())),
        demand("watch", &LOOKS, services, None),
        demand("watch", &tasks, any(), Some(cluster.clone())),
        demand("watch", &["elasticloadbalancing:DescribeTargetHealth"], any(), None),
        demand("watch", &["cloudwatch:DescribeAlarms"], any(), None),
    ];
    for (service, family) in families {
        let arn = config.service_id(service).arn().into_iter().collect();
        let context = Some(("ecs:task-definition", family.replace(":*", ":1")));
        found.push(demand("deploy", &["ecs:UpdateService"], arn, context));
    }
    for name in config.waves.iter().flatten().map(|target| &target.name) {
        let id = config.target_id(name);
        let (reads, writes): (&[_], &[_]) = match id.kind {
            TargetKind::Schedule => (&["scheduler:GetSchedule"], &["scheduler:UpdateSchedule"]),
            TargetKind::Rule => (&["events:ListTargetsByRule"], &["events:PutTargets"]),
            TargetKind::Service | TargetKind::Task | TargetKind::Lightsail => continue,
        };
        let arn: Vec<_> = id.arn().into_iter().collect();
        found.push(demand("deploy", reads, arn.clone(), None));
        found.push(demand("deploy", writes, arn.clone(), None));
        found.push(demand("watch", reads, arn, None));
    }
    let of_tasks = config.pre_deploy.iter().map(|task| {
        let PipelineConfig { account, region, .. } = config;
        format!("arn:aws:ecs:{region}:{account}:task-definition/{}:1", task.task_definition)
    });
    found.push(demand("deploy", &["ecs:RunTask"], of_tasks.collect(), Some(cluster)));
    let on_ecs = !config.cluster.is_empty();
    let of_ecs = |action: &&str| action.starts_with("ecs:") || action.starts_with("iam:");
    found.retain(|demand| on_ecs || !demand.actions.iter().any(of_ecs));
    found.retain(|demand| !demand.resources.is_empty());
    found
}

/// One line for each function that allows everything, or for each action that one does not.
pub(super) fn lines(stack: &str, unseen: Option<&Hidden>, answered: &Answered) -> Vec<Line> {
    let topic = Topic::Permissions;
    if let Some(hidden) = unseen {
        return vec![topic.unknown(stack, hidden)];
    }
    let mut programs: BTreeMap<&str, Vec<Line>> = BTreeMap::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (demand, shown) in answered {
        let program = demand.program;
        let lines = programs.entry(program).or_default();
        *counts.entry(program).or_default() += demand.actions.len() * demand.resources.len();
        match shown {
            Shown::There(denied) => {
                lines.extend(denied.iter().map(|denied| refused(program, denied)));
            }
            Shown::Missing => lines.push(topic.failed(
                program,
                "its role is not there",
                format!("Deploy the stack {stack} again: `sam deploy`"),
            )),
            // One refusal stands for all of them.
            Shown::Hidden(hidden) => lines.push(topic.unknown(program, hidden)),
        }
    }
    let told = programs.into_iter().flat_map(|(program, mut lines)| {
        lines.dedup();
        if lines.is_empty() {
            let said = format!("may do all {} things that this config asks", counts[program]);
            lines.push(topic.green(program, said));
        }
        lines
    });
    told.collect()
}

fn refused(program: &str, (action, resource): &Denied) -> Line {
    Topic::Permissions.failed(
        program,
        format!("it may not {action} on {resource}"),
        "Compare the stack's parameters with what `tidegate config check --live --iam` prints, and \
         deploy it again: `sam deploy`",
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::config;
    use super::*;
    use crate::config::Running;
    use crate::verify::State;

    fn demanded() -> Vec<Demand> {
        let running = Running::default();
        let parameters = Parameters::new(&[config()], None, &running);
        let family = "arn:aws:ecs:us-west-2:123456789012:task-definition/rag:*".to_owned();
        demands(&config(), &parameters, &[("Rag".to_owned(), family)].into())
    }

    #[test]
    fn what_is_demanded_is_what_the_config_names() {
        let demanded = demanded();
        let update = demanded.iter().find(|it| it.actions == ["ecs:UpdateService"]).unwrap();
        assert_eq!(update.resources, ["arn:aws:ecs:us-west-2:123456789012:service/live-crons/Rag"]);
        let revision = "arn:aws:ecs:us-west-2:123456789012:task-definition/rag:1".to_owned();
        assert_eq!(update.context, Some(("ecs:task-definition", revision)));
        // Without one-off tasks nobody runs any.
        assert!(demanded.iter().all(|it| it.actions != ["ecs:RunTask"]));
    }

    #[test]
    fn what_a_role_refuses_is_told_one_by_one() {
        let demand = demanded().remove(0);
        let well = vec![(demand.clone(), Shown::There(Vec::new()))];
        let line = lines("tidegate", None, &well).remove(0);
        assert_eq!((line.state, &*line.subject), (State::Green, "promote"));
        let denied = ("ecr:PutImage".to_owned(), "arn:repository".to_owned());
        let line = lines("tidegate", None, &vec![(demand, Shown::There(vec![denied]))]).remove(0);
        assert_eq!(line.state, State::Failed);
        assert_eq!(line.said, "it may not ecr:PutImage on arn:repository");
        assert!(line.remedy.unwrap().contains("`tidegate config check --live --iam`"));
    }

    #[test]
    fn without_the_stack_it_is_unknown() {
        let hidden = Hidden {
            action: "cloudformation:DescribeStackResources".to_owned(),
            resource: "tidegate".to_owned(),
            words: "not authorized".to_owned(),
            is_denied: true,
        };
        let lines = lines("tidegate", Some(&hidden), &Vec::new());
        assert_eq!(lines[0].state, State::Unknown);
    }
}
