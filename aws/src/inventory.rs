//! What there is in an account: for an operator's checks. No function ever asks.

use std::collections::BTreeSet;

use aws_types::SdkConfig;
use serde_json::{Value, json};

use crate::json::JsonService;
use crate::{Refusal, registry};

/// The most names that a page of these lists holds.
const PAGE: i32 = 100;

/// What there is in one region.
#[derive(Debug, Clone)]
pub struct Inventory {
    region: String,
    ecs: aws_sdk_ecs::Client,
    ecr: JsonService,
}

impl Inventory {
    /// The inventory of `region`, where `config` points.
    pub fn new(config: &SdkConfig, region: &str) -> Self {
        Self {
            region: region.to_owned(),
            ecs: aws_sdk_ecs::Client::new(config),
            ecr: registry::service(config),
        }
    }

    /// The names of all ECS clusters.
    pub async fn clusters(&self) -> Result<BTreeSet<String>, Refusal> {
        let mut pages = self.ecs.list_clusters().into_paginator().page_size(PAGE).send();
        let mut names = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(Refusal::of("ecs:ListClusters", &self.region))?;
            names.extend(page.cluster_arns().iter().map(|arn| name(arn)));
        }
        Ok(names)
    }

    /// The names of all services of a cluster.
    pub async fn services(&self, cluster: &str) -> Result<BTreeSet<String>, Refusal> {
        let list = self.ecs.list_services().cluster(cluster);
        let mut pages = list.into_paginator().page_size(PAGE).send();
        let mut names = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(Refusal::of("ecs:ListServices", cluster))?;
            names.extend(page.service_arns().iter().map(|arn| name(arn)));
        }
        Ok(names)
    }

    /// The names of all repositories in the registry of `account`.
    pub async fn repositories(&self, account: &str) -> Result<BTreeSet<String>, Refusal> {
        let input = json!({ "registryId": account, "maxResults": PAGE });
        let mut names = BTreeSet::new();
        let read = |page: &Value| {
            let found = page["repositories"].as_array().into_iter().flatten();
            let found = found.filter_map(|repository| repository["repositoryName"].as_str());
            names.extend(found.map(str::to_owned));
        };
        self.ecr.pages("ecr:DescribeRepositories", account, "nextToken", input, read).await?;
        Ok(names)
    }
}

/// The last part of an ARN: a cluster's or a service's name, in the old and the new form.
fn name(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}
