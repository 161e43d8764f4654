//! The template as someli installs it.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its template has failed")]

use std::collections::BTreeMap;

use tidegate_local::api::Place;
use tidegate_local::template::{Function, Stack, Template, TemplateError};

/// The template's text.
pub const TEXT: &str = include_str!("../../template.yaml");

/// What whoever installs it must say.
pub const NAMED: [(&str, &str); 5] = [
    ("ServiceArns", "arn:aws:ecs:us-west-2:123456789012:service/live-crons/Rag"),
    ("TaskDefinitionArns", "arn:aws:ecs:us-west-2:123456789012:task-definition/live-crons-rag:*"),
    ("RepositoryArns", "arn:aws:ecr:us-west-2:123456789012:repository/live_crons"),
    ("TaskRoleArns", "arn:aws:iam::123456789012:role/live-crons-task"),
    ("ClusterArns", "arn:aws:ecs:us-west-2:123456789012:cluster/live-crons"),
];

/// The template with these parameters, and no others.
pub fn deploy<'a>(
    parameters: impl IntoIterator<Item = &'a (&'a str, &'a str)>,
) -> Result<Stack, TemplateError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let parameters: BTreeMap<_, _> = parameters.into_iter().map(owned).collect();
    let place = Place { account: "123456789012".to_owned(), region: "us-west-2".to_owned() };
    Template::parse(TEXT)?.deploy(&parameters, &place)
}

/// The template as installed, with these parameters beside what must be said.
pub fn installed_with(more: &[(&str, &str)]) -> Stack {
    deploy(NAMED.iter().chain(more)).unwrap()
}

/// One of its functions, by its program's name.
pub fn function(program: &str) -> Function {
    let functions = installed_with(&[]).functions().unwrap();
    functions.into_iter().find(|function| function.program == program).unwrap()
}
