use std::time::Duration;

use serde_json::json;

use super::*;

const SMALL: &str = "
Parameters:
  ServiceArns: { Type: CommaDelimitedList }
  Slack: { Type: String, Default: '' }
Conditions:
  HasSlack: !Not [!Equals [!Ref Slack, '']]
Globals:
  Function: { Timeout: 30, Environment: { Variables: { TABLE: !Ref Table, SPEED: 3 } } }
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
      BillingMode: PAY_PER_REQUEST
  Dead: { Type: AWS::SQS::Queue }
  SlackOnly: { Type: AWS::SQS::Queue, Condition: HasSlack }
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument:
            Statement:
              - Effect: Allow
                Action: ecs:UpdateService
                Resource: !Ref ServiceArns
                Condition: { ArnEquals: { 'ecs:cluster': !Sub 'arn:aws:ecs:${AWS::Region}:x' } }
              - !If [HasSlack, { Effect: Allow, Action: a, Resource: b }, !Ref AWS::NoValue]
  DeployFunction:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: deploy } }
    Properties:
      Role: !GetAtt Role.Arn
      Timeout: 90
      Environment: { Variables: { OWN: !Sub '${Table}-${!literal}' } }
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig: { OnFailure: { Type: SQS, Destination: !GetAtt Dead.Arn } }
      Events:
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            BatchSize: 1
            ParallelizationFactor: 10
            MaximumRetryAttempts: 3
            FilterCriteria: { Filters: [{ Pattern: '{\"dynamodb\":{\"Keys\":{\"pk\":{\"S\":[\"a\"]}}}}' }] }
        Minute:
          Type: ScheduleV2
          Properties: { ScheduleExpression: rate(5 minutes), Input: '{\"kind\":\"tick\"}' }
        Push: { Type: EventBridgeRule, Properties: { Pattern: { source: [aws.ecr] } } }
";

fn stack(given: &[(&str, &str)]) -> Result<Stack, TemplateError> {
    let parameters = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let place = Place::new("123456789012", "us-west-2");
    Template::parse(SMALL).unwrap().deploy(&parameters, &place)
}

#[test]
fn a_function_is_read_with_everything_that_wakes_it() {
    let functions = stack(&[("ServiceArns", "a, b")]).unwrap().functions().unwrap();
    let [function] = functions.as_slice() else { panic!("one function") };
    assert_eq!(function.program, "deploy");
    assert_eq!(function.timeout, Duration::from_secs(90));
    assert_eq!(function.environment["TABLE"], "tidegate-Table");
    assert_eq!(function.environment["SPEED"], "3");
    assert_eq!(function.environment["OWN"], "tidegate-Table-${literal}");
    assert_eq!(function.retries.attempts, 1);
    let dead = "arn:aws:sqs:us-west-2:123456789012:tidegate-Dead";
    assert_eq!(function.retries.on_failure.as_deref(), Some(dead));
    assert_eq!(function.schedules[0].every, Duration::from_secs(300));
    assert_eq!(function.schedules[0].input, json!({"kind": "tick"}));
    assert!(function.rules[0].pattern.matches(&json!({"source": "aws.ecr"})));
    let mapping = &function.mappings[0];
    assert_eq!((mapping.batch, mapping.lanes, mapping.retries), (1, 10, Some(3)));
    assert!(mapping.stream.contains("table/tidegate-Table/stream/"));
}

#[test]
fn a_role_has_the_statements_whose_condition_holds() {
    let without = stack(&[("ServiceArns", "a, b")]).unwrap();
    let role = "arn:aws:iam::123456789012:role/tidegate-Role";
    let statements = without.statements(role);
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0]["Resource"], json!(["a", "b"]));
    let condition = json!({"ArnEquals": {"ecs:cluster": "arn:aws:ecs:us-west-2:x"}});
    assert_eq!(statements[0]["Condition"], condition);
    let with = stack(&[("ServiceArns", "a"), ("Slack", "arn")]).unwrap();
    assert_eq!(with.statements(role).len(), 2);
    assert!(!without.resources.contains_key("SlackOnly"));
    assert!(with.resources.contains_key("SlackOnly"));
}

#[test]
fn mistakes_are_said() {
    let missing = stack(&[]).unwrap_err().to_string();
    assert!(missing.contains("`ServiceArns` has no default"), "{missing}");
    let unknown = stack(&[("Nope", "")]).unwrap_err().to_string();
    assert!(unknown.contains("no parameter `Nope`"), "{unknown}");
    let template = Template::parse("Resources: { A: { Type: X, Properties: { a: !Base64 x } } }");
    let place = Place::new("123456789012", "us-west-2");
    let error = template.unwrap().deploy(&BTreeMap::new(), &place).unwrap_err().to_string();
    assert!(error.contains("does not understand Fn::Base64"), "{error}");
}
