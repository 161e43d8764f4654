//! Service deployments and service revisions: how native strategies are judged, and what digests
//! ECS resolved.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{
    ServiceDeployment as SdkServiceDeployment, ServiceDeploymentStatus as SdkStatus,
};
use tidegate_core::sighting::{ServiceDeployment, ServiceDeploymentStatus, Strategy};

use super::{ContainerImage, Ecs, Look, Seen, in_cluster};
use crate::Refusal;
use crate::moment::timestamp;

/// `DescribeServiceDeployments` and `DescribeServiceRevisions` take no more ARNs than this.
const ARNS_A_CALL: usize = 20;
/// The most that a page of `ListServiceDeployments` holds: 90 days of most services.
const PAGE: i32 = 100;

/// A service's configuration at one time, with the digests that ECS resolved for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRevision {
    /// The task definition's ARN.
    pub task_definition: String,
    /// What its containers run.
    pub containers: Vec<ContainerImage>,
}

impl Ecs {
    /// Service revisions by ARN; one that ECS does not know is absent.
    pub async fn service_revisions(
        &self,
        arns: &[String],
    ) -> Result<BTreeMap<String, ServiceRevision>, Refusal> {
        let mut all = BTreeMap::new();
        for chunk in arns.chunks(ARNS_A_CALL) {
            let answer = self
                .client
                .describe_service_revisions()
                .set_service_revision_arns(Some(chunk.to_vec()))
                .send()
                .await
                .map_err(Refusal::of("ecs:DescribeServiceRevisions", chunk.join(", ")))?;
            for revision in answer.service_revisions() {
                let containers = revision.container_images().iter().map(|image| {
                    ContainerImage::new(image.container_name(), image.image(), image.image_digest())
                });
                let found = ServiceRevision {
                    task_definition: revision.task_definition().unwrap_or_default().to_owned(),
                    containers: containers.collect(),
                };
                all.insert(revision.service_revision_arn().unwrap_or_default().to_owned(), found);
            }
        }
        Ok(all)
    }

    /// Adds the newest service deployment to each native service; one that never had any keeps
    /// `None`. Without it such a service cannot be judged, so a refusal takes its sighting.
    pub(super) async fn add_service_deployments(&self, cluster: &str, look: &mut Look) {
        let native = |seen: &Seen| seen.sighting.strategy == Strategy::Native;
        let mut newest = BTreeMap::new();
        for (service, found) in &mut *look {
            if !matches!(found, Ok(Some(seen)) if native(seen)) {
                continue;
            }
            match self.newest_service_deployment(cluster, service).await {
                Ok(Some(arn)) => _ = newest.insert(arn, service.clone()),
                Ok(None) => {}
                Err(refusal) => *found = Err(refusal),
            }
        }
        let arns: Vec<_> = newest.keys().cloned().collect();
        let told = self.told_of(&arns).await;
        for (arn, service) in newest {
            let told = match &told {
                Ok(told) => told.get(&arn).cloned().ok_or_else(|| {
                    Refusal::broken("ecs:DescribeServiceDeployments", &arn, "service deployment")
                }),
                Err(refusal) => Err(refusal.clone()),
            };
            let Some(found) = look.get_mut(&service) else { continue };
            match (told, &mut *found) {
                (Ok(told), Ok(Some(seen))) => seen.sighting.service_deployment = Some(told),
                (Ok(_), _) => {}
                (Err(refusal), _) => *found = Err(refusal),
            }
        }
    }

    /// Service deployments by ARN, each with the revision it brings.
    async fn told_of(
        &self,
        arns: &[String],
    ) -> Result<BTreeMap<String, ServiceDeployment>, Refusal> {
        let found = self.service_deployments(arns).await?;
        let revisions: Vec<_> = found.iter().filter_map(target).map(str::to_owned).collect();
        let revisions = self.service_revisions(&revisions).await?;
        let told = found.iter().map(|deployment| {
            let arn = deployment.service_deployment_arn().unwrap_or_default().to_owned();
            let revision = target(deployment).and_then(|arn| revisions.get(arn));
            let told = ServiceDeployment {
                arn: arn.clone(),
                status: status(deployment.status()),
                reason: deployment.status_reason().unwrap_or_default().to_owned(),
                revision: revision.map(|revision| revision.task_definition.clone()),
                stage: deployment.lifecycle_stage().map(|stage| stage.as_str().to_owned()),
                created_at: timestamp(deployment.created_at()),
            };
            (arn, told)
        });
        let mut all = BTreeMap::new();
        all.extend(told);
        Ok(all)
    }

    async fn newest_service_deployment(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Option<String>, Refusal> {
        let mut newest = None;
        let mut next = None;
        loop {
            let page = self
                .client
                .list_service_deployments()
                .cluster(cluster)
                .service(service)
                .max_results(PAGE)
                .set_next_token(next)
                .send()
                .await
                .map_err(Refusal::of("ecs:ListServiceDeployments", in_cluster(cluster, service)))?;
            // No order is promised, within a page or from page to page.
            for listed in page.service_deployments() {
                let arn = listed.service_deployment_arn().map(str::to_owned);
                newest = newest.max(Some((timestamp(listed.created_at()), arn)));
            }
            next = page.next_token;
            if next.is_none() {
                return Ok(newest.and_then(|(_, arn)| arn));
            }
        }
    }

    async fn service_deployments(
        &self,
        arns: &[String],
    ) -> Result<Vec<SdkServiceDeployment>, Refusal> {
        let mut all = Vec::new();
        for chunk in arns.chunks(ARNS_A_CALL) {
            let answer = self
                .client
                .describe_service_deployments()
                .set_service_deployment_arns(Some(chunk.to_vec()))
                .send()
                .await
                .map_err(Refusal::of("ecs:DescribeServiceDeployments", chunk.join(", ")))?;
            all.extend(answer.service_deployments.unwrap_or_default());
        }
        Ok(all)
    }
}

fn target(deployment: &SdkServiceDeployment) -> Option<&str> {
    deployment.target_service_revision()?.arn()
}

fn status(status: Option<&SdkStatus>) -> ServiceDeploymentStatus {
    match status {
        Some(SdkStatus::Pending) => ServiceDeploymentStatus::Pending,
        Some(SdkStatus::Stopped) => ServiceDeploymentStatus::Stopped,
        Some(SdkStatus::StopRequested) => ServiceDeploymentStatus::StopRequested,
        Some(SdkStatus::Successful) => ServiceDeploymentStatus::Successful,
        Some(SdkStatus::RollbackRequested) => ServiceDeploymentStatus::RollbackRequested,
        Some(SdkStatus::RollbackInProgress) => ServiceDeploymentStatus::RollbackInProgress,
        Some(SdkStatus::RollbackSuccessful) => ServiceDeploymentStatus::RollbackSuccessful,
        Some(SdkStatus::RollbackFailed) => ServiceDeploymentStatus::RollbackFailed,
        // A status newer than we are is not an end we know: the deadline judges.
        _ => ServiceDeploymentStatus::InProgress,
    }
}
