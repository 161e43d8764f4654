//! Service revisions: a task definition together with the bytes its tags meant.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::names::{ServiceName, digits};
use super::task_definitions::TaskDefinition;
use super::{Ecs, ShownDigest};
use crate::api::{ApiError, Input, epoch, present};
use crate::ecr::{Ecr, Pullable, Reference};

/// What a deployment brings in. It never changes: going back to it means its digests, not its tags.
#[derive(Debug)]
pub(super) struct ServiceRevision {
    pub(super) arn: String,
    service: ServiceName,
    pub(super) task_definition: String,
    images: Vec<Resolved>,
    created_at: Timestamp,
    /// Made before ECS kept service revisions (2024-10-25): nobody can describe it.
    pub(super) forgotten: bool,
}

/// One container's image.
#[derive(Debug)]
struct Resolved {
    container: String,
    image: String,
    /// `None` where nothing was resolved: every task then asks the registry for itself.
    bytes: Option<Pullable>,
}

impl ServiceRevision {
    pub(super) fn is_of(&self, service: &ServiceName) -> bool {
        self.service == *service
    }

    /// The name under which a task of this revision pulls a container's image.
    pub(super) fn pull_name(&self, container: &str, image: &str) -> String {
        let resolved = self.images.iter().find(|one| one.container == container);
        match resolved.and_then(|one| one.bytes.as_ref()) {
            Some(bytes) => Reference::parse(image).pinned(&bytes.digest),
            None => image.to_owned(),
        }
    }
}

impl Ecs {
    /// Makes a service revision and resolves its tags: not where version consistency is disabled, and for
    /// nobody while no task is wanted.
    pub(super) fn make_revision(
        &mut self,
        service: &ServiceName,
        task_definition: &str,
        desired: u32,
        at: Timestamp,
        ecr: &Ecr,
    ) -> String {
        let number = digits(&mut self.dice);
        let arn = self.arn(&format!("service-revision/{service}/{number}"));
        let definition = self.definitions.find(task_definition);
        let plans = definition.map(TaskDefinition::containers);
        let images = plans
            .unwrap_or_default()
            .into_iter()
            .map(|plan| {
                let pinned = plan.image.contains('@');
                let resolves = desired > 0 && (plan.consistent || pinned);
                let bytes = if resolves { self.pull(&plan.image, ecr) } else { None };
                Resolved { container: plan.name, image: plan.image, bytes }
            })
            .collect();
        let revision = ServiceRevision {
            arn: arn.clone(),
            service: service.clone(),
            task_definition: task_definition.to_owned(),
            images,
            created_at: at,
            forgotten: false,
        };
        self.revisions.insert(arn.clone(), revision);
        arn
    }

    /// The digest as `imageDigest` shows it.
    pub(super) fn shown<'a>(&self, bytes: &'a Pullable) -> &'a str {
        match self.switches.image_digest {
            ShownDigest::Index => &bytes.digest,
            ShownDigest::Platform => &bytes.platform_digest,
        }
    }

    pub(super) fn describe_service_revisions(&self, input: Input<'_>) -> Result<Value, ApiError> {
        let (mut revisions, mut failures) = (Vec::new(), Vec::new());
        for arn in input.limited("serviceRevisionArns", 20)?.iter().filter_map(Value::as_str) {
            match self.revisions.get(arn).filter(|revision| !revision.forgotten) {
                Some(revision) => revisions.push(self.revision_view(revision)),
                None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
            }
        }
        Ok(json!({ "serviceRevisions": revisions, "failures": failures }))
    }

    fn revision_view(&self, revision: &ServiceRevision) -> Value {
        let images: Vec<Value> = revision
            .images
            .iter()
            .map(|one| {
                present(json!({
                    "containerName": one.container,
                    "image": one.image,
                    "imageDigest": one.bytes.as_ref().map(|bytes| self.shown(bytes)),
                }))
            })
            .collect();
        let service = self.services.get(&revision.service);
        present(json!({
            "serviceRevisionArn": revision.arn,
            "serviceArn": self.service_arn(&revision.service),
            "clusterArn": self.cluster_arn(&revision.service.cluster),
            "taskDefinition": revision.task_definition,
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "loadBalancers": service.map(|service| &service.load_balancers),
            "containerImages": images,
            "guardDutyEnabled": false,
            "createdAt": epoch(revision.created_at),
        }))
    }
}
