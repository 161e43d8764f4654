//! ECS's request rates: token buckets, shared by the actions of a row.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::api::ApiError;

/// The published burst and sustained rate per second of the row an action belongs to.
fn row(action: &str) -> Option<(&'static str, f64, f64)> {
    Some(match action {
        "RegisterTaskDefinition" | "DeregisterTaskDefinition" => ("definition writes", 20.0, 1.0),
        "DescribeTaskDefinition" | "ListTaskDefinitions" => ("definition reads", 50.0, 20.0),
        "CreateService" | "UpdateService" => ("service writes", 50.0, 5.0),
        "DescribeServices" | "ListServices" => ("service reads", 100.0, 20.0),
        "DescribeTasks" | "ListTasks" => ("task reads", 100.0, 20.0),
        "DescribeServiceDeployments" | "ListServiceDeployments" => ("deployments", 50.0, 20.0),
        "DescribeServiceRevisions" => ("revisions", 50.0, 20.0),
        _ => return None, // no rate published for the others that are modelled
    })
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

/// The buckets that were used so far.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    buckets: BTreeMap<&'static str, Bucket>,
}

impl Throttle {
    /// Takes a token for the call, or refuses it.
    pub(super) fn admit(&mut self, action: &str, now: Timestamp) -> Result<(), ApiError> {
        let Some((row, burst, rate)) = row(action) else { return Ok(()) };
        let bucket = self.buckets.entry(row).or_insert(Bucket { tokens: burst, at: now });
        let passed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
        bucket.tokens = (bucket.tokens + passed * rate).min(burst);
        bucket.at = bucket.at.max(now);
        if bucket.tokens < 1.0 {
            return Err(ApiError::refused("ThrottlingException", "Rate exceeded"));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}
