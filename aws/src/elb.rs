//! Load balancers: which targets fail their health check.

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::TargetHealth;
use aws_types::SdkConfig;
use tidegate_core::verify::Health;

use crate::Refusal;

/// Load balancers of one region.
#[derive(Debug, Clone)]
pub struct Elb(Client);

impl Elb {
    /// Load balancers where `config` points.
    pub fn new(config: &SdkConfig) -> Self {
        Self(Client::new(config))
    }

    /// The targets that fail their health check, each with the reason and its group; one call for
    /// each group. Targets that are leaving (`draining`) or still coming (`initial`) do not count.
    pub async fn unhealthy(&self, target_groups: &[String]) -> Result<Vec<String>, Refusal> {
        let mut unhealthy = Vec::new();
        for group in target_groups {
            let targets = self.health(group).await?.into_iter();
            // arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID
            let name = group.split('/').nth(1).unwrap_or(group);
            let failing = targets.filter(|target| target.state == "unhealthy");
            unhealthy.extend(failing.map(|target| format!("{} ({name})", target.reason)));
        }
        Ok(unhealthy)
    }

    /// Every target of a group; one call.
    pub async fn health(&self, group: &str) -> Result<Vec<Health>, Refusal> {
        let answer = self
            .0
            .describe_target_health()
            .target_group_arn(group)
            .send()
            .await
            .map_err(Refusal::of("elasticloadbalancing:DescribeTargetHealth", group))?;
        let targets = answer.target_health_descriptions().iter();
        Ok(targets.filter_map(|target| target.target_health()).map(health).collect())
    }
}

fn health(health: &TargetHealth) -> Health {
    let state = health.state().map_or("", |state| state.as_str()).to_owned();
    let reason = health.reason().map_or(&*state, |reason| reason.as_str());
    let detail = health.description().map(|text| format!(", {text}")).unwrap_or_default();
    Health { reason: format!("{reason}{detail}"), state }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, config};

    const GROUP: &str =
        "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/scr-api/0123456789abcdef";

    fn member(state: &str, rest: &str) -> String {
        format!(
            "<member><Target><Id>10.0.0.1</Id></Target><TargetHealth><State>{state}</State>{rest}\
             </TargetHealth></member>"
        )
    }

    #[tokio::test]
    async fn only_failing_targets_count() {
        let rest = "<Reason>Target.ResponseCodeMismatch</Reason>\
                    <Description>Health checks failed with these codes: [502]</Description>";
        let members = ["healthy", "initial", "draining", "unhealthy.draining", "unused"]
            .map(|state| member(state, ""))
            .join("");
        let fake = Fake::new();
        fake.answer(
            200,
            &format!(
                "<DescribeTargetHealthResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/\
                 doc/2015-12-01/\"><DescribeTargetHealthResult><TargetHealthDescriptions>{members}{}\
                 </TargetHealthDescriptions></DescribeTargetHealthResult>\
                 </DescribeTargetHealthResponse>",
                member("unhealthy", rest)
            ),
        );
        let found = Elb::new(&config(&fake)).unhealthy(&[GROUP.to_owned()]).await.unwrap();
        assert_eq!(
            found,
            ["Target.ResponseCodeMismatch, Health checks failed with these codes: [502] (scr-api)"]
        );
    }
}
