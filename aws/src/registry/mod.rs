//! ECR: which bytes a tag means, whether they are there, and keeping those that a rollback needs.

mod image;
mod keep;
mod selected;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecr::Client;
use aws_types::SdkConfig;
use tidegate_core::config::ImageConfig;
use tidegate_core::model::ReleaseImage;

use crate::sdk::in_region;

pub use image::Listed;
pub use keep::{Kept, LifecyclePolicy};
pub use selected::{Selected, released};

/// ECR, in every region that repositories are in.
#[derive(Debug, Clone)]
pub struct Registry {
    config: SdkConfig,
    clients: Arc<Mutex<BTreeMap<String, Client>>>,
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
    /// ECR, asked as `config` asks.
    pub fn new(config: &SdkConfig) -> Self {
        Self { config: config.clone(), clients: Arc::default() }
    }

    /// The client of the repository's region, made at its first use.
    fn client(&self, repository: &Repository) -> Client {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients
            .entry(repository.region.clone())
            .or_insert_with(|| Client::new(&in_region(&self.config, &repository.region)))
            .clone()
    }
}
