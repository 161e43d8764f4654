//! CloudWatch Logs: the last lines of a task, for a person who asks.

use aws_types::SdkConfig;
use jiff::Timestamp;
use serde_json::{Value, json};
use tidegate_core::verify::LogGroup;

use crate::Refusal;
use crate::ecs::RawTaskDefinition;
use crate::json::JsonService;
use crate::sdk::in_region;

/// A screen of lines: why a program fell stands in its last ones.
const LINES: usize = 50;
/// A line of a minified stack trace can be 256 KB long.
const LONGEST: usize = 1000;

/// Where one container of one task logs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStream {
    /// The region that holds it.
    pub region: String,
    /// The log group.
    pub group: String,
    /// `prefix/container/task-id`
    pub stream: String,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written, as the program's host says.
    pub at: Timestamp,
    /// What was written.
    pub text: String,
}

impl LogStream {
    /// Where a container of a task that ran `definition` logs to; the reason where that is not known.
    /// `region` is the task's own.
    pub fn of(
        definition: &RawTaskDefinition,
        container: &str,
        task: &str,
        region: &str,
    ) -> Result<Self, String> {
        let containers = definition.json["containerDefinitions"].as_array().into_iter().flatten();
        let log = containers
            .filter(|own| own["name"] == container)
            .map(|own| &own["logConfiguration"])
            .next()
            .ok_or_else(|| format!("{} has no container `{container}`", definition.arn))?;
        match log["logDriver"].as_str() {
            Some("awslogs") => {}
            Some(driver) => return Err(format!("it logs by `{driver}`, not to CloudWatch")),
            None => return Err("its task definition has no logConfiguration".to_owned()),
        }
        let option = |name: &str| {
            let option = log["options"][name].as_str();
            option.ok_or_else(|| format!("its logConfiguration has no `{name}`"))
        };
        let region = option("awslogs-region").unwrap_or(region).to_owned();
        let group = option("awslogs-group")?.to_owned();
        // Without a prefix the stream is called by an id that only the host knows.
        let stream = format!("{}/{container}/{task}", option("awslogs-stream-prefix")?);
        Ok(Self { region, group, stream })
    }
}

/// The last lines of a stream, oldest first; at most 50.
pub async fn last_lines(sdk: &SdkConfig, from: &LogStream) -> Result<Vec<LogLine>, Refusal> {
    let LogStream { region, group, stream } = from;
    let asked = json!({
        "logGroupName": group,
        "logStreamName": stream,
        "limit": LINES,
        "startFromHead": false,
    });
    let resource = format!("{group} {stream}");
    let answer = logs(sdk, region).call("logs:GetLogEvents", &resource, &asked).await?;
    Ok(answer["events"].as_array().into_iter().flatten().filter_map(line).collect())
}

/// When a group was last written to, as far as CloudWatch says by now; `None` for never.
pub async fn newest(sdk: &SdkConfig, group: &LogGroup) -> Result<Option<Timestamp>, Refusal> {
    let LogGroup { region, name } = group;
    let asked = json!({
        "logGroupName": name,
        "orderBy": "LastEventTime",
        "descending": true,
        "limit": 1,
    });
    let answer = logs(sdk, region).call("logs:DescribeLogStreams", name, &asked).await?;
    let at = &answer["logStreams"][0]["lastEventTimestamp"];
    Ok(at.as_i64().and_then(|at| Timestamp::from_millisecond(at).ok()))
}

fn logs(sdk: &SdkConfig, region: &str) -> JsonService {
    let config = in_region(sdk, region);
    JsonService { config, name: "logs", target: "Logs_20140328", version: "1.1" }
}

fn line(event: &Value) -> Option<LogLine> {
    let at = Timestamp::from_millisecond(event["timestamp"].as_i64()?).ok()?;
    let mut text = event["message"].as_str()?.trim_end().to_owned();
    text.truncate(text.floor_char_boundary(LONGEST));
    // What a program prints must not paint a person's terminal.
    text.retain(|letter| letter == '\t' || !letter.is_control());
    Some(LogLine { at, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, config};

    fn definition(log: &Value) -> RawTaskDefinition {
        RawTaskDefinition {
            arn: "arn:aws:ecs:us-west-2:123456789012:task-definition/rag:4".to_owned(),
            family: "rag".to_owned(),
            status: "ACTIVE".to_owned(),
            json: json!({ "containerDefinitions": [
                { "name": "crons", "logConfiguration": log }, { "name": "plain" },
            ] }),
            tags: Vec::new(),
        }
    }

    #[test]
    fn a_stream_is_called_by_prefix_container_and_task() {
        let mut log = json!({ "logDriver": "awslogs", "options": {
            "awslogs-group": "/ecs/live", "awslogs-stream-prefix": "rag", "awslogs-region": "eu-west-1",
        } });
        let of = |log: &Value, container| {
            LogStream::of(&definition(log), container, "0f9d", "us-west-2")
        };
        let stream = of(&log, "crons").unwrap();
        assert_eq!(stream.region, "eu-west-1");
        assert_eq!(
            (stream.group.as_str(), stream.stream.as_str()),
            ("/ecs/live", "rag/crons/0f9d")
        );
        assert!(of(&log, "plain").unwrap_err().contains("has no logConfiguration"));
        assert!(of(&log, "gone").unwrap_err().contains("has no container `gone`"));
        log["options"].as_object_mut().unwrap().remove("awslogs-stream-prefix");
        assert!(of(&log, "crons").unwrap_err().contains("`awslogs-stream-prefix`"));
        log["logDriver"] = json!("awsfirelens");
        assert!(of(&log, "crons").unwrap_err().contains("`awsfirelens`"));
    }

    #[tokio::test]
    async fn the_newest_line_of_a_group_is_its_newest_streams() {
        let fake = Fake::new();
        let stream = json!({ "logStreams": [{ "lastEventTimestamp": 1_763_715_600_000_i64 }] });
        fake.answer(200, &stream.to_string());
        fake.answer(200, "{\"logStreams\": []}");
        let group = LogGroup { region: "eu-west-1".to_owned(), name: "/ecs/live".to_owned() };
        let newest = async || newest(&config(&fake), &group).await.unwrap();
        let at = newest().await.map(|at| at.to_string());
        assert_eq!(at.as_deref(), Some("2025-11-21T09:00:00Z"));
        assert_eq!(newest().await, None);
        let requests = fake.requests();
        assert_eq!(requests[0].uri, "https://logs.eu-west-1.amazonaws.com/");
        let asked = json!({ "logGroupName": "/ecs/live", "orderBy": "LastEventTime",
            "descending": true, "limit": 1 });
        assert_eq!(requests[0].json(), asked);
    }

    #[tokio::test]
    async fn lines_are_bounded_and_paint_nothing() {
        let fake = Fake::new();
        let long = "x".repeat(5000);
        let events = json!({ "events": [
            { "timestamp": 1_763_715_600_000_i64, "message": "\u{1b}[31mError: CONFIG is not set\n" },
            { "timestamp": 1_763_715_601_000_i64, "message": long },
        ] });
        fake.answer(200, &events.to_string());
        let (group, stream) = ("/ecs/live".to_owned(), "rag/crons/0f9d".to_owned());
        let from = LogStream { region: "eu-west-1".to_owned(), group, stream };
        let lines = last_lines(&config(&fake), &from).await.unwrap();
        assert_eq!(lines[0].text, "[31mError: CONFIG is not set");
        assert_eq!(lines[0].at.to_string(), "2025-11-21T09:00:00Z");
        assert_eq!(lines[1].text.len(), LONGEST);
        let [request] = &fake.requests()[..] else { panic!("one call") };
        assert_eq!(request.operation, "GetLogEvents");
        assert_eq!(request.uri, "https://logs.eu-west-1.amazonaws.com/");
        assert_eq!(request.json()["limit"], 50);
    }
}
