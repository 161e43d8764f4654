use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::call::{Instance, Scope};
use crate::template::Template;

const TEMPLATE: &str = "
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: all
          PolicyDocument:
            Statement:
              - Effect: Allow
                Action: [ecs:DescribeServices, ecs:UpdateService]
                Resource: 'arn:aws:ecs:us-west-2:123456789012:service/live-crons/*'
                Condition: { ArnEquals: { 'ecs:cluster': 'arn:aws:ecs:us-west-2:123456789012:cluster/live-crons' } }
              - { Effect: Deny, Action: 'ecs:Update*', Resource: '*/Rag' }
              - { Effect: Allow, Action: ecs:RegisterTaskDefinition, Resource: 'arn:aws:ecs:*:*:task-definition/api:*' }
              - Effect: Allow
                Action: iam:PassRole
                Resource: arn:aws:iam::123456789012:role/api
                Condition: { StringEquals: { 'iam:PassedToService': ecs-tasks.amazonaws.com } }
              - Effect: Allow
                Action: [dynamodb:PutItem, dynamodb:Query]
                Resource: 'arn:aws:dynamodb:us-west-2:123456789012:table/t*'
                Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['pipeline#*'] } }
              - { Effect: Allow, Action: [ecs:StopServiceDeployment], Resource: ['*:service/live-crons/*', '*:service-deployment/*'] }
  DeployFunction:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: deploy } }
    Properties: { Role: !GetAtt Role.Arn }
";

fn check(service: &str, action: &str, input: Value) -> Result<(), String> {
    let place = Place::new("123456789012", "us-west-2");
    let stack = Template::parse(TEMPLATE).unwrap().deploy(&BTreeMap::new(), &place).unwrap();
    let iam = Iam::new(&stack, &stack.functions().unwrap()).unwrap();
    let caller = Caller::Function(Instance { program: "deploy".to_owned(), number: 1 });
    let (service, action) = (service.to_owned(), action.to_owned());
    let call = Call { caller, scope: Scope::default(), service, action, input };
    iam.check(&call, &place, Timestamp::UNIX_EPOCH).map_err(|error| error.message)
}

#[test]
fn a_call_is_allowed_exactly_when_a_statement_says_so() {
    let put = |pk: &str| json!({"Put": {"TableName": "t", "Item": {"pk": {"S": pk}}}});
    let stop = "arn:aws:ecs:us-west-2:123456789012:service-deployment/live-crons/A/1";
    let register = |family: &str, role: &str| json!({"family": family, "taskRoleArn": role});
    let (api, admin) =
        ("arn:aws:iam::123456789012:role/api", "arn:aws:iam::123456789012:role/admin");
    let table = [
        ("ecs", "UpdateService", json!({"cluster": "live-crons", "service": "A"}), ""),
        (
            "ecs",
            "UpdateService",
            json!({"cluster": "live-crons", "service": "Rag"}),
            "service/live-crons/Rag",
        ),
        ("ecs", "UpdateService", json!({"cluster": "uat", "service": "A"}), "ecs:UpdateService"),
        ("ecs", "DescribeServices", json!({"cluster": "live-crons", "services": ["A", "Rag"]}), ""),
        (
            "ecs",
            "DescribeServices",
            json!({"cluster": "c", "services": ["A"]}),
            "ecs:DescribeServices",
        ),
        ("ecs", "RegisterTaskDefinition", register("api", api), ""),
        ("ecs", "RegisterTaskDefinition", register("web", api), "task-definition/web:*"),
        (
            "ecs",
            "RegisterTaskDefinition",
            register("api", admin),
            "iam:PassRole on resource: arn:aws:iam::123456789012:role/admin",
        ),
        (
            "ecs",
            "RegisterTaskDefinition",
            json!({"family": "api", "tags": [{"key": "a"}]}),
            "ecs:TagResource",
        ),
        ("ecs", "StopServiceDeployment", json!({"serviceDeploymentArn": stop}), ""),
        ("ecs", "RunTask", json!({}), "ecs:RunTask"),
        ("dynamodb", "PutItem", json!({"TableName": "t", "Item": {"pk": {"S": "pipeline#a"}}}), ""),
        (
            "dynamodb",
            "PutItem",
            json!({"TableName": "t", "Item": {"pk": {"S": "target#a"}}}),
            "dynamodb:PutItem",
        ),
        ("dynamodb", "TransactWriteItems", json!({"TransactItems": [put("pipeline#a")]}), ""),
        (
            "dynamodb",
            "TransactWriteItems",
            json!({"TransactItems": [put("pipeline#a"), put("x")]}),
            "dynamodb:PutItem",
        ),
        ("dynamodb", "Query", json!({"TableName": "t", "IndexName": "open"}), ""),
        ("dynamodb", "DeleteItem", json!({"TableName": "t", "Key": {}}), "dynamodb:DeleteItem"),
        ("sts", "GetCallerIdentity", json!({}), ""),
        ("sns", "Publish", json!({"TopicArn": "arn:x"}), "sns:Publish on resource: arn:x"),
    ];
    for (service, action, input, refusal) in table {
        let shown = format!("{service}:{action} {input}");
        match check(service, action, input) {
            Ok(()) => assert_eq!(refusal, "", "{shown} was allowed"),
            Err(message) => {
                assert!(!refusal.is_empty() && message.contains(refusal), "{shown}: {message}");
            }
        }
    }
}

#[test]
fn conditions_that_are_not_modelled_are_refused_when_the_template_is_read() {
    let odd = TEMPLATE.replace("ForAllValues:StringLike", "IpAddress");
    let place = Place::new("123456789012", "us-west-2");
    let stack = Template::parse(&odd).unwrap().deploy(&BTreeMap::new(), &place).unwrap();
    let error = Iam::new(&stack, &stack.functions().unwrap()).unwrap_err().to_string();
    assert!(error.contains("does not model the condition IpAddress"), "{error}");
}

const GUEST: &str = "
Resources:
  Guest:
    Type: AWS::IAM::Role
    Properties:
      RoleName: guest
      AssumeRolePolicyDocument:
        Statement:
          - Effect: Allow
            Principal: { AWS: arn:aws:iam::123456789012:user/operator }
            Action: sts:AssumeRole
      Policies: []
";

#[test]
fn whoever_takes_a_role_on_is_told_who_they_are_by_now() {
    let home = Place::new("123456789012", "us-west-2");
    let there = Place::new(&home.account.chars().rev().collect::<String>(), "us-west-2");
    let stack = Template::parse(TEMPLATE).unwrap().deploy(&BTreeMap::new(), &home).unwrap();
    let mut iam = Iam::new(&stack, &stack.functions().unwrap()).unwrap();
    let guest = Template::parse(GUEST).unwrap().deploy(&BTreeMap::new(), &there).unwrap();
    iam.trust(&guest).unwrap();
    let role = format!("arn:aws:iam::{}:role/guest", there.account);
    let mut call = Call {
        caller: Caller::Operator,
        scope: Scope::default(),
        service: "sts".to_owned(),
        action: "AssumeRole".to_owned(),
        input: json!({ "RoleArn": role, "RoleSessionName": "me" }),
    };
    assert_eq!(iam.arn_of_call(&call), "arn:aws:iam::123456789012:user/operator");
    let taken = iam.assume(&call, Timestamp::UNIX_EPOCH).unwrap();
    let arn = format!("arn:aws:sts::{}:assumed-role/guest/me", there.account);
    assert_eq!(taken["AssumedRoleUser"]["Arn"], json!(arn));
    let key = taken["Credentials"]["AccessKeyId"].as_str().unwrap();
    call.scope.session = Caller::of_access_key(key).1;
    assert_eq!((iam.arn_of_call(&call), iam.account_of(&call)), (arn, there.account.as_str()));
}
