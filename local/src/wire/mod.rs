//! The AWS protocols: a request becomes a [`Call`], an [`Answer`] becomes a response.
//!
//! JSON 1.0 and 1.1 (DynamoDB, ECS, ECR, CloudWatch, Secrets Manager, SQS, EventBridge, Lightsail …), REST with
//! JSON (EventBridge Scheduler, Lambda), and the query protocol with XML answers (SNS, load balancers, STS,
//! IAM, CloudFormation). The signature is read for who asks and of which service; it is *not*
//! verified: every key is believed.

mod query;
mod rest;
mod xml;

use serde_json::Value;

use crate::api::ApiError;
use crate::call::{Answer, Call, Caller, Scope};

/// What of an HTTP request matters.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The `X-Amz-Target` header.
    pub target: Option<&'a str>,
    /// The method.
    pub method: &'a str,
    /// The address, with or without its host.
    pub uri: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// What of an HTTP response matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`
    pub content_type: &'static str,
    /// `x-amzn-ErrorType`, on a refusal.
    pub error_type: Option<String>,
    /// The body.
    pub body: String,
}

/// How the caller wants to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON; the content type says which version.
    Json(&'static str),
    /// The query protocol: answers are XML, wrapped in the action's name and its API's namespace.
    Query {
        /// The action.
        action: String,
        /// The XML namespace of the API's version.
        namespace: &'static str,
    },
}

/// Every answer has a request's id; nobody looks one up here.
pub const REQUEST_ID: &str = "00000000-0000-0000-0000-000000000000";

const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON_1_1: &str = "application/x-amz-json-1.1";
pub(crate) const JSON: &str = "application/json";

/// The JSON services: target prefix, signing name, content type.
const JSON_SERVICES: [(&str, &str, &str); 10] = [
    ("DynamoDB_20120810", "dynamodb", JSON_1_0),
    ("AmazonEC2ContainerServiceV20141113", "ecs", JSON_1_1),
    ("AmazonEC2ContainerRegistry_V20150921", "ecr", JSON_1_1),
    // Its signing name is `monitoring`; here it is called as IAM calls it.
    ("GraniteServiceVersion20100801", "cloudwatch", JSON_1_0),
    ("Logs_20140328", "logs", JSON_1_1),
    ("AmazonSSM", "ssm", JSON_1_1),
    ("secretsmanager", "secretsmanager", JSON_1_1),
    ("AmazonSQS", "sqs", JSON_1_0),
    ("AWSEvents", "events", JSON_1_1),
    ("Lightsail_20161128", "lightsail", JSON_1_1),
];

/// The query services: API version, signing name, XML namespace.
const QUERY_SERVICES: [(&str, &str, &str); 5] = [
    ("2010-03-31", "sns", "http://sns.amazonaws.com/doc/2010-03-31/"),
    (
        "2015-12-01",
        "elasticloadbalancing",
        "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
    ),
    ("2011-06-15", "sts", "https://sts.amazonaws.com/doc/2011-06-15/"),
    ("2010-05-08", "iam", "https://iam.amazonaws.com/doc/2010-05-08/"),
    ("2010-05-15", "cloudformation", "http://cloudformation.amazonaws.com/doc/2010-05-15/"),
];

/// Reads a request; what cannot be read is answered in the protocol it seems to speak.
pub fn read(request: Request<'_>) -> Result<(Call, Protocol), Response> {
    let signed = signed(request.authorization);
    if let Some(read) = rest::read(request, &signed) {
        return read;
    }
    match request.target {
        Some(target) => read_json(target, request.body, signed),
        None => read_query(request.body, signed),
    }
}

/// Writes an answer.
pub fn write(protocol: &Protocol, answer: &Answer) -> Response {
    let refusal = answer.refusal().map(str::to_owned);
    let (content_type, body) = match (protocol, &refusal) {
        (Protocol::Json(content_type), _) => (*content_type, json(&answer.body)),
        (Protocol::Query { .. }, Some(code)) => {
            let message = answer.body["message"].as_str().unwrap_or_default();
            ("text/xml", xml::error(code, message))
        }
        (Protocol::Query { action, namespace }, None) => {
            ("text/xml", xml::result(action, namespace, &answer.body))
        }
    };
    Response { status: answer.status, content_type, error_type: refusal, body }
}

/// The text of a value. (By way of `Display` it costs twice as much, in every answer.)
fn json(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| value.to_string())
}

/// Who signed, and for where.
type Signed = (Caller, Scope);

fn read_json(
    target: &str,
    body: &[u8],
    (caller, scope): Signed,
) -> Result<(Call, Protocol), Response> {
    let (prefix, action) = target.split_once('.').unwrap_or((target, ""));
    let service = JSON_SERVICES.iter().find(|(known, ..)| *known == prefix);
    let Some((_, service, content_type)) = service else {
        return Err(write(&Protocol::Json(JSON_1_1), &unknown_service(target)));
    };
    let protocol = Protocol::Json(content_type);
    let body = if body.is_empty() { b"{}" } else { body };
    let input: Value = serde_json::from_slice(body).map_err(|error| {
        let refused = ApiError::refused("SerializationException", error.to_string());
        write(&protocol, &refused.into())
    })?;
    let (service, action) = ((*service).to_owned(), action.to_owned());
    Ok((Call { caller, scope, service, action, input }, protocol))
}

fn read_query(body: &[u8], (caller, scope): Signed) -> Result<(Call, Protocol), Response> {
    let mut input = query::read(body);
    let mut take = |name: &str| {
        let value = input.as_object_mut().and_then(|members| members.remove(name));
        value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let (action, version) = (take("Action"), take("Version"));
    let service = QUERY_SERVICES.iter().find(|(known, ..)| *known == version);
    let Some((_, service, namespace)) = service else {
        let refused = unknown_service(&format!("{action} of version `{version}`"));
        return Err(write(&Protocol::Query { action, namespace: "" }, &refused));
    };
    let service = (*service).to_owned();
    let call = Call { caller, scope, service, action: action.clone(), input };
    Ok((call, Protocol::Query { action, namespace }))
}

fn unknown_service(what: &str) -> Answer {
    ApiError::refused("UnknownOperationException", format!("the local AWS does not model {what}"))
        .into()
}

/// `AWS4-HMAC-SHA256 Credential=AKID/20261121/us-west-2/ecs/aws4_request, …`
fn signed(authorization: Option<&str>) -> Signed {
    let credential = authorization.and_then(|header| header.split_once("Credential="));
    let mut parts = credential.map_or("", |(_, rest)| rest).split('/');
    let (caller, session) = Caller::of_access_key(parts.next().unwrap_or_default());
    let region = parts.nth(1).map(str::to_owned);
    (caller, Scope { region, session })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::call::Instance;

    const AT_ROOT: Request<'_> =
        Request { authorization: None, target: None, method: "POST", uri: "/", body: b"" };

    #[test]
    fn a_json_request_names_service_action_and_caller() {
        let request = Request {
            authorization: Some(
                "AWS4-HMAC-SHA256 Credential=LOCALDEPLOY0000003/20261121/us-west-2/ecs/aws4_request",
            ),
            target: Some("AmazonEC2ContainerServiceV20141113.DescribeServices"),
            method: "POST",
            uri: "/",
            body: br#"{"cluster":"a"}"#,
        };
        let (call, protocol) = read(request).unwrap();
        assert_eq!(call.name(), "ecs:DescribeServices");
        assert_eq!(call.input, json!({"cluster": "a"}));
        let instance = Instance { program: "deploy".to_owned(), number: 3 };
        assert_eq!(call.caller, Caller::Function(instance));
        assert_eq!(call.scope.region.as_deref(), Some("us-west-2"));
        let refused = ApiError::refused("ClusterNotFoundException", "Cluster not found.");
        let response = write(&protocol, &refused.into());
        assert_eq!((response.status, response.content_type), (400, JSON_1_1));
        assert_eq!(response.error_type.as_deref(), Some("ClusterNotFoundException"));
        assert!(response.body.contains(r#""__type":"ClusterNotFoundException""#));
    }

    #[test]
    fn a_query_request_is_answered_in_xml() {
        let body = b"Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn=arn%3Aa+b";
        let request = Request { body, ..AT_ROOT };
        let (call, protocol) = read(request).unwrap();
        assert_eq!(call.name(), "elasticloadbalancing:DescribeTargetHealth");
        assert_eq!(call.input, json!({"TargetGroupArn": "arn:a b"}));
        let answer = Answer { status: 200, body: json!({"List": [{"Port": 80}, {"A": "<&>"}]}) };
        let body = write(&protocol, &answer).body;
        let list =
            "<List><member><Port>80</Port></member><member><A>&lt;&amp;&gt;</A></member></List>";
        assert!(body.contains("<DescribeTargetHealthResult>"), "{body}");
        assert!(body.contains(list), "{body}");
        let refused = ApiError::refused("TargetGroupNotFound", "no < such group");
        let response = write(&protocol, &refused.into());
        assert!(response.body.contains("<Code>TargetGroupNotFound</Code>"));
        assert!(response.body.contains("<Message>no &lt; such group</Message>"));
    }

    #[test]
    fn an_unknown_service_is_refused_by_name() {
        let request = Request { target: Some("Kinesis.Put"), ..AT_ROOT };
        let refused = read(request).unwrap_err();
        assert_eq!(refused.error_type.as_deref(), Some("UnknownOperationException"));
        assert!(refused.body.contains("Kinesis.Put"));
        let request = Request { body: b"Action=A&Version=1", ..AT_ROOT };
        assert!(read(request).unwrap_err().body.contains("does not model A of version `1`"));
    }
}
