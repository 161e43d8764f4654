//! Target health, as the load balancer's API tells it. It has no state of its own: targets are the tasks that ECS runs.
//!
//! Answers have the members of the API; whoever puts them on the wire writes them as XML.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::{ApiError, Input, present};
use crate::ecs::{Ecs, Target, TargetState};

/// Answers one call of the API.
pub fn call(action: &str, input: &Value, ecs: &Ecs, now: Timestamp) -> Result<Value, ApiError> {
    match action {
        "DescribeTargetHealth" => describe_target_health(Input(input), ecs, now),
        other => Err(ApiError::unknown_action("ELBv2", other)),
    }
}

fn describe_target_health(input: Input<'_>, ecs: &Ecs, now: Timestamp) -> Result<Value, ApiError> {
    input.only("DescribeTargetHealth", &["TargetGroupArn"])?;
    let group = input.need("TargetGroupArn")?;
    let targets = ecs.targets(group, now).ok_or_else(|| {
        ApiError::refused("TargetGroupNotFound", format!("Target groups '{group}' not found"))
    })?;
    let descriptions: Vec<Value> = targets.iter().map(description).collect();
    Ok(json!({ "TargetHealthDescriptions": descriptions }))
}

fn description(target: &Target) -> Value {
    let (state, reason, words) = match target.state {
        TargetState::Initial => (
            "initial",
            Some("Elb.InitialHealthChecking"),
            Some("Initial health checks in progress"),
        ),
        TargetState::Healthy => ("healthy", None, None),
        TargetState::Unhealthy => (
            "unhealthy",
            Some("Target.ResponseCodeMismatch"),
            Some("Health checks failed with these codes: [503]"),
        ),
        TargetState::Draining => (
            "draining",
            Some("Target.DeregistrationInProgress"),
            Some("Target deregistration is in progress"),
        ),
    };
    json!({
        "Target": { "Id": target.address, "Port": target.port },
        "HealthCheckPort": target.port.to_string(),
        "TargetHealth": present(json!({ "State": state, "Reason": reason, "Description": words })),
    })
}
