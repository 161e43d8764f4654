//! The policies of repositories that other accounts read, as docs/adopting.md has them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;
use tidegate_core::config::{PipelineConfig, Role};

use crate::api::{ApiError, Place};
use crate::cloud::Cloud;

/// What promote and deploy ask, and what a task's pull needs.
const READS: [&str; 3] = ["ecr:DescribeImages", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/// Lets in whoever reads a repository of another account.
pub(super) fn lend(
    cloud: &mut Cloud,
    pipelines: &[PipelineConfig],
    now: Timestamp,
) -> Result<(), ApiError> {
    for ((account, region, repository), readers) in readers(pipelines, &cloud.place.account) {
        let readers: Vec<_> = readers.iter().map(|it| format!("arn:aws:iam::{it}:root")).collect();
        let policy = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "AWS": readers }, "Action": READS },
        ] });
        let set = json!({ "repositoryName": repository, "policyText": policy.to_string() });
        cloud.ecr.at(&Place::new(account, region)).call("SetRepositoryPolicy", &set, now)?;
    }
    Ok(())
}

/// The other accounts that read each repository (account, region, name): the cluster's, whose tasks pull;
/// and home's, unless the pipeline's role reads it.
fn readers<'p>(
    pipelines: &'p [PipelineConfig],
    home: &'p str,
) -> BTreeMap<(&'p str, &'p str, &'p str), BTreeSet<&'p str>> {
    let mut readers: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for pipeline in pipelines {
        for image in pipeline.images.values() {
            let owner = &*image.registry.account;
            let role = Role::for_registry(pipeline.role.as_ref(), owner);
            let asks = role.is_none().then_some(home);
            let others = asks.into_iter().chain([&*pipeline.account]).filter(|it| *it != owner);
            let repository = (owner, &*image.registry.region, &*image.repository);
            for other in others {
                readers.entry(repository).or_default().insert(other);
            }
        }
    }
    readers
}
