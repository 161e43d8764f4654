//! Repository policies: whom beside its own account a repository lets in.

use serde_json::{Value, json};

use super::{Ecr, Reference, Repository};
use crate::api::{ApiError, Input};
use crate::iam::{Demand, Policy};

/// What a pull needs of the repository. The token is the puller's own affair.
const PULL: [&str; 2] = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/// A repository's policy, as text and as statements.
#[derive(Debug)]
pub(super) struct Access {
    text: String,
    statements: Vec<Value>,
}

impl Access {
    fn read(text: &str) -> Result<Self, String> {
        let policy: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let statements = Input(&policy).list("Statement").to_vec();
        if statements.is_empty() {
            return Err("a policy has a list of statements".to_owned());
        }
        // What is not modelled is refused when it is set.
        Policy::parse(&statements.iter().collect::<Vec<_>>()).map_err(|why| why.to_string())?;
        Ok(Self { text: text.to_owned(), statements })
    }
}

impl Repository {
    /// Whether its policy allows `action` to `who` (an ARN), of another account.
    fn lets(&self, who: &str, action: &str) -> bool {
        let statements: Vec<&Value> =
            self.access.iter().flat_map(|access| &access.statements).collect();
        // Such a policy names no resource: it is about the repository that it stands at.
        let demand = Demand::new(action, "*");
        Policy::of_resource(&statements, who).is_ok_and(|policy| policy.allows(&demand))
    }
}

impl Ecr {
    /// Whether a repository here allows `action` to `who` (an ARN), of another account. One that is not
    /// there refuses nobody, for the answer says that it is missing; but nobody else makes it.
    pub fn lets(&self, who: &str, action: &str, repository: &str) -> bool {
        match self.repositories.get(repository) {
            Some(repository) => repository.lets(who, action),
            None => action != "ecr:CreateRepository",
        }
    }

    /// Whether tasks of `account` may pull `image`. The local AWS asks for their account alone, not for
    /// the execution role.
    pub fn lets_pull(&self, account: &str, image: &str) -> bool {
        let reference = Reference::parse(image);
        let mut named = self.registries().filter(|it| reference.host == Some(it.place.registry()));
        let tasks = format!("arn:aws:iam::{account}:root");
        named.all(|registry| {
            let own = registry.place.account == account;
            own || PULL.iter().all(|action| registry.lets(&tasks, action, &reference.repository))
        })
    }

    pub(super) fn get_repository_policy(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let repository = self.find(input)?;
        let access = repository.access.as_ref().ok_or_else(|| self.no_policy(repository))?;
        Ok(self.policy(&repository.name, &access.text))
    }

    pub(super) fn set_repository_policy(&mut self, input: Input<'_>) -> Result<Value, ApiError> {
        let text = input.need("policyText")?;
        let access = Access::read(text).map_err(|why| {
            ApiError::refused(
                "InvalidParameterException",
                format!("Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided': {why}"),
            )
        })?;
        let repository = self.find_mut(input)?;
        repository.access = Some(access);
        let name = repository.name.clone();
        Ok(self.policy(&name, text))
    }

    pub(super) fn delete_repository_policy(&mut self, input: Input<'_>) -> Result<Value, ApiError> {
        let answer = self.get_repository_policy(input)?;
        self.find_mut(input)?.access = None;
        Ok(answer)
    }

    fn policy(&self, repository: &str, text: &str) -> Value {
        json!({
            "registryId": self.place.account,
            "repositoryName": repository,
            "policyText": text,
        })
    }

    fn no_policy(&self, repository: &Repository) -> ApiError {
        ApiError::refused(
            "RepositoryPolicyNotFoundException",
            format!(
                "Repository policy does not exist for the repository with name '{}' in the registry \
                 with id '{}'",
                repository.name, self.place.account
            ),
        )
    }
}
