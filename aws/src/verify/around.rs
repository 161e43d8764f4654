//! What task definitions name around them: log groups, secrets, parameters, roles.

use std::collections::BTreeMap;

use aws_types::SdkConfig;
use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_core::config::{PipelineConfig, Role};
use tidegate_core::verify::{Hidden, LogGroup, Needs, Parameter, Secret, Shown, To};

use super::shown;
use crate::json::JsonService;
use crate::logs::newest;
use crate::query::{QueryService, unescaped};
use crate::sdk::in_region;
use crate::secrets::Secrets;
use crate::{App, Refusal};

/// A filter of `DescribeParameters` takes no more names, and a page holds no more.
const NAMES_A_CALL: usize = 50;
const DESCRIBE_PARAMETERS: &str = "ssm:DescribeParameters";

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Around {
    pub(super) logs: BTreeMap<LogGroup, Shown<Option<Timestamp>>>,
    pub(super) secrets: BTreeMap<String, Shown<Secret>>,
    pub(super) parameters: BTreeMap<Parameter, Shown<()>>,
    pub(super) roles: BTreeMap<String, Shown<Value>>,
}

/// Looks at everything in `needs`, each thing once.
pub(super) async fn look(app: &App, config: &PipelineConfig, needs: &Needs) -> Around {
    let role = config.role.as_ref();
    let sdk = &app.reach.at(&config.region, role);
    let parameters = parameters(sdk, &config.account, role, needs).await;
    let mut around = Around { parameters, ..Around::default() };
    for group in needs.logs.keys() {
        around.logs.insert(group.clone(), shown(newest(sdk, group).await, role));
    }
    for arn in needs.secrets.keys() {
        around.secrets.insert(arn.clone(), secret(sdk, &config.account, role, arn).await);
    }
    for arn in needs.roles.keys() {
        around.roles.insert(arn.clone(), shown(trust_policy(sdk, arn).await, role));
    }
    around
}

async fn secret(sdk: &SdkConfig, account: &str, role: Option<&Role>, arn: &str) -> Shown<Secret> {
    // arn:aws:secretsmanager:REGION:ACCOUNT:…
    let mut parts = arn.split(':').skip(3);
    let config = parts.next().map(|region| in_region(sdk, region));
    match parts.next() {
        Some(other) if other != account => {
            Shown::Hidden(elsewhere("secretsmanager:DescribeSecret", arn, other))
        }
        _ => {
            let secrets = Secrets::new(config.as_ref().unwrap_or(sdk));
            shown(secrets.describe(arn).await, role)
        }
    }
}

/// What is another account's is not asked for: whether a task may read it only that account can say.
fn elsewhere(action: &str, resource: &str, account: &str) -> Hidden {
    Hidden {
        action: action.to_owned(),
        resource: resource.to_owned(),
        words: format!("it is account {account}'s, and was not looked at"),
        to: To::OthersThan(account.to_owned()),
    }
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

/// Which parameters are there; those of `account` are asked for, region by region.
async fn parameters(
    sdk: &SdkConfig,
    account: &str,
    role: Option<&Role>,
    needs: &Needs,
) -> BTreeMap<Parameter, Shown<()>> {
    let mut found = BTreeMap::new();
    let mut by_region: BTreeMap<&str, Vec<&Parameter>> = BTreeMap::new();
    for parameter in needs.parameters.keys() {
        if parameter.account == account {
            by_region.entry(&parameter.region).or_default().push(parameter);
        } else {
            let hidden = elsewhere(DESCRIBE_PARAMETERS, &parameter.name, &parameter.account);
            found.insert(parameter.clone(), Shown::Hidden(hidden));
        }
    }
    for (region, parameters) in by_region {
        for parameters in parameters.chunks(NAMES_A_CALL) {
            let names: Vec<_> = parameters.iter().map(|it| it.name.as_str()).collect();
            let there = shown(those_there(sdk, region, &names).await, role);
            found.extend(parameters.iter().map(|parameter| {
                let shown = match &there {
                    Shown::There(there) if there.contains(&parameter.name) => Shown::There(()),
                    Shown::There(_) | Shown::Missing => Shown::Missing,
                    Shown::Hidden(hidden) => Shown::Hidden(hidden.clone()),
                };
                ((*parameter).clone(), shown)
            }));
        }
    }
    found
}

async fn those_there(
    sdk: &SdkConfig,
    region: &str,
    names: &[&str],
) -> Result<Vec<String>, Refusal> {
    let config = in_region(sdk, region);
    let ssm = JsonService { config, name: "ssm", target: "AmazonSSM", version: "1.1" };
    let filter = json!([{ "Key": "Name", "Option": "Equals", "Values": names }]);
    let resource = names.join(", ");
    let asked = json!({ "ParameterFilters": filter, "MaxResults": NAMES_A_CALL });
    let mut there = Vec::new();
    let read = |page: &Value| {
        let parameters = page["Parameters"].as_array().into_iter().flatten();
        there.extend(parameters.filter_map(|it| it["Name"].as_str()).map(str::to_owned));
    };
    ssm.pages(DESCRIBE_PARAMETERS, &resource, "NextToken", asked, read).await?;
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
            needs.parameters.insert(parameter("123456789012", &format!("a{number:02}")), [].into());
        }
        let found = parameters(&config(&fake), "123456789012", None, &needs).await;
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

    fn parameter(account: &str, name: &str) -> Parameter {
        let [account, region, name] = [account, "us-west-2", name].map(str::to_owned);
        Parameter { account, region, name }
    }

    #[tokio::test]
    async fn what_is_another_accounts_is_not_asked_for_and_not_said_to_be_missing() {
        let fake = Fake::new();
        let sdk = config(&fake);
        let theirs = parameter("another", "/api/token");
        let needs = Needs { parameters: [(theirs.clone(), [].into())].into(), ..Needs::default() };
        let found = parameters(&sdk, "123456789012", None, &needs).await;
        let Shown::Hidden(token) = &found[&theirs] else { panic!("{found:?}") };
        let arn = "arn:aws:secretsmanager:us-west-2:another:secret:config-AbCdEf";
        let config = secret(&sdk, "123456789012", None, arn).await;
        let Shown::Hidden(config) = config else { panic!("{config:?}") };
        for hidden in [token, &config] {
            assert_eq!(hidden.to, To::OthersThan("another".to_owned()));
        }
        assert_eq!(fake.requests().len(), 0);
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
