//! The names of things in ECS, short and as ARNs.

use std::fmt;

use fastrand::Rng;

use super::Ecs;
use crate::api::{ApiError, Input};

/// A service: its cluster and its own name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceName {
    /// The cluster's short name.
    pub cluster: String,
    /// The service's short name.
    pub service: String,
}

impl ServiceName {
    /// A name from its two parts.
    pub fn new(cluster: &str, service: &str) -> Self {
        Self { cluster: cluster.to_owned(), service: service.to_owned() }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.cluster, self.service)
    }
}

/// The last part of an ARN, or the name itself.
pub(super) fn short(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// Nineteen digits, as ECS numbers deployments and service revisions.
pub(super) fn digits(dice: &mut Rng) -> u64 {
    dice.u64(1_000_000_000_000_000_000..=9_999_999_999_999_999_999)
}

impl Ecs {
    pub(super) fn arn(&self, resource: &str) -> String {
        self.place.arn("ecs", resource)
    }

    pub(super) fn cluster_arn(&self, cluster: &str) -> String {
        self.arn(&format!("cluster/{cluster}"))
    }

    pub(super) fn service_arn(&self, name: &ServiceName) -> String {
        self.arn(&format!("service/{name}"))
    }

    /// The cluster a call names; without one it is `default`, as in AWS.
    pub(super) fn cluster_named(&self, input: Input<'_>) -> Result<String, ApiError> {
        let cluster = short(input.text("cluster").unwrap_or("default"));
        if self.clusters.contains_key(cluster) {
            return Ok(cluster.to_owned());
        }
        Err(ApiError::refused("ClusterNotFoundException", "Cluster not found."))
    }

    /// The existing service that `reference` (a name or an ARN) means in a cluster.
    pub(super) fn service_named(&self, cluster: &str, reference: &str) -> Option<ServiceName> {
        let name = ServiceName::new(cluster, short(reference));
        let is_arn = reference.starts_with("arn:");
        if is_arn && reference != self.service_arn(&name) {
            return None;
        }
        self.services.contains_key(&name).then_some(name)
    }
}
