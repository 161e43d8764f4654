//! What the functions may do: exactly what this config asks of them, no guess.

use std::collections::BTreeMap;

use super::{Demand, Hidden, Line, Shown, To, Topic};
use crate::config::{PipelineConfig, Role};

/// An action on a resource.
pub type Denied = (String, String);

/// What was demanded, and what of it a role does not allow.
pub type Answered = Vec<(Demand, Shown<Vec<Denied>>)>;

/// One line for each function that allows everything, or for each action that one does not.
pub(super) fn lines(
    config: &PipelineConfig,
    stack: &str,
    unseen: Option<&Hidden>,
    answered: &Answered,
) -> Vec<Line> {
    let topic = Topic::Permissions;
    if let Some(hidden) = unseen {
        return vec![topic.unknown(stack, hidden)];
    }
    let elsewhere = config.role.as_ref().map(elsewhere);
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
    told.chain(elsewhere).collect()
}

/// What is done in another account is done as a role there, whose own policy decides.
fn elsewhere(role: &Role) -> Line {
    let name = role.arn.rsplit('/').next().unwrap_or(&role.arn);
    let hidden = Hidden {
        action: "iam:SimulatePrincipalPolicy".to_owned(),
        resource: role.arn.clone(),
        words: format!(
            "all that is done in account {} is done as this role, and what it allows was not asked",
            role.account()
        ),
        to: To::Role(role.arn.clone()),
    };
    Topic::Permissions.unknown(name, &hidden)
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
    use crate::verify::State;

    fn demand() -> Demand {
        Demand {
            program: "promote",
            actions: vec!["ecr:DescribeImages"],
            resources: vec!["arn:repository".to_owned()],
            context: None,
        }
    }

    #[test]
    fn what_a_role_refuses_is_told_one_by_one() {
        let demand = demand();
        let well = vec![(demand.clone(), Shown::There(Vec::new()))];
        let line = lines(&config(), "tidegate", None, &well).remove(0);
        assert_eq!((line.state, &*line.subject), (State::Green, "promote"));
        let denied = ("ecr:PutImage".to_owned(), "arn:repository".to_owned());
        let line = lines(&config(), "tidegate", None, &vec![(demand, Shown::There(vec![denied]))])
            .remove(0);
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
            to: To::You,
        };
        let lines = lines(&config(), "tidegate", Some(&hidden), &Vec::new());
        assert_eq!(lines[0].state, State::Unknown);
    }

    #[test]
    fn what_a_role_elsewhere_allows_is_unknown_and_sends_nobody_to_the_readers_policy() {
        let mut config = config();
        let arn = "arn:aws:iam::123456789012:role/tidegate-target".to_owned();
        config.role = Some(Role { arn, external_id: None });
        let lines = lines(&config, "tidegate", None, &vec![(demand(), Shown::There(Vec::new()))]);
        let [home, there] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!((home.state, there.state), (State::Green, State::Unknown));
        assert_eq!(there.subject, "tidegate-target");
        let remedy = there.remedy.as_ref().unwrap();
        assert!(
            remedy.contains("target-role.yaml") && !remedy.contains("ReaderPolicyArn"),
            "{remedy}"
        );
    }
}
