//! Clusters: names that services live under.

use serde_json::{Value, json};

use super::Ecs;
use super::names::short;
use crate::api::{ApiError, Input, present};

/// A cluster. It has no hosts: tasks run on Fargate, which never runs out of them unless told to.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    tags: Vec<Value>,
}

impl Ecs {
    /// Creating a cluster that exists answers with it, as in AWS.
    pub(super) fn create_cluster(&mut self, input: Input<'_>) -> Value {
        let name = input.text("clusterName").unwrap_or("default").to_owned();
        let cluster = self.clusters.entry(name.clone()).or_default();
        cluster.tags = input.list("tags").to_vec();
        json!({ "cluster": self.cluster_view(&name) })
    }

    pub(super) fn describe_clusters(&self, input: Input<'_>) -> Value {
        let asked = match input.texts("clusters") {
            asked if asked.is_empty() => vec!["default"],
            asked => asked,
        };
        let (known, unknown): (Vec<&str>, Vec<&str>) =
            asked.into_iter().map(short).partition(|name| self.clusters.contains_key(*name));
        let clusters: Vec<Value> = known.into_iter().map(|name| self.cluster_view(name)).collect();
        let failures: Vec<Value> = unknown
            .into_iter()
            .map(|name| json!({ "arn": self.cluster_arn(name), "reason": "MISSING" }))
            .collect();
        json!({ "clusters": clusters, "failures": failures })
    }

    pub(super) fn list_clusters(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let all = self.clusters.keys().map(|name| self.cluster_arn(name)).collect();
        let (arns, next) = input.page(all, 100)?;
        Ok(present(json!({ "clusterArns": arns, "nextToken": next })))
    }

    fn cluster_view(&self, name: &str) -> Value {
        let tags = self.clusters.get(name).map(|cluster| cluster.tags.clone()).unwrap_or_default();
        let services = self.services.keys().filter(|service| service.cluster == name);
        let tasks = || self.tasks.in_cluster(name);
        json!({
            "clusterArn": self.cluster_arn(name),
            "clusterName": name,
            "status": "ACTIVE",
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": tasks().filter(|task| task.is_running()).count(),
            "pendingTasksCount": tasks().filter(|task| task.is_starting()).count(),
            "activeServicesCount": services.count(),
            "statistics": [], "settings": [], "capacityProviders": [],
            "defaultCapacityProviderStrategy": [],
            "tags": tags,
        })
    }
}
