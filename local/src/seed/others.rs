//! What is no ECS service: schedules and rules that run a task, and Lightsail container services.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tidegate_core::config::{PipelineConfig, TargetConfig};
use tidegate_core::model::TargetKind;

use super::definition::{images_of, network, schedule_cluster, schedule_role, task_definition};
use super::images::reference;
use crate::api::{ApiError, Place};
use crate::cloud::Cloud;

/// A schedule or a rule of a task that runs every five minutes, beside the pipeline's services.
pub(super) fn scheduled(
    cloud: &mut Cloud,
    pipeline: &PipelineConfig,
    target: &TargetConfig,
    now: Timestamp,
) -> Result<(), ApiError> {
    let place = Place::of(pipeline);
    let cluster = schedule_cluster(pipeline);
    let named = json!({ "clusterName": cluster });
    cloud.ecs.call("CreateCluster", &named, now, &cloud.ecr)?;
    let definition = task_definition(pipeline, target);
    let revision = cloud.ecs.seed_definition(&definition, now)?;
    let id = pipeline.target_id(&target.name);
    let vpc = network();
    let vpc = &vpc["awsvpcConfiguration"];
    let task = json!({
        "TaskDefinitionArn": revision,
        "TaskCount": 1,
        "LaunchType": "FARGATE",
        "NetworkConfiguration": { "awsvpcConfiguration": {
            "Subnets": vpc["subnets"],
            "SecurityGroups": vpc["securityGroups"],
            "AssignPublicIp": vpc["assignPublicIp"],
        } },
    });
    let input = json!({ "containerOverrides": [] }).to_string();
    let mut run = json!({
        "Arn": place.arn("ecs", &format!("cluster/{cluster}")),
        "RoleArn": schedule_role(pipeline),
        "EcsParameters": task,
        "Input": input,
    });
    if id.kind == TargetKind::Rule {
        run["Id"] = json!("task");
        let rule = json!({ "Name": id.name, "ScheduleExpression": "rate(5 minutes)" });
        cloud.scheduled.call_events("PutRule", &rule, now)?;
        let targets = json!({ "Rule": id.name, "Targets": [run] });
        cloud.scheduled.call_events("PutTargets", &targets, now)?;
    } else {
        let schedule = json!({
            "Name": id.name,
            "GroupName": id.within,
            "Description": "as its owner made it",
            "FlexibleTimeWindow": { "Mode": "OFF" },
            "ScheduleExpression": "rate(5 minutes)",
            "Target": run,
        });
        cloud.scheduled.call_scheduler("CreateSchedule", &schedule, now)?;
    }
    Ok(())
}

/// A container service that runs the pipeline's images beside a sidecar from elsewhere.
pub(super) fn container_service(
    cloud: &mut Cloud,
    pipeline: &PipelineConfig,
    target: &TargetConfig,
    name: &str,
    now: Timestamp,
) {
    let stated = |image: String| {
        json!({ "image": image, "environment": { "SECRET": "plain text, as Lightsail has it" },
                "ports": { "8080": "HTTP" } })
    };
    let images = images_of(pipeline, target).into_iter();
    let mut containers: Map<String, Value> =
        images.map(|(name, image)| (name.clone(), stated(reference(image)))).collect();
    let first = containers.keys().next().cloned();
    containers.insert("sidecar".to_owned(), stated("docker.io/library/redis:7".to_owned()));
    let endpoint = json!({ "containerName": first, "containerPort": 8080,
        "healthCheck": { "path": "/" } });
    cloud.lightsail.seed(name, containers, endpoint, now);
}
