//! The names and ARNs of resources.

use crate::api::Place;

/// A table stream's label: the moment the stream was made, here always the same.
const STREAM_LABEL: &str = "2026-01-01T00:00:00.000";

/// The property in which a template may ask for a physical name.
pub(super) fn name_property(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::DynamoDB::Table" => "TableName",
        "AWS::Serverless::Function" => "FunctionName",
        "AWS::SQS::Queue" => "QueueName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::IAM::Role" => "RoleName",
        "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        _ => return None,
    })
}

/// What `!Ref` gives.
pub(super) fn reference(place: &Place, kind: &str, name: &str) -> String {
    match kind {
        "AWS::SNS::Topic" | "AWS::IAM::ManagedPolicy" => arn(place, kind, name),
        "AWS::SQS::Queue" => {
            format!("https://sqs.{}.amazonaws.com/{}/{name}", place.region, place.account)
        }
        _ => name.to_owned(),
    }
}

/// What `!GetAtt` gives, if the type has the attribute.
pub(super) fn attribute(place: &Place, kind: &str, name: &str, attribute: &str) -> Option<String> {
    match (kind, attribute) {
        (_, "Arn") | ("AWS::SNS::Topic", "TopicArn") => Some(arn(place, kind, name)),
        ("AWS::DynamoDB::Table", "StreamArn") => {
            Some(format!("{}/stream/{STREAM_LABEL}", arn(place, kind, name)))
        }
        ("AWS::SQS::Queue", "QueueName") | ("AWS::SNS::Topic", "TopicName") => {
            Some(name.to_owned())
        }
        ("AWS::SQS::Queue", "QueueUrl") => Some(reference(place, kind, name)),
        _ => None,
    }
}

pub(super) fn arn(place: &Place, kind: &str, name: &str) -> String {
    let account = &place.account;
    match kind {
        "AWS::DynamoDB::Table" => place.arn("dynamodb", &format!("table/{name}")),
        "AWS::Serverless::Function" => place.arn("lambda", &format!("function:{name}")),
        "AWS::SQS::Queue" => place.arn("sqs", name),
        "AWS::SNS::Topic" => place.arn("sns", name),
        "AWS::IAM::Role" => format!("arn:aws:iam::{account}:role/{name}"),
        "AWS::IAM::ManagedPolicy" => format!("arn:aws:iam::{account}:policy/{name}"),
        "AWS::Logs::LogGroup" => place.arn("logs", &format!("log-group:{name}:*")),
        _ => place.arn("cloudformation", &format!("{kind}/{name}")),
    }
}
