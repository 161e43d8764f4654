//! What ECS tells the bus.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Ecs;
use super::names::ServiceName;
use crate::api::{BusEvent, Detail, iso, present, uuid};

impl Ecs {
    /// A task changed: its version rises, and the bus hears of it.
    pub(super) fn task_event(&mut self, arn: &str, at: Timestamp) {
        let Some(task) = self.tasks.get_mut(arn) else { return };
        task.version += 1;
        let Some(task) = self.tasks.get(arn) else { return };
        let mut detail = self.task_view(task, iso);
        detail["updatedAt"] = iso(at);
        self.tell("ECS Task State Change", vec![arn.to_owned()], detail, at);
    }

    pub(super) fn deployment_event(
        &mut self,
        name: &ServiceName,
        kind: &str,
        event: &str,
        deployment: &str,
        reason: &str,
        at: Timestamp,
    ) {
        let detail = json!({
            "eventType": kind,
            "eventName": event,
            "deploymentId": deployment,
            "updatedAt": iso(at),
            "reason": reason,
        });
        let service = self.service_arn(name);
        self.tell("ECS Deployment State Change", vec![service], detail, at);
    }

    pub(super) fn service_action(
        &mut self,
        name: &ServiceName,
        kind: &str,
        event: &str,
        reason: Option<&str>,
        at: Timestamp,
    ) {
        let detail = present(json!({
            "eventType": kind,
            "eventName": event,
            "clusterArn": self.cluster_arn(&name.cluster),
            "createdAt": iso(at),
            "reason": reason,
        }));
        let service = self.service_arn(name);
        self.tell("ECS Service Action", vec![service], detail, at);
    }

    pub(super) fn placement_event(&mut self, name: &ServiceName, at: Timestamp) {
        let (event, reason) = ("SERVICE_TASK_PLACEMENT_FAILURE", Some("RESOURCE:FARGATE"));
        self.service_action(name, "ERROR", event, reason, at);
    }

    fn tell(&mut self, kind: &str, resources: Vec<String>, detail: Value, at: Timestamp) {
        let detail = Detail { id: uuid(&mut self.dice), resources, detail };
        self.bus.push(BusEvent::new(&self.place, "aws.ecs", kind, at, detail));
    }
}
