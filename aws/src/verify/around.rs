//! What task definitions name around them: log groups, secrets, parameters, roles.

use std::collections::BTreeMap;

use aws_types::SdkConfig;
use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_core::verify::{LogGroup, Needs, Secret, Shown};

use super::shown;
use crate::Refusal;
use crate::json::JsonService;
use crate::logs::newest;
use crate::query::{QueryService, unescaped};
use crate::sdk::in_region;
use crate::secrets::Secrets;

/// A filter of `DescribeParameters` takes no more names, and a page holds no more.
const NAMES_A_CALL: usize = 50;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Around {
    pub(super) logs: BTreeMap<LogGroup, Shown<Option<Timestamp>>>,
    pub(super) secrets: BTreeMap<String, Shown<Secret>>,
    pub(super) parameters: BTreeMap<(String, String), Shown<()>>,
    pub(super) roles: BTreeMap<String, Shown<Value>>,
}

/// Looks at everything in `needs`, each thing once.
pub(super) async fn look(sdk: &SdkConfig, needs: &Needs) -> Around {
    let mut around = Around { parameters: parameters(sdk, needs).await, ..Around::default() };
    for group in needs.logs.keys() {
        around.logs.insert(group.clone(), shown(newest(sdk, group).await));
    }
    for arn in needs.secrets.keys() {
        // arn:aws:secretsmanager:REGION:…
        let config = arn.split(':').nth(3).map(|region| in_region(sdk, region));
        let secrets = Secrets::new(config.as_ref().unwrap_or(sdk));
        around.secrets.insert(arn.clone(), shown(secrets.describe(arn).await));
    }
    for arn in needs.roles.keys() {
        around.roles.insert(arn.clone(), shown(trust_policy(sdk, arn).await));
    }
    around
}

pub(super) fn iam(sdk: &SdkConfig) -> QueryService {
    QueryService { config: sdk.clone(), name: "iam", version: "2010-05-08" }
}

async fn trust_policy(sdk: &SdkConfig, arn: &str) -> Result<Value, Refusal> {
    const ACTION: &str = "iam:GetRole";
    let name = arn.rsplit('/').next().unwrap_or(arn);
    let input = [("RoleName".to_owned(), name.to_owned())];
    let answer = iam(sdk).call(ACTION, arn, &input).await?;
    let role = answer.records(&["Role"], ["AssumeRolePolicyDocument"]).pop();
    let policy = role.and_then(|[policy]| serde_json::from_str(&unescaped(&policy)).ok());
    policy.ok_or_else(|| Refusal::broken(ACTION, arn, "trust policy"))
}

/// Which parameters are there, by region.
async fn parameters(sdk: &SdkConfig, needs: &Needs) -> BTreeMap<(String, String), Shown<()>> {
    let mut by_region: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
    for (region, name) in needs.parameters.keys() {
        by_region.entry(region).or_default().push(name);
    }
    let mut found = BTreeMap::new();
    for (region, names) in by_region {
        for names in names.chunks(NAMES_A_CALL) {
            let there = shown(those_there(sdk, region, names).await);
            found.extend(names.iter().map(|name| {
                let shown = match &there {
                    Shown::There(there) if there.contains(*name) => Shown::There(()),
                    Shown::There(_) | Shown::Missing => Shown::Missing,
                    Shown::Hidden(hidden) => Shown::Hidden(hidden.clone()),
                };
                ((region.clone(), (*name).clone()), shown)
            }));
        }
    }
    found
}

async fn those_there(
    sdk: &SdkConfig,
    region: &str,
    names: &[&String],
) -> Result<Vec<String>, Refusal> {
    let config = in_region(sdk, region);
    let ssm = JsonService { config, name: "ssm", target: "AmazonSSM", version: "1.1" };
    let filter = json!([{ "Key": "Name", "Option": "Equals", "Values": names }]);
    let resource = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let asked = json!({ "ParameterFilters": filter, "MaxResults": NAMES_A_CALL });
    let mut there = Vec::new();
    let read = |page: &Value| {
        let parameters = page["Parameters"].as_array().into_iter().flatten();
        there.extend(parameters.filter_map(|it| it["Name"].as_str()).map(str::to_owned));
    };
    ssm.pages("ssm:DescribeParameters", &resource, "NextToken", asked, read).await?;
    Ok(there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, config};

    #[tokio::test]
    async fn fifty_parameters_fill_a_call_and_an_empty_page_is_not_the_last() {
        let fake = Fake::new();
        fake.answer(200, "{\"Parameters\": [], \"NextToken\": \"more\"}");
        fake.answer(200, "{\"Parameters\": [{\"Name\": \"a00\"}]}");
        fake.answer(200, "{\"Parameters\": []}");
        let mut needs = Needs::default();
        for number in 0..51 {
            let key = ("us-west-2".to_owned(), format!("a{number:02}"));
            needs.parameters.entry(key).or_default().insert("Rag".to_owned());
        }
        let found = parameters(&config(&fake), &needs).await;
        let there: Vec<_> = found.iter().filter(|(_, it)| **it == Shown::There(())).collect();
        assert_eq!((found.len(), there.len()), (51, 1));
        let requests = fake.requests();
        assert_eq!(requests[0].uri, "https://ssm.us-west-2.amazonaws.com/");
        assert_eq!(
            requests[0].json()["ParameterFilters"][0]["Values"].as_array().unwrap().len(),
            50
        );
        assert_eq!(requests[1].json()["NextToken"], "more");
    }

    #[tokio::test]
    async fn a_trust_policy_comes_escaped() {
        let fake = Fake::new();
        fake.answer(
            200,
            "<GetRoleResponse><GetRoleResult><Role><AssumeRolePolicyDocument>\
             %7B%22Statement%22%3A%5B%5D%7D</AssumeRolePolicyDocument></Role></GetRoleResult>\
             </GetRoleResponse>",
        );
        let arn = "arn:aws:iam::123456789012:role/ecs/task";
        let policy = trust_policy(&config(&fake), arn).await.unwrap();
        assert_eq!(policy, json!({ "Statement": [] }));
        assert!(fake.requests()[0].body.ends_with("&RoleName=task"));
    }
}
