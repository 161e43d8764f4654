//! What the template says about functions, what wakes them, and the table.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::intrinsic::STACK;
use super::{Resource, Stack, TemplateError, list, members, names};
use crate::pattern::Pattern;

/// Lambda's own defaults, where the template says nothing.
const TIMEOUT: u64 = 3;
const MEMORY: u64 = 128;

/// A function, and everything that wakes it.
#[derive(Debug, Clone)]
pub struct Function {
    /// `PromoteFunction`
    pub id: String,
    /// The program's name, and its folder's: `promote`.
    pub program: String,
    /// Its name in AWS.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The ARN of the role whose policies bind it.
    pub role: String,
    /// After so long an invocation is killed.
    pub timeout: Duration,
    /// In MB; programs see it in their environment.
    pub memory: u64,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// What happens to asynchronous events that it fails on.
    pub retries: Retries,
    /// EventBridge rules that send it events.
    pub rules: Vec<Rule>,
    /// Schedules that wake it.
    pub schedules: Vec<Schedule>,
    /// Stream mappings that feed it.
    pub mappings: Vec<Mapping>,
}

/// How asynchronous invocations are retried.
#[derive(Debug, Clone, PartialEq)]
pub struct Retries {
    /// Tries after the first.
    pub attempts: u64,
    /// Older events are given up.
    pub age: Duration,
    /// Where an event goes that was given up.
    pub on_failure: Option<Destination>,
}

/// A queue that takes what failed, by ARN.
pub type Destination = String;

/// An EventBridge rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name in the template.
    pub id: String,
    /// Its physical name.
    pub name: String,
    /// What it lets through.
    pub pattern: Pattern,
    /// The same as it is written.
    pub source: Value,
    /// It is switched on.
    pub enabled: bool,
}

/// A schedule: a rate, and the text it sends.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its name in the template.
    pub id: String,
    /// Its physical name.
    pub name: String,
    /// It is switched on.
    pub enabled: bool,
    /// The rate.
    pub every: Duration,
    /// The event it sends.
    pub input: Value,
}

/// A mapping from the table's stream to a function.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Its name in the template.
    pub id: String,
    /// Its physical name.
    pub uuid: String,
    /// It is switched on.
    pub enabled: bool,
    /// One of these must match; empty lets everything through.
    pub filters: Vec<Pattern>,
    /// Most records of an invocation.
    pub batch: usize,
    /// Lanes per shard; order is kept per item.
    pub lanes: u64,
    /// Tries after the first; `None` until the record is too old.
    pub retries: Option<u64>,
    /// Older records are given up.
    pub age: Duration,
    /// A failing batch is cut in two.
    pub bisect: bool,
    /// The function's answer names what failed.
    pub partial: bool,
    /// Where a batch goes that was given up.
    pub on_failure: Option<Destination>,
    /// The stream's ARN.
    pub stream: String,
}

/// The table, as `CreateTable` wants it.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its stream's ARN.
    pub stream: String,
    /// The request that makes it.
    pub request: Value,
}

impl Stack {
    /// All functions, in order of their logical ids.
    pub fn functions(&self) -> Result<Vec<Function>, TemplateError> {
        let functions = self.of_kind("AWS::Serverless::Function");
        functions.map(|(id, resource)| self.function(id, resource)).collect()
    }

    /// The tables.
    pub fn tables(&self) -> Vec<Table> {
        let tables = self.of_kind("AWS::DynamoDB::Table");
        tables
            .map(|(_, it)| Table {
                name: it.name.clone(),
                stream: names::attribute(&self.place, &it.kind, &it.name, "StreamArn")
                    .unwrap_or_default(),
                request: table_request(it),
            })
            .collect()
    }

    fn function(&self, id: &str, resource: &Resource) -> Result<Function, TemplateError> {
        let properties = &resource.properties;
        let program = resource.metadata["BuildProperties"]["Binary"].as_str().ok_or_else(|| {
            TemplateError::new(format!("{id} names no Metadata.BuildProperties.Binary"))
        })?;
        let role = properties["Role"].as_str().unwrap_or_default().to_owned();
        let variables = members(&properties["Environment"]["Variables"]);
        let asynchronous = &properties["EventInvokeConfig"];
        let mut function = Function {
            id: id.to_owned(),
            program: program.to_owned(),
            name: resource.name.clone(),
            arn: names::arn(&self.place, &resource.kind, &resource.name),
            role,
            timeout: Duration::from_secs(number(&properties["Timeout"], TIMEOUT)),
            memory: number(&properties["MemorySize"], MEMORY),
            environment: variables.map(|(key, value)| (key.clone(), text(value))).collect(),
            retries: Retries {
                // Lambda's defaults: two more tries within six hours.
                attempts: number(&asynchronous["MaximumRetryAttempts"], 2),
                age: Duration::from_secs(number(&asynchronous["MaximumEventAgeInSeconds"], 21_600)),
                on_failure: destination(&asynchronous["DestinationConfig"]),
            },
            rules: Vec::new(),
            schedules: Vec::new(),
            mappings: Vec::new(),
        };
        for (name, event) in members(&properties["Events"]) {
            let event_id = format!("{id}{name}");
            let its = &event["Properties"];
            match event["Type"].as_str().unwrap_or_default() {
                "EventBridgeRule" => function.rules.push(Rule {
                    pattern: pattern(&event_id, &its["Pattern"])?,
                    source: its["Pattern"].clone(),
                    enabled: its["State"] != "DISABLED",
                    name: format!("{STACK}-{event_id}"),
                    id: event_id,
                }),
                "ScheduleV2" => function.schedules.push(schedule(event_id, its)?),
                "DynamoDB" => function.mappings.push(mapping(event_id, its)?),
                other => {
                    return Err(TemplateError::new(format!(
                        "{event_id}: the local AWS does not model events of type `{other}`"
                    )));
                }
            }
        }
        Ok(function)
    }
}

fn schedule(id: String, properties: &Value) -> Result<Schedule, TemplateError> {
    let expression = text(&properties["ScheduleExpression"]);
    let every = rate(&expression).ok_or_else(|| {
        TemplateError::new(format!("{id}: the local AWS models rate(…) only, not `{expression}`"))
    })?;
    let input = match properties["Input"].as_str() {
        Some(input) => serde_json::from_str(input)
            .map_err(|error| TemplateError::new(format!("{id}: Input is not JSON: {error}")))?,
        None => json!({}),
    };
    let enabled = properties["State"] != "DISABLED";
    Ok(Schedule { name: format!("{STACK}-{id}"), enabled, id, every, input })
}

/// `rate(1 minute)`, `rate(5 minutes)`, `rate(2 hours)`
pub(crate) fn rate(expression: &str) -> Option<Duration> {
    let (count, unit) = expression.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let seconds = match unit.trim_end_matches('s') {
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        _ => return None,
    };
    count.parse::<u64>().ok().map(|count| Duration::from_secs(count * seconds))
}

fn mapping(id: String, properties: &Value) -> Result<Mapping, TemplateError> {
    let filters = list(&properties["FilterCriteria"]["Filters"]).iter().map(|filter| {
        let text = filter["Pattern"].as_str().unwrap_or_default();
        let value = serde_json::from_str(text)
            .map_err(|error| TemplateError::new(format!("{id}: filter is not JSON: {error}")))?;
        pattern(&id, &value)
    });
    let retries = properties["MaximumRetryAttempts"].as_i64().unwrap_or(-1);
    let age = properties["MaximumRecordAgeInSeconds"].as_i64().unwrap_or(-1);
    let kinds = list(&properties["FunctionResponseTypes"]);
    Ok(Mapping {
        filters: filters.collect::<Result<_, _>>()?,
        batch: usize::try_from(number(&properties["BatchSize"], 100)).unwrap_or(100),
        lanes: number(&properties["ParallelizationFactor"], 1),
        retries: u64::try_from(retries).ok(),
        // -1 is for ever, and a stream keeps a day.
        age: Duration::from_secs(u64::try_from(age).unwrap_or(86_400)),
        bisect: properties["BisectBatchOnFunctionError"] == Value::Bool(true),
        partial: kinds.iter().any(|kind| kind == "ReportBatchItemFailures"),
        on_failure: destination(&properties["DestinationConfig"]),
        stream: text(&properties["Stream"]),
        uuid: format!("{STACK}-{id}"),
        enabled: properties["Enabled"] != Value::Bool(false),
        id,
    })
}

pub(super) fn pattern(id: &str, value: &Value) -> Result<Pattern, TemplateError> {
    Pattern::parse(value).map_err(|error| TemplateError::new(format!("{id}: {error}")))
}

fn destination(config: &Value) -> Option<Destination> {
    config["OnFailure"]["Destination"].as_str().map(str::to_owned)
}

/// The properties that `CreateTable` takes too; the rest is CloudFormation's or the account's.
fn table_request(resource: &Resource) -> Value {
    let mut request = json!({ "TableName": resource.name });
    for member in ["AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes"] {
        if let Some(value) = resource.properties.get(member) {
            request[member] = value.clone();
        }
    }
    request
}

fn number(value: &Value, default: u64) -> u64 {
    match value {
        Value::String(text) => text.parse().unwrap_or(default),
        other => other.as_u64().unwrap_or(default),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
