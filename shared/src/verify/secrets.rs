//! Secrets and parameters that task definitions name. Their values are not for us.

use std::collections::{BTreeMap, BTreeSet};

use super::{Line, Needs, Parameter, Shown, Topic, list};
use crate::model::TargetId;

/// A secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// It is marked for deletion: nobody can read it.
    pub is_deleted: bool,
    /// Some version is the current one.
    pub has_value: bool,
}

/// One line for each secret and parameter.
pub(super) fn lines(
    needs: &Needs,
    secrets: &BTreeMap<String, Shown<Secret>>,
    parameters: &BTreeMap<Parameter, Shown<()>>,
) -> Vec<Line> {
    let secrets =
        needs.secrets.iter().filter_map(|(arn, users)| Some(secret(arn, users, secrets.get(arn)?)));
    let parameters = needs
        .parameters
        .iter()
        .filter_map(|(key, users)| Some(parameter(key, users, parameters.get(key)?)));
    secrets.chain(parameters).collect()
}

fn secret(arn: &str, users: &BTreeSet<TargetId>, shown: &Shown<Secret>) -> Line {
    // arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-RANDOM
    let (topic, name) = (Topic::Secrets, arn.rsplit(':').next().unwrap_or(arn));
    let waits = format!("no new task of {} can start", list(users));
    match shown {
        Shown::There(Secret { is_deleted: true, .. }) => topic.failed(
            name,
            format!("it is marked for deletion: {waits}"),
            format!("`aws secretsmanager restore-secret --secret-id {arn}` brings it back"),
        ),
        Shown::There(Secret { has_value: false, .. }) => topic.failed(
            name,
            format!("it has no value: {waits}"),
            format!("`aws secretsmanager put-secret-value --secret-id {arn}` gives it one"),
        ),
        Shown::There(_) => topic.green(name, format!("is there, for {}", list(users))),
        Shown::Missing => topic.failed(
            name,
            format!("it is not there: {waits}"),
            "Create it anew and put its ARN into the task definitions: the six letters at its end \
             change",
        ),
        Shown::Hidden(hidden) => topic.unknown(name, hidden),
    }
}

fn parameter(key: &Parameter, users: &BTreeSet<TargetId>, shown: &Shown<()>) -> Line {
    let (topic, Parameter { account: _, region, name }) = (Topic::Secrets, key);
    match shown {
        Shown::There(()) => topic.green(name, format!("is there, for {}", list(users))),
        Shown::Missing => topic.failed(
            name,
            format!("no such parameter is in {region}: no new task of {} can start", list(users)),
            format!("`aws ssm put-parameter --region {region} --name {name}` makes it"),
        ),
        Shown::Hidden(hidden) => topic.unknown(name, hidden),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::target;
    use super::*;
    use crate::verify::State;

    const ARN: &str = "arn:aws:secretsmanager:us-west-2:123456789012:secret:config-AbCdEf";

    fn told(shown: &Shown<Secret>) -> Line {
        secret(ARN, &BTreeSet::from([target("Rag")]), shown)
    }

    #[test]
    fn a_secret_that_cannot_be_read_by_a_task_fails_with_what_brings_it_back() {
        let well = Secret { is_deleted: false, has_value: true };
        assert_eq!(told(&Shown::There(well.clone())).said, "is there, for Rag");
        let deleted = told(&Shown::There(Secret { is_deleted: true, ..well.clone() }));
        assert_eq!(deleted.state, State::Failed);
        assert!(deleted.remedy.unwrap().contains("restore-secret"));
        let empty = told(&Shown::There(Secret { has_value: false, ..well }));
        assert!(empty.remedy.unwrap().contains("put-secret-value"));
        let gone = told(&Shown::Missing);
        assert_eq!(gone.subject, "config-AbCdEf");
        assert!(gone.said.ends_with("no new task of Rag can start"), "{}", gone.said);
        assert!(gone.remedy.unwrap().contains("six letters"));
    }

    #[test]
    fn a_parameter_that_is_not_there_is_made_where_it_is_looked_for() {
        let key = Parameter {
            account: "123456789012".to_owned(),
            region: "us-west-2".to_owned(),
            name: "/api/token".to_owned(),
        };
        let users = BTreeSet::from([target("Rag")]);
        let gone = parameter(&key, &users, &Shown::Missing);
        assert_eq!(gone.state, State::Failed);
        assert!(gone.remedy.unwrap().contains("--region us-west-2 --name /api/token"));
        assert_eq!(parameter(&key, &users, &Shown::There(())).state, State::Green);
    }
}
