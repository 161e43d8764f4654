//! ECR: which bytes a tag means, whether they are there, and keeping those that a rollback needs.

mod image;
mod keep;
mod selected;

#[cfg(test)]
mod tests;

use std::fmt;

use aws_types::SdkConfig;
use serde_json::{Value, json};
use tidegate_core::config::{ImageConfig, Role};
use tidegate_core::model::ReleaseImage;

use crate::Refusal;
use crate::json::JsonService;
use crate::role::Reach;

pub use image::Listed;
pub use keep::{Kept, LifecyclePolicy};
pub use selected::{Selected, released};

/// ECR, in every region that repositories are in.
#[derive(Debug, Clone)]
pub struct Registry {
    reach: Reach,
    role: Option<Role>,
}

/// One ECR repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    /// The registry's account.
    pub account: String,
    /// Its region.
    pub region: String,
    /// The repository's name.
    pub name: String,
}

impl Repository {
    /// Where an image of a config comes from.
    pub fn of_config(image: &ImageConfig) -> Self {
        Self {
            account: image.registry.account.clone(),
            region: image.registry.region.clone(),
            name: image.repository.clone(),
        }
    }

    /// Where an image named `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME` comes from; `None` where that is
    /// not ECR.
    pub fn of_uri(uri: &str) -> Option<Self> {
        let (host, name) = uri.split_once('/')?;
        let (account, rest) = host.split_once(".dkr.ecr.")?;
        let (region, _) = rest.split_once('.')?;
        let [account, region, name] = [account, region, name].map(str::to_owned);
        Some(Self { account, region, name })
    }

    /// Where the image of a release comes from.
    pub fn of(image: &ReleaseImage) -> Self {
        Self {
            account: image.account.clone(),
            region: image.region.clone(),
            name: image.repository.clone(),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, region, name } = self;
        write!(f, "{name} in {account}/{region}")
    }
}

impl Registry {
    /// ECR, for a pipeline of this role.
    pub fn new(reach: &Reach, role: Option<&Role>) -> Self {
        Self { reach: reach.clone(), role: role.cloned() }
    }

    /// Asks the registry that a repository is in; `input` says what beside which repository. `resource`
    /// is what a refusal names.
    async fn ask(
        &self,
        action: &'static str,
        repository: &Repository,
        resource: &str,
        input: Value,
    ) -> Result<Value, Refusal> {
        self.of(repository).call(action, resource, &about(repository, input)).await
    }

    /// The registry that a repository is in.
    fn of(&self, repository: &Repository) -> JsonService {
        let role = Role::for_registry(self.role.as_ref(), &repository.account);
        service(&self.reach.at(&repository.region, role))
    }
}

fn about(repository: &Repository, mut input: Value) -> Value {
    input["registryId"] = json!(repository.account);
    input["repositoryName"] = json!(repository.name);
    input
}

/// ECR where `config` points. It has no crate here: its own made deploy larger than a program may be
/// (docs/decisions/0005-libraries.md).
pub(crate) fn service(config: &SdkConfig) -> JsonService {
    let (name, target) = ("ecr", "AmazonEC2ContainerRegistry_V20150921");
    JsonService { config: config.clone(), name, target, version: "1.1" }
}
